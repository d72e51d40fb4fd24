internal import Engine

/// How far a float may be from the exact value: `absolute + relative · |exact|`.
public struct Tolerance: Sendable, Hashable {
  /// Allowed everywhere.
  public var absolute: Double
  /// Allowed besides, for each unit of the exact value's magnitude.
  public var relative: Double

  /// A tolerance of these two parts.
  public init(absolute: Double, relative: Double = 0) {
    self.absolute = absolute
    self.relative = relative
  }

  /// Results are known to the bit (zeros of either sign are equal).
  public static let exact = Tolerance(absolute: 0)

  /// For sums of `channels` products of values in -1 ... 1, and `factor` times them.
  public static func product(channels: Int, factor: Double = 1) -> Tolerance {
    Tolerance(absolute: max(1e-6, 2e-7 * Double(channels)) * factor, relative: 2e-7)
  }

  func allows(_ value: Double) -> Double { absolute + relative * abs(value) }
}

/// What fills memory that nothing may write, or whose content nothing may use: a signalling NaN with bits of its own. It
/// spreads through any arithmetic, which changes its bits, and a write is noticed bit by bit.
enum Poison {
  static let float = Float(bitPattern: 0x7FA0_DEAD)
  static let integer = Int32(bitPattern: 0xDEAD_BEEF)

  static func floats(_ count: Int) -> [Float] { [Float](repeating: float, count: count) }
  static func integers(_ count: Int) -> [Int32] { [Int32](repeating: integer, count: count) }

  static func isIntact(_ value: Float) -> Bool { value.bitPattern == float.bitPattern }
}

/// Checks a result against the reference's, guards included: what is still poison there must be poison here.
func compare(
  _ got: HostArray, with expected: HostArray, shape: [Int], within tolerance: Tolerance, _ label: String = "element"
) throws {
  guard got.count == expected.count, got.elementType == expected.elementType else {
    throw Mismatch("\(expected.count) elements are expected, \(got.count) came")
  }
  if case .int32(let words) = expected {
    let gotWords = got.integers
    for at in words.indices where gotWords[at] != words[at] {
      throw Mismatch("\(label) \(indices(at, shape)): expected \(words[at]), got \(gotWords[at])")
    }
    return
  }
  let (gotFloats, expectedFloats) = (got.floats, expected.floats)
  for at in expectedFloats.indices {
    let (value, exact) = (gotFloats[at], Double(expectedFloats[at]))
    if Poison.isIntact(expectedFloats[at]) {
      guard Poison.isIntact(value) else {
        throw Mismatch("\(label) \(indices(at, shape)) was written (\(value)): it is not part of the result")
      }
      continue
    }
    guard !exact.isNaN else { throw Mismatch("\(label) \(indices(at, shape)): the reference is not a number") }
    let error = Double(value) == exact ? 0 : abs(Double(value) - exact)
    // Not `error > ...`: a NaN must fail.
    guard error <= tolerance.allows(exact) else {
      throw Mismatch(
        "\(label) \(indices(at, shape)): expected \(exact), got \(value), error \(error), tolerance \(tolerance.allows(exact))"
      )
    }
  }
}

/// Checks that two runs agree to the last bit.
func compareBits(_ got: [Float], _ expected: [Float], _ label: String) throws {
  guard got.count == expected.count else {
    throw Mismatch("\(label): \(expected.count) elements are expected, \(got.count) came")
  }
  for at in got.indices where got[at].bitPattern != expected[at].bitPattern {
    throw Mismatch("\(label): element \(at) is \(got[at]), and was \(expected[at]): other bits")
  }
}

/// An index of a flat array, by dimension: `[2, 0, 17]`.
private func indices(_ index: Int, _ shape: [Int]) -> String {
  var rest = index
  var indices: [Int] = []
  for (dimension, size) in shape.enumerated().reversed() {
    // The guard lies past the end of the slowest dimension.
    indices.append(dimension == 0 ? rest : rest % size)
    rest /= size
  }
  return "\(Array(indices.reversed()))"
}
