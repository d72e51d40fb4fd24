/// How exactly an engine multiplies: in dense layers, convolutions, attention and the scores of token pairs. All else is
/// computed in float32, and sums always are.
///
/// A result has the same bits whatever stands beside it in its batch, at every precision.
public enum Precision: String, Sendable, Hashable, CaseIterable {
  /// As the numbers are: errors of about 1e-7 of the sum of absolute products.
  case float32
  /// Each number as the sum of two of bfloat16, three products of those for one: errors of 5e-5 of a product at most, and of
  /// about 1e-6 in sums of hundreds. Devices without matrix units compute it in float32, which is as fast there and more
  /// exact.
  case bfloat16x3
  /// Numbers rounded to bfloat16, which keeps 8 bits: errors of about 4e-3.
  case bfloat16
}

/// What computes products at less than float32.
package enum ProductUnits: String, Sendable, Hashable {
  /// float32 arithmetic, on numbers that were rounded before.
  case float32
  /// Matrix units of NVIDIA's, by `mma.sync` in PTX.
  case nvidia
  /// The same fragments in plain OpenCL: for tests, on any device with a GPU's tiles.
  case emulated
  /// AVX512-BF16's sums of two products, on a CPU device.
  case avx512
}

extension ProductUnits: CustomStringConvertible {
  /// For a person.
  package var description: String {
    switch self {
    case .float32: "float32 units, on rounded numbers"
    case .nvidia: "matrix units (mma.sync)"
    case .emulated: "emulated matrix units"
    case .avx512: "AVX512-BF16"
    }
  }
}
