/// Something a device can do to tensors: a value that says what is computed, how the reference computes it, and which
/// kernels compute it.
///
/// Weft's own operations and those of other packages are alike: backends know the protocol and no operation. The
/// conformance kit compares `launches(_:)` with `reference(_:)` on every device.
public protocol DeviceOperation: Sendable {
  /// Checks shapes, element types, ranges and capacity. It is called once, when the operation is added to a submission;
  /// `reference(_:)` and `launches(_:)` rely on it.
  /// - Throws: `EngineError` of kind `invalidOperation` that says what does not fit.
  func validate() throws(EngineError)

  /// Computes the operation as plainly as possible, with sums in Double: the definition that kernels are tested against,
  /// and what `Engine(.reference)` runs.
  /// - Throws: `EngineError` if a tensor is another device's.
  func reference(_ memory: HostMemory) throws(EngineError)

  /// The kernels that compute the operation on an OpenCL device with these tiles, in the order in which they run. Values
  /// only: nothing is compiled or started here.
  func launches(_ tiles: TileShape) -> [KernelLaunch]

  /// The ways in which these tiles can be cut for the operation without a change of any result's bits: `weft tune` tries
  /// them, and ``TileShape/choice`` then tells `launches(_:)` which one it is. Nil, as by default, if there is one way only.
  func tuning(_ tiles: TileShape) -> TuningSpace?
}

extension DeviceOperation {
  /// There is one way only.
  public func tuning(_ tiles: TileShape) -> TuningSpace? { nil }
}

/// Largest row or cell count an operation takes: kernels index rows with 32-bit integers.
package let indexLimit = Int(Int32.max)

/// Checks one condition of an operation.
package func require(
  _ condition: Bool, _ operation: StaticString, _ problem: @autoclosure () -> String
) throws(EngineError) {
  guard !condition else { return }
  throw EngineError(.invalidOperation, "\(operation): \(problem())")
}

/// Checks that an operation does not write what it reads in another order than it writes.
package func require(
  _ out: Tensor, isNot input: Tensor, _ operation: StaticString
) throws(EngineError) {
  try require(out.storage !== input.storage, operation, "the result may not be its own input")
}

/// Checks that a tensor holds `count` elements of a type.
package func require(
  _ tensor: Tensor, holds count: Int, _ operation: StaticString, _ name: StaticString,
  of elementType: ElementType = .float32
) throws(EngineError) {
  try require(
    tensor.elementType == elementType, operation,
    "\(name) must be \(elementType), not \(tensor.elementType)")
  try require(
    tensor.count >= count, operation, "\(name) needs \(count) elements and has \(tensor.count)")
}

/// `a / b`, rounded up.
package func ceilingDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

extension Int {
  /// The product, or the largest integer where it overflows.
  package func multipliedClamping(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
