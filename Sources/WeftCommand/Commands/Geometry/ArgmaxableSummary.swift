import Geometry

/// What a run found: counts, and what is to be said of the classes that do not win.
struct ArgmaxableSummary {
  private(set) var counts: [Verdict: Int] = [:]
  /// Proofs of all classes but those that can win.
  private(set) var others: [ClassProof] = []
  private var seen: Set<Int> = []

  /// - Returns: whether the class is new, or was undecided so far.
  mutating func add(_ proof: ClassProof) -> Bool {
    if !seen.insert(proof.index).inserted {
      guard let place = others.firstIndex(where: { $0.index == proof.index && $0.verdict == .undecided }) else {
        return false
      }
      others.remove(at: place)
      counts[.undecided, default: 0] -= 1
    }
    counts[proof.verdict, default: 0] += 1
    if proof.verdict != .argmaxable { others.append(proof) }
    return true
  }

  func has(_ index: Int) -> Bool { seen.contains(index) }
  func count(_ verdict: Verdict) -> Int { counts[verdict] ?? 0 }
  var total: Int { seen.count }

  /// The classes of a verdict, in order.
  func proofs(_ verdict: Verdict) -> [ClassProof] {
    others.filter { $0.verdict == verdict }.sorted { $0.index < $1.index }
  }

  /// For a progress bar.
  var remark: String {
    Verdict.allCases.map { "\(Quantity.grouped(count($0))) \($0.rawValue)" }.joined(separator: ", ")
  }
}
