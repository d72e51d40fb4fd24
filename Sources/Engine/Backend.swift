/// Executes operations on one device, without knowing which there are. One conformance kit tests all backends.
package protocol Backend: Sendable {
  /// The device, for people and for reports.
  var device: DeviceDescription { get }
  /// Columns a panel holds: the width of this backend's tiles.
  var panelWidth: Int { get }
  /// The tiles that kernels are launched with; nil for the reference, which launches none.
  var tiles: TileShape? { get }
  /// Device memory held by tensors.
  var memory: MemoryUse { get }

  /// Makes a tensor with undefined elements.
  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor

  /// Runs a submission to its end.
  /// - Returns: the downloads, in the order they were added.
  func run(_ submission: Submission) async throws(EngineError) -> [HostArray]
}

/// What a device is called and can do.
public struct DeviceDescription: Sendable, Hashable {
  /// The kinds of device.
  public enum Kind: String, Sendable, Hashable {
    /// Weft's own reference implementation, in Swift.
    case reference
    /// A processor driven through OpenCL.
    case cpu
    /// A graphics processor driven through OpenCL.
    case gpu
    /// Another accelerator driven through OpenCL.
    case accelerator
  }

  /// The device's name, as its driver gives it.
  public let name: String
  /// The platform's name and version.
  public let platform: String
  /// The driver's version.
  public let driver: String
  /// What kind of device.
  public let kind: Kind
  /// Which tiles its kernels use: `cpu` or `gpu`; `reference` has none.
  public let variant: String
  /// Parallel units.
  public let computeUnits: Int
  /// Device memory in bytes.
  public let memoryBytes: Int
  /// The most bytes that one tensor can take.
  public let largestTensorBytes: Int

  /// Describes a device.
  public init(
    name: String, platform: String, driver: String, kind: Kind, variant: String, computeUnits: Int, memoryBytes: Int,
    largestTensorBytes: Int = .max
  ) {
    self.name = name
    self.platform = platform
    self.driver = driver
    self.kind = kind
    self.variant = variant
    self.computeUnits = computeUnits
    self.memoryBytes = memoryBytes
    self.largestTensorBytes = largestTensorBytes
  }
}

/// Device memory taken by tensors, in bytes.
public struct MemoryUse: Sendable, Hashable {
  /// Held now.
  public var bytes: Int
  /// The most that was held at one time.
  public var peakBytes: Int

  /// A count of bytes now and at most.
  public init(bytes: Int = 0, peakBytes: Int = 0) {
    self.bytes = bytes
    self.peakBytes = peakBytes
  }

  /// Counts bytes taken (or given back, if negative).
  package mutating func add(_ count: Int) {
    bytes += count
    peakBytes = max(peakBytes, bytes)
  }
}
