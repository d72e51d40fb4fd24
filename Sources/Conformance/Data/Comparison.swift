/// How far a result may be from the exact value: `absolute + relative · |exact|`.
struct Tolerance: Sendable {
  var absolute: Double
  var relative = 0.0

  /// Results are known to the bit (zeros of either sign are equal).
  static let exact = Tolerance(absolute: 0)

  /// For sums of `channels` products of values in -1 ... 1, and `factor` times them.
  static func product(channels: Int, factor: Double = 1) -> Tolerance {
    Tolerance(absolute: max(1e-6, 2e-7 * Double(channels)) * factor, relative: 2e-7)
  }

  func allows(_ value: Double) -> Double { absolute + relative * abs(value) }
}

/// Checks a result, guard included: nil stands for an element that nothing may write.
func compare(
  _ got: [Float], with expected: [Double?], shape: [Int], within tolerance: Tolerance,
  _ label: String = "element"
) throws {
  guard got.count >= expected.count else {
    throw Mismatch("\(expected.count) elements are expected, \(got.count) came")
  }
  for at in got.indices {
    guard at < expected.count, let exact = expected[at] else {
      guard Poison.isIntact(got[at]) else {
        throw Mismatch("\(label) \(place(at, shape)) was written (\(got[at])): it is not part of the result")
      }
      continue
    }
    let error = abs(Double(got[at]) - exact)
    // Not `error > ...`: a NaN must fail.
    guard error <= tolerance.allows(exact) else {
      throw Mismatch(
        "\(label) \(place(at, shape)): expected \(exact), got \(got[at]), error \(error), tolerance \(tolerance.allows(exact))"
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
private func place(_ index: Int, _ shape: [Int]) -> String {
  var rest = index
  var indices: [Int] = []
  for (dimension, size) in shape.enumerated().reversed() {
    // The guard lies past the end of the slowest dimension.
    indices.append(dimension == 0 ? rest : rest % size)
    rest /= size
  }
  return "\(Array(indices.reversed()))"
}
