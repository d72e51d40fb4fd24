/// A span that may be an end of a relation.
package struct LinkSpan: Sendable, Hashable {
  /// Tokens or code points, end-exclusive.
  package let range: Range<Int>
  package let score: Float

  package init(range: Range<Int>, score: Float) {
    self.range = range
    self.score = score
  }

  static func precedes(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    (a.lowerBound, a.upperBound) < (b.lowerBound, b.upperBound)
  }
}

/// A relation as indices: of the subject among the subjects, of the object among the objects.
package struct DecodedRelation: Sendable, Hashable {
  package let subject: Int
  package let predicate: Int
  package let object: Int
  /// The lower of the head link's and the tail link's score.
  package let score: Float
}

/// Joins subjects and objects to relations: `(s, p, o)` where `head[p, s.first, o.first]` and `tail[p, s.last, o.last]`
/// are both above the threshold.
package struct RelationDecoder: Sendable {
  /// Bounds, for models that find everything everywhere.
  package struct Options: Sendable, Hashable {
    /// Subjects to join at most, and objects, the strongest.
    package var maximumSpans = 512
    /// Relations to give at most, the strongest.
    package var maximumRelations = 4096

    package init() {}
  }

  /// A document's relations.
  package struct Result: Sendable, Hashable {
    /// By subject, predicate, object; none twice.
    package let relations: [DecodedRelation]
    /// Whether a bound was hit, and relations may be missing.
    package let isTruncated: Bool
  }

  package let options: Options

  package init(_ options: Options = Options()) { self.options = options }

  /// For pairs joined within the windows of a text, where spans were bounded already; a long text has more relations.
  package init(windows: Int) {
    var options = Options()
    options.maximumSpans = .max
    options.maximumRelations *= windows
    self.init(options)
  }

  /// Makes relations of linked pairs, `first` being a subject and `second` an object.
  ///
  /// Spans in code points may repeat, when several tokens stand for the same characters: such spans are one, and of
  /// such relations the highest score stays.
  package func decode(_ hits: some Sequence<LinkHit>, subjects: [LinkSpan], objects: [LinkSpan]) -> Result {
    let (rows, columns) = (candidates(subjects), candidates(objects))
    var scores: [Triple: Float] = [:]
    for hit in hits {
      guard let subject = rows.representative(of: hit.first), let object = columns.representative(of: hit.second)
      else { continue }
      let triple = Triple(subject: subject, predicate: hit.predicate, object: object)
      scores[triple] = max(hit.score, scores[triple] ?? hit.score)
    }
    var found = scores.map {
      DecodedRelation(subject: $0.subject, predicate: $0.predicate, object: $0.object, score: $1)
    }
    let precedes = { (a: DecodedRelation, b: DecodedRelation) in
      let (s, t) = (subjects[a.subject].range, subjects[b.subject].range)
      if s != t { return LinkSpan.precedes(s, t) }
      if a.predicate != b.predicate { return a.predicate < b.predicate }
      return LinkSpan.precedes(objects[a.object].range, objects[b.object].range)
    }
    let limit = max(0, options.maximumRelations)
    let tooMany = found.count > limit
    if tooMany {
      found.sort { $0.score != $1.score ? $0.score > $1.score : precedes($0, $1) }
      found.removeLast(found.count - limit)
    }
    return Result(
      relations: found.sorted(by: precedes), isTruncated: tooMany || rows.isTruncated || columns.isTruncated)
  }

  private struct Triple: Hashable {
    let subject: Int
    let predicate: Int
    let object: Int
  }

  private func candidates(_ spans: [LinkSpan]) -> LinkCandidates {
    LinkCandidates(
      spans.indices, place: { spans[$0].range }, precedes: LinkSpan.precedes, score: { spans[$0].score },
      limit: options.maximumSpans)
  }
}
