internal import COpenCL

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
