/// A run of scalars with a combining class other than 0, waiting to be put into canonical order.
///
/// Nearly all of them are nonspacing marks and will be dropped. The few that stay (some vowel
/// signs and tone marks) make the order matter, and with it a peculiarity of the reference
/// library: origins are dealt out by position *after* reordering, so a mark that moves forward
/// takes the place of the one it passed.
struct MarkRun {
  private struct Mark {
    let scalar: Unicode.Scalar
    let traits: ScalarTraits
    /// Whether it is the first part of what its original scalar decomposed to.
    let isFirst: Bool
  }

  private var marks: [Mark] = []
  private var origins: [Int32] = []
  private var previousOrigin: Int32 = 0
  private var keepsAny = false

  var isEmpty: Bool { marks.isEmpty }

  /// Adds the next scalar of the run.
  /// - Parameters:
  ///   - scalar: A scalar with a combining class other than 0.
  ///   - traits: Its traits.
  ///   - isFirst: Whether it is the first part of its original scalar's decomposition.
  ///   - origin: The index of the original scalar.
  mutating func append(
    _ scalar: Unicode.Scalar, _ traits: ScalarTraits, isFirst: Bool, origin: Int32
  ) {
    if marks.isEmpty { previousOrigin = origin }
    marks.append(Mark(scalar: scalar, traits: traits, isFirst: isFirst))
    if isFirst { origins.append(origin) }
    if !traits.contains(.nonspacingMark) { keepsAny = true }
  }

  /// What stays of the run, in canonical order, with the original scalars it stands for.
  func kept() -> [(scalar: Unicode.Scalar, traits: ScalarTraits, origin: Int32)] {
    guard keepsAny else { return [] }
    let order = marks.indices.sorted {  // stable, by the second member
      (combiningClass(marks[$0]), $0) < (combiningClass(marks[$1]), $1)
    }
    var kept: [(Unicode.Scalar, ScalarTraits, Int32)] = []
    var unused = origins[...]
    var origin = previousOrigin
    for mark in order.map({ marks[$0] }) {
      if mark.isFirst { origin = unused.popFirst() ?? origin }
      if !mark.traits.contains(.nonspacingMark) { kept.append((mark.scalar, mark.traits, origin)) }
    }
    return kept
  }

  /// Empties the run but keeps its memory.
  mutating func removeAll() {
    marks.removeAll(keepingCapacity: true)
    origins.removeAll(keepingCapacity: true)
    keepsAny = false
  }

  private func combiningClass(_ mark: Mark) -> UInt8 {
    mark.scalar.properties.canonicalCombiningClass.rawValue
  }
}
