public import Engine

/// The last layer of a classifier: class `i` scores `<w_i, h> + b_i` for a hidden vector `h`.
///
/// The float32 numbers are taken for the real numbers that they stand for: what is proven about them is exact.
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

  /// A number that tells other numbers apart, but for rare chance: FNV-1a (Fowler, Noll and Vo) over their bits and
  /// shape.
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

  /// The biases, unless they are all the same and so decide nothing.
  package var decidingBias: [Float]? {
    guard let bias, let first = bias.first, bias.contains(where: { $0 != first }) else { return nil }
    return bias
  }

  /// A class's vector.
  func row(_ index: Int) -> ArraySlice<Float> {
    vectors.elements[index * dimension..<(index + 1) * dimension]
  }

  /// Whether two classes have the same vector; 0 and -0 are the same number.
  func haveSameVector(_ first: Int, _ second: Int) -> Bool { row(first).elementsEqual(row(second)) }

  /// Whether two classes score the same whatever the hidden vector is.
  func areDuplicates(_ first: Int, _ second: Int) -> Bool {
    haveSameVector(first, second) && (bias.map { $0[first] == $0[second] } ?? true)
  }
}
