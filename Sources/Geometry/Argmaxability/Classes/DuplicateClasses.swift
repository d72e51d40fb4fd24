/// Classes with the same vector. Of those, one with less bias than another can never win, and those that share the
/// largest bias can only win together.
struct DuplicateClasses {
  /// For a class that always scores less than another: the other.
  private(set) var above: [Int: Int] = [:]
  /// For a class that always scores the same as others: the first of them, and for the first the second.
  private(set) var ties: [Int: Int] = [:]

  init(_ classes: OutputClasses) {
    var groups: [Int: [Int]] = [:]
    for index in 0..<classes.count {
      var hasher = Hasher()
      // Floats that are equal hash alike, 0 and -0 too.
      for number in classes.row(index) { hasher.combine(number) }
      groups[hasher.finalize(), default: []].append(index)
    }
    for group in groups.values where group.count > 1 {
      var rest = group
      while let first = rest.first {
        let same = rest.filter { classes.haveSameVector($0, first) }
        rest.removeAll { classes.haveSameVector($0, first) }
        if same.count > 1 { add(same, classes.bias) }
      }
    }
  }

  private mutating func add(_ group: [Int], _ bias: [Float]?) {
    func value(_ index: Int) -> Float { bias?[index] ?? 0 }
    let largest = group.map(value).max() ?? 0
    let best = group.filter { value($0) == largest }
    for index in group where value(index) < largest { above[index] = best[0] }
    guard best.count > 1 else { return }
    for index in best { ties[index] = index == best[0] ? best[1] : best[0] }
  }

  /// Whether this class speaks for all that it is tied with.
  func isFirstOfTie(_ index: Int) -> Bool { ties[index].map { $0 > index } ?? false }
}
