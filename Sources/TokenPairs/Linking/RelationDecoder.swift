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
  /// Spans in code points may repeat, when several tokens stand for the same characters: spans at one place are one, and
  /// of such relations the highest score stays.
  /// - Returns: a document's relations by subject, predicate, object, none twice; and whether a bound was hit, and
  ///   relations may be missing.
  package func decode(
    _ links: some Sequence<SpanLink>, subjects: [LabelledSpan], objects: [LabelledSpan]
  ) -> (relations: [SpanLink], isTruncated: Bool) {
    let (rows, columns) = (candidates(subjects), candidates(objects))
    var strongest: [Triple: Float] = [:]
    for link in links {
      guard let subject = rows.representative(of: link.first), let object = columns.representative(of: link.second)
      else { continue }
      let triple = Triple(subject: subject, predicate: link.predicate, object: object)
      strongest[triple] = max(link.score, strongest[triple] ?? link.score)
    }
    var found = strongest.map {
      SpanLink(first: $0.subject, second: $0.object, predicate: $0.predicate, score: $1)
    }
    let precedes = { (a: SpanLink, b: SpanLink) in
      let (s, t) = (subjects[a.first], subjects[b.first])
      if s.range != t.range { return Self.precedes(s, t) }
      if a.predicate != b.predicate { return a.predicate < b.predicate }
      return Self.precedes(objects[a.second], objects[b.second])
    }
    let limit = max(0, options.maximumRelations)
    let tooMany = found.count > limit
    if tooMany {
      found.sort { $0.score != $1.score ? $0.score > $1.score : precedes($0, $1) }
      found.removeLast(found.count - limit)
    }
    return (found.sorted(by: precedes), tooMany || rows.isTruncated || columns.isTruncated)
  }

  private struct Triple: Hashable {
    let subject: Int
    let predicate: Int
    let object: Int
  }

  private func candidates(_ spans: [LabelledSpan]) -> LinkCandidates {
    LinkCandidates(spans.indices, of: spans, limit: options.maximumSpans, by: Self.precedes)
  }

  /// A list is of subjects or of objects, so the place alone makes a span itself.
  private static func precedes(_ a: LabelledSpan, _ b: LabelledSpan) -> Bool {
    (a.range.lowerBound, a.range.upperBound) < (b.range.lowerBound, b.range.upperBound)
  }
}
