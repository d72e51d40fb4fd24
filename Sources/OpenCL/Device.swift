internal import COpenCL

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

/// One installed OpenCL driver.
package struct Platform: Sendable, Hashable {
  let identity: DriverPointer

  /// Such as `Portable Computing Language`.
  package let name: String
  /// Who wrote the driver.
  package let vendor: String
  /// The platform's version text, such as `OpenCL 3.0 PoCL 3.1+debian`.
  package let version: String

  /// The installed drivers; empty where there is none.
  package static func all() throws(OpenCLError) -> [Platform] {
    do throws(OpenCLError) {
      var count: UInt32 = 0
      try check("clGetPlatformIDs") { startingDriver { clGetPlatformIDs(0, nil, &count) } }
      guard count > 0 else { return [] }
      var pointers = [OpaquePointer?](repeating: nil, count: Int(count))
      try check("clGetPlatformIDs") { startingDriver { clGetPlatformIDs(count, &pointers, nil) } }
      var platforms: [Platform] = []
      for case let pointer? in pointers { platforms.append(try Platform(pointer)) }
      return platforms
    } catch {
      // How a loader says "no driver installed".
      guard error.status == .platformNotFound else { throw error }
      return []
    }
  }

  /// The platform's devices of every kind; empty where the driver finds no hardware.
  package func devices() throws(OpenCLError) -> [Device] {
    let platform = identity.pointer
    do throws(OpenCLError) {
      var count: UInt32 = 0
      try check("clGetDeviceIDs", name) {
        startingDriver { clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), 0, nil, &count) }
      }
      guard count > 0 else { return [] }
      var pointers = [OpaquePointer?](repeating: nil, count: Int(count))
      try check("clGetDeviceIDs", name) {
        startingDriver { clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), count, &pointers, nil) }
      }
      var devices: [Device] = []
      for case let pointer? in pointers { devices.append(try Device(pointer, of: self)) }
      return devices
    } catch {
      // How rusticl and others say "no hardware".
      guard error.status == .deviceNotFound else { throw error }
      return []
    }
  }

  private init(_ pointer: OpaquePointer) throws(OpenCLError) {
    func text(_ parameter: Int32) throws(OpenCLError) -> String {
      try readString("clGetPlatformInfo") {
        clGetPlatformInfo(pointer, cl_platform_info(parameter), $0, $1, $2)
      }
    }
    identity = DriverPointer(pointer: pointer)
    name = try text(CL_PLATFORM_NAME)
    vendor = try text(CL_PLATFORM_VENDOR)
    version = try text(CL_PLATFORM_VERSION)
  }

  package static func == (left: Platform, right: Platform) -> Bool {
    left.identity == right.identity
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

/// A platform's or root device's address.
// Sendable: the driver owns these objects and keeps them, unchanged, as long as the process lives.
struct DriverPointer: @unchecked Sendable, Hashable {
  let pointer: OpaquePointer
}

extension Device {
  /// Asks the driver for everything `Device` holds.
  init(_ pointer: OpaquePointer, of platform: Platform) throws(OpenCLError) {
    let device = DeviceReader(pointer: pointer)
    identity = DriverPointer(pointer: pointer)
    platformIdentity = platform.identity
    platformName = platform.name
    platformVersion = platform.version

    name = try device.text(CL_DEVICE_NAME)
    vendor = try device.text(CL_DEVICE_VENDOR)
    version = Version(parsing: try device.text(CL_DEVICE_VERSION))
    driverVersion = try device.text(CL_DRIVER_VERSION)
    openCLCVersion = Version(parsing: try device.text(CL_DEVICE_OPENCL_C_VERSION))

    kind = Kind(try device.number(CL_DEVICE_TYPE, as: cl_device_type.self))
    computeUnits = try device.number(CL_DEVICE_MAX_COMPUTE_UNITS, as: cl_uint.self)
    clockMegahertz = try device.number(CL_DEVICE_MAX_CLOCK_FREQUENCY, as: cl_uint.self)
    globalMemory = try device.number(CL_DEVICE_GLOBAL_MEM_SIZE, as: cl_ulong.self)
    localMemory = try device.number(CL_DEVICE_LOCAL_MEM_SIZE, as: cl_ulong.self)
    localMemoryIsDedicated =
      try device.number(CL_DEVICE_LOCAL_MEM_TYPE, as: cl_uint.self) == Int(CL_LOCAL)
    maxAllocation = try device.number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, as: cl_ulong.self)
    maxWorkGroupSize = try device.number(CL_DEVICE_MAX_WORK_GROUP_SIZE, as: Int.self)
    maxWorkItemSizes = try device.numbers(CL_DEVICE_MAX_WORK_ITEM_SIZES)
    preferredFloatVectorWidth =
      try device.number(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, as: cl_uint.self)
    nativeFloatVectorWidth =
      try device.number(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, as: cl_uint.self)
    memoryBaseAlignmentBits = try device.number(CL_DEVICE_MEM_BASE_ADDR_ALIGN, as: cl_uint.self)
    hasUnifiedMemory = try device.flag(CL_DEVICE_HOST_UNIFIED_MEMORY)
    isAvailable = try device.flag(CL_DEVICE_AVAILABLE)
    hasCompiler = try device.flag(CL_DEVICE_COMPILER_AVAILABLE)
    extensions = Set(
      try device.text(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init))
  }
}

