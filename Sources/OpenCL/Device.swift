/// One OpenCL device and what it says of itself, read once. Equal if it is the same device of the
/// same driver.
package struct Device: Sendable, Hashable {
  /// What sort of hardware a device is.
  package enum Kind: String, Sendable, Hashable {
    case cpu, gpu, accelerator, other
  }

  let identity: DriverPointer
  let platformIdentity: DriverPointer

  /// The device's name; two equal devices in one machine share it.
  package let name: String
  /// Who made the hardware.
  package let vendor: String
  /// The name of the platform that offers the device.
  package let platformName: String
  /// The version text of that platform.
  package let platformVersion: String

  /// The OpenCL version that the device implements.
  package let version: Version
  /// The driver's own version text.
  package let driverVersion: String
  /// The highest OpenCL C version that the compiler accepts without a newer `-cl-std`.
  package let openCLCVersion: Version

  /// What sort of hardware it is.
  package let kind: Kind
  /// Work-groups that run side by side: cores of a CPU, multiprocessors of a GPU.
  package let computeUnits: Int
  /// The highest clock rate, in MHz; 0 where the driver does not know.
  package let clockMegahertz: Int
  /// Device memory, in bytes.
  package let globalMemory: Int
  /// Memory shared by a work-group, in bytes.
  package let localMemory: Int
  /// Local memory is memory of its own (`CL_LOCAL`), not a part of global memory: staging tiles in
  /// it pays.
  package let localMemoryIsDedicated: Bool
  /// The largest single buffer, in bytes.
  package let maxAllocation: Int
  /// The most work-items in one group; a kernel may allow fewer.
  package let maxWorkGroupSize: Int
  /// The most work-items of one group along each dimension.
  package let maxWorkItemSizes: [Int]
  /// The `float` vector width the driver likes to see in kernels, in elements.
  package let preferredFloatVectorWidth: Int
  /// The `float` vector width of the hardware, in elements.
  package let nativeFloatVectorWidth: Int
  /// How buffers and sub-buffer offsets are aligned, in bits.
  package let memoryBaseAlignmentBits: Int
  /// The device shares the host's memory.
  package let hasUnifiedMemory: Bool
  /// The device can be used now.
  package let isAvailable: Bool
  /// The driver can compile OpenCL C.
  package let hasCompiler: Bool
  /// Such as `cl_khr_fp16`.
  package let extensions: Set<String>

  /// The device can run this package's kernels: OpenCL 1.2 or newer, a compiler, switched on.
  package var isUsable: Bool { isAvailable && hasCompiler && version >= Version(1, 2) }

  package static func == (left: Device, right: Device) -> Bool { left.identity == right.identity }

  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}
