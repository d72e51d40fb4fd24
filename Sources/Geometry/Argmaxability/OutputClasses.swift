public import Engine

/// The last layer of a classifier: class `i` scores `<w_i, h> + b_i` for a hidden vector `h`.
///
/// The float32 numbers are taken as real numbers: proofs about them are exact.
public struct OutputClasses: Sendable, Hashable {
  /// `[classes, dimension]`: the vector `w_i` of each class.
  public let vectors: Vectors
  /// `[classes]`: the bias `b_i` of each class; nil if the layer has none.
  public let bias: [Float]?

  /// How many classes.
  public var count: Int { vectors.count }
  /// Elements of a class's vector, and of a hidden vector.
  public var dimension: Int { vectors.dimension }

  /// Classes from their vectors and biases.
  /// - Throws: ``GeometryError`` if a number is infinite or NaN, naming the class, or if there is not one bias a
  ///   class.
  public init(_ vectors: Vectors, bias: [Float]? = nil) throws(GeometryError) {
    if let bias, bias.count != vectors.count {
      throw GeometryError("the bias has \(bias.count) elements, but there are \(vectors.count) classes")
    }
    if let place = vectors.elements.firstIndex(where: { !$0.isFinite }) {
      let (row, column) = place.quotientAndRemainder(dividingBy: vectors.dimension)
      throw GeometryError(
        "the vector of class \(row) holds \(vectors.elements[place]) at \(column), where a finite number is expected")
    }
    if let bias, let row = bias.firstIndex(where: { !$0.isFinite }) {
      throw GeometryError("the bias of class \(row) is \(bias[row]), where a finite number is expected")
    }
    self.vectors = vectors
    self.bias = bias
  }

  /// A fingerprint of the numbers and their shape: FNV-1a (Fowler, Noll and Vo) over their bits.
  package var fingerprint: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ word: UInt64) { hash = (hash ^ word) &* 0x0000_0100_0000_01B3 }
    add(UInt64(count))
    add(UInt64(dimension))
    for number in elements { add(UInt64(number.bitPattern)) }
    for number in bias ?? [] { add(UInt64(number.bitPattern)) }
    return hash
  }

  /// The vectors one after the other.
  var elements: [Float] { vectors.elements }

  /// The biases; nil if there are none, or if all are equal and so decide nothing.
  package var decidingBias: [Float]? {
    guard let bias, let first = bias.first, bias.contains(where: { $0 != first }) else { return nil }
    return bias
  }

  /// A class's vector.
  func row(_ index: Int) -> ArraySlice<Float> {
    vectors.elements[index * dimension..<(index + 1) * dimension]
  }

  /// An element of a class's vector.
  func element(_ index: Int, _ column: Int) -> Float { vectors.elements[index * dimension + column] }

  /// Whether two classes have the same vector; 0 and -0 are the same number.
  func haveSameVector(_ first: Int, _ second: Int) -> Bool { row(first).elementsEqual(row(second)) }

  /// Whether two classes score the same whatever the hidden vector is.
  func areDuplicates(_ first: Int, _ second: Int) -> Bool {
    haveSameVector(first, second) && (bias.map { $0[first] == $0[second] } ?? true)
  }
}

/// Classes with the same vector. One with less bias than another can never win, and those that share a bias are tied,
/// whether they are at the top together or below others.
struct DuplicateClasses {
  /// For a class that always scores less than another: the other.
  private(set) var above: [Int: Int] = [:]
  /// For a class that always scores the same as others: the first of them, and for the first the second.
  private(set) var ties: [Int: Int] = [:]

  /// Finds equal vectors.
  /// - Throws: `CancellationError`.
  init(_ classes: OutputClasses) async throws {
    let survey = try await VectorSurvey(of: classes.vectors, metric: .euclidean, name: "class")
    let groups = try DuplicateGroups(of: classes.vectors, hashes: survey.hashes)
    for group in 0..<groups.count {
      let members = groups.members(of: group)
      if members.count > 1 { add(members.map(Int.init), classes.bias) }
    }
  }

  private mutating func add(_ group: [Int], _ bias: [Float]?) {
    func value(_ index: Int) -> Float { bias?[index] ?? 0 }
    let best = group.max { value($0) < value($1) } ?? group[0]
    for index in group where value(index) < value(best) { above[index] = best }
    for copies in Dictionary(grouping: group, by: value).values where copies.count > 1 {
      for index in copies { ties[index] = index == copies[0] ? copies[1] : copies[0] }
    }
  }

  /// Whether this class stands for all that it is tied with.
  func isFirstOfTie(_ index: Int) -> Bool { ties[index].map { $0 > index } ?? false }
}
