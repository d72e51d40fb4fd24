/// Executes operations on one device, without knowing which there are. One conformance kit tests all backends.
package protocol Backend: Sendable {
  /// The device, for people and for reports.
  var device: DeviceDescription { get }
  /// Columns a panel holds: the width of this backend's tiles.
  var panelWidth: Int { get }
  /// The tiles that kernels are launched with; nil for the reference, which launches none.
  var tiles: TileShape? { get }
  /// Whether convolutions that gain by it are given transformed weights: on devices with a CPU's tiles by default.
  var transformsConvolutions: Bool { get }
  /// Device memory held by tensors.
  var memory: MemoryUse { get }

  /// Makes a tensor with undefined elements.
  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor

  /// Runs a submission to its end.
  /// - Returns: the downloads, in the order they were added.
  func run(_ submission: Submission) async throws(EngineError) -> [HostArray]
}

extension Backend {
  package var transformsConvolutions: Bool { tiles?.variant == .cpu }
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

/// What went wrong in the engine or on its device.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure a caller may want to tell apart.
  public enum Kind: Sendable, Hashable {
    /// An operation's shapes, ranges or element types contradict each other: a fault of the caller.
    case invalidOperation
    /// The device, or the engine's memory budget, has no room; a smaller batch may pass.
    case exhausted
    /// No device answers to the name or index asked for.
    case unknownDevice
    /// The device or its driver reported a failure.
    case deviceFailure
  }

  /// Which kind of failure.
  public let kind: Kind
  /// One line for a person: what failed, and what to do where that is known.
  public let message: String

  /// Creates an error of `kind` with a line for a person.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