extension Device.Kind {
  /// Reads the bit set of `CL_DEVICE_TYPE`, where `CL_DEVICE_TYPE_DEFAULT` may accompany a kind.
  fileprivate init(_ bits: Int) {
    if bits & Int(CL_DEVICE_TYPE_GPU) != 0 {
      self = .gpu
    } else if bits & Int(CL_DEVICE_TYPE_CPU) != 0 {
      self = .cpu
    } else if bits & Int(CL_DEVICE_TYPE_ACCELERATOR) != 0 {
      self = .accelerator
    } else {
      self = .other
    }
  }
}

/// `clGetDeviceInfo` by type of answer.
private struct DeviceReader {
  let pointer: OpaquePointer

  func text(_ parameter: Int32) throws(OpenCLError) -> String {
    try readString("clGetDeviceInfo") {
      clGetDeviceInfo(pointer, cl_device_info(parameter), $0, $1, $2)
    }
  }

  /// The answer as an `Int`; a value too large for one, which some drivers give to say "no limit",
  /// becomes the largest.
  func number<Value: FixedWidthInteger & BitwiseCopyable>(
    _ parameter: Int32, as type: Value.Type
  ) throws(OpenCLError) -> Int {
    let value = try readValue("clGetDeviceInfo", as: type) {
      clGetDeviceInfo(pointer, cl_device_info(parameter), $0, $1, $2)
    }
    return Int(clamping: value)
  }

  func numbers(_ parameter: Int32) throws(OpenCLError) -> [Int] {
    let values = try readArray("clGetDeviceInfo", of: UInt.self) {
      clGetDeviceInfo(pointer, cl_device_info(parameter), $0, $1, $2)
    }
    return values.map { Int(clamping: $0) }
  }

  func flag(_ parameter: Int32) throws(OpenCLError) -> Bool {
    try number(parameter, as: cl_bool.self) != 0
  }
}

/// A version of OpenCL or OpenCL C, such as 1.2.
package struct Version: Comparable, Hashable, Sendable, CustomStringConvertible {
  /// The part before the point.
  package let major: Int
  /// The part after the point.
  package let minor: Int

  /// The version `major.minor`.
  package init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Reads the first `number.number` of a driver's answer: `OpenCL 3.0 PoCL 3.1`, `OpenCL C 1.2`.
  ///
  /// - Returns: 0.0, older than any, where there is none.
  package init(parsing text: String) {
    for word in text.split(separator: " ") {
      let parts = word.split(separator: ".")
      if parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) {
        self.init(major, minor)
        return
      }
    }
    self.init(0, 0)
  }

  /// Such as `1.2`.
  package var description: String { "\(major).\(minor)" }

  /// Orders by the major part, then the minor.
  package static func < (left: Version, right: Version) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}
