public import Engine

/// The last layer of a classifier: class `i` scores `<w_i, h> + b_i` for a hidden vector `h`.
///
/// The float32 or float64 numbers are taken as real numbers: proofs about them are exact.
public struct OutputClasses: Sendable, Hashable {
  /// How many classes.
  public let count: Int
  /// Elements of a class's vector, and of a hidden vector.
  public let dimension: Int
  /// `[classes]`: the bias `b_i` of each class; nil if the layer has none.
  public let bias: [Double]?

  /// `[classes, dimension]`: the vector `w_i` of each class.
  private let elements: Elements
  /// The largest magnitude of a vector's element.
  let largestElement: Double

  /// Float32 numbers take half the memory, and all of a layer are whole multiples of 2⁻¹⁴⁹.
  private enum Elements: Sendable, Hashable {
    case single([Float])
    case double([Double])
  }

  /// Classes from their vectors and biases.
  /// - Throws: ``GeometryError`` if a number is infinite or NaN, naming the class, or if there is not one bias a
  ///   class.
  public init(_ vectors: Vectors, bias: [Float]? = nil) throws(GeometryError) {
    try self.init(.single(vectors.elements), vectors.elements, dimension: vectors.dimension, bias: bias)
  }

  /// Classes of float64 numbers. No number is rounded: where float32 does not hold them all, what the device computes in
  /// float32 says where to look, and proofs are about the numbers as they are.
  /// - Parameters:
  ///   - elements: `[classes, dimension]`, row after row.
  ///   - dimension: elements of a class's vector.
  ///   - bias: one a class, if the layer has biases.
  /// - Throws: ``GeometryError`` if a number is infinite or NaN, naming the class, if there is not one bias a class, or if
  ///   the elements are not a positive number of whole vectors.
  public init(_ elements: [Double], dimension: Int, bias: [Double]? = nil) throws(GeometryError) {
    guard dimension > 0, !elements.isEmpty, elements.count.isMultiple(of: dimension) else {
      throw GeometryError("\(elements.count) elements are not vectors of dimension \(dimension)")
    }
    func isSingle(_ numbers: [Double]) -> Bool { numbers.allSatisfy { Double(Float($0)) == $0 } }
    let stored: Elements =
      isSingle(elements) && isSingle(bias ?? []) ? .single(elements.map { Float($0) }) : .double(elements)
    try self.init(stored, elements, dimension: dimension, bias: bias)
  }

  private init<Number: BinaryFloatingPoint>(
    _ stored: Elements, _ elements: [Number], dimension: Int, bias: [Number]?
  ) throws(GeometryError) {
    count = elements.count / dimension
    self.dimension = dimension
    if let bias, bias.count != count {
      throw GeometryError("the bias has \(bias.count) elements, but there are \(count) classes")
    }
    if let place = elements.firstIndex(where: { !$0.isFinite }) {
      let (row, column) = place.quotientAndRemainder(dividingBy: dimension)
      throw GeometryError(
        "the vector of class \(row) holds \(elements[place]) at \(column), where a finite number is expected")
    }
    if let bias, let row = bias.firstIndex(where: { !$0.isFinite }) {
      throw GeometryError("the bias of class \(row) is \(bias[row]), where a finite number is expected")
    }
    self.elements = stored
    self.bias = bias?.map { Double($0) }
    largestElement = Double(elements.reduce(0) { max($0, abs($1)) })
  }

  /// A fingerprint of the numbers and their shape: FNV-1a (Fowler, Noll and Vo) over their bits.
  package var fingerprint: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ word: UInt64) { hash = (hash ^ word) &* 0x0000_0100_0000_01B3 }
    add(UInt64(count))
    add(UInt64(dimension))
    switch elements {
    case .single(let numbers):
      for number in numbers { add(UInt64(number.bitPattern)) }
      for number in bias ?? [] { add(UInt64(Float(number).bitPattern)) }
    case .double(let numbers):
      for number in numbers { add(number.bitPattern) }
      for number in bias ?? [] { add(number.bitPattern) }
    }
    return hash
  }

  /// Every number, bias or not, times 2 to this power is an integer.
  var fractionBits: Int {
    switch elements {
    case .single: 149
    case .double: 1074
    }
  }

  /// The vectors as float32 numbers, if all numbers are such.
  var singleVectors: Vectors? {
    guard case .single(let numbers) = elements else { return nil }
    return try? Vectors(numbers, dimension: dimension)
  }

  /// The biases; nil if there are none, or if all are equal and so decide nothing.
  package var decidingBias: [Double]? {
    guard let bias, let first = bias.first, bias.contains(where: { $0 != first }) else { return nil }
    return bias
  }

  /// A class's vector.
  func row(_ index: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: dimension) { buffer, initialized in
      if let base = buffer.baseAddress { copy(rows: index..<index + 1, to: base) }
      initialized = dimension
    }
  }

  /// Copies the vectors of some classes, one after the other.
  func copy(rows: Range<Int>, to target: UnsafeMutablePointer<Double>) {
    let places = rows.lowerBound * dimension..<rows.upperBound * dimension
    switch elements {
    case .single(let numbers):
      numbers.withUnsafeBufferPointer { numbers in
        for (offset, number) in numbers[places].enumerated() { target[offset] = Double(number) }
      }
    case .double(let numbers):
      numbers.withUnsafeBufferPointer { numbers in
        for (offset, number) in numbers[places].enumerated() { target[offset] = number }
      }
    }
  }

  /// An element of a class's vector.
  @inline(__always)
  func element(_ index: Int, _ column: Int) -> Double {
    switch elements {
    case .single(let numbers): Double(numbers[index * dimension + column])
    case .double(let numbers): numbers[index * dimension + column]
    }
  }

  /// Whether two classes have the same vector; 0 and -0 are the same number.
  func haveSameVector(_ first: Int, _ second: Int) -> Bool {
    (0..<dimension).allSatisfy { element(first, $0) == element(second, $0) }
  }

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
    guard let vectors = classes.singleVectors else {
      let groups = Dictionary(grouping: 0..<classes.count) { Self.hash(classes.row($0)) }
      try Task.checkCancellation()
      for members in groups.values where members.count > 1 {
        // Those with the same hash may differ.
        for group in Dictionary(grouping: members, by: classes.row).values where group.count > 1 {
          add(group, classes.bias)
        }
      }
      return
    }
    let survey = try await VectorSurvey(of: vectors, metric: .euclidean, name: "class")
    let groups = try DuplicateGroups(of: vectors, hashes: survey.hashes)
    for group in 0..<groups.count {
      let members = groups.members(of: group)
      if members.count > 1 { add(members.map(Int.init), classes.bias) }
    }
  }

  /// The same for equal vectors.
  private static func hash(_ row: [Double]) -> Int {
    var hasher = Hasher()
    for number in row { hasher.combine(number) }
    return hasher.finalize()
  }

  private mutating func add(_ group: [Int], _ bias: [Double]?) {
    func value(_ index: Int) -> Double { bias?[index] ?? 0 }
    let best = group.max { value($0) < value($1) } ?? group[0]
    for index in group where value(index) < value(best) { above[index] = best }
    for copies in Dictionary(grouping: group, by: value).values where copies.count > 1 {
      for index in copies { ties[index] = index == copies[0] ? copies[1] : copies[0] }
    }
  }

  /// Whether this class stands for all that it is tied with.
  func isFirstOfTie(_ index: Int) -> Bool { ties[index].map { $0 > index } ?? false }
}
