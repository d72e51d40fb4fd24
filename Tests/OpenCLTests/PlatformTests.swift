import OpenCL
import Testing

@Suite struct PlatformTests {
  @Test(.needsDevice) func devicesDescribeThemselves() throws {
    for platform in try Platform.all() {
      #expect(!platform.name.isEmpty)
      #expect(platform.version.hasPrefix("OpenCL "))
      for device in try platform.devices() {
        #expect(!device.name.isEmpty)
        #expect(device.name.first?.isWhitespace == false)
        #expect(device.platformName == platform.name)
        #expect(device.platformVersion == platform.version)
        #expect(device.version >= Version(1, 0))
        #expect(device.openCLCVersion >= Version(1, 0))
        #expect(!device.driverVersion.isEmpty)
        #expect(device.computeUnits > 0)
        #expect(device.globalMemory >= device.maxAllocation)
        #expect(device.maxAllocation > 0)
        #expect(device.localMemory > 0)
        #expect(device.maxWorkGroupSize > 0)
        #expect(device.maxWorkItemSizes.count >= 3)
        #expect(device.memoryBaseAlignmentBits % 8 == 0)
        #expect(device.preferredFloatVectorWidth > 0)
      }
    }
  }

  @Test(.needsDevice) func devicesAreEqualByIdentity() throws {
    let first = try Platform.all().flatMap { try $0.devices() }
    let second = try Platform.all().flatMap { try $0.devices() }
    #expect(first == second)
    #expect(Set(first + second).count == first.count)
    #expect(try Set(Platform.all() + Platform.all()).count == Platform.all().count)
  }

  @Test func noDriverIsAnEmptyList() throws {
    let platforms = try FaultInjection.failing("clGetPlatformIDs", with: .platformNotFound) {
      try Platform.all()
    }
    #expect(platforms.isEmpty)
  }

  @Test(.needsDevice) func noHardwareIsAnEmptyList() throws {
    let platform = try #require(try Platform.all().first)
    let devices = try FaultInjection.failing("clGetDeviceIDs", with: .deviceNotFound) {
      try platform.devices()
    }
    #expect(devices.isEmpty)
  }

  @Test func otherFailuresAreReported() {
    let error = #expect(throws: OpenCLError.self) {
      try FaultInjection.failing("clGetPlatformIDs", with: .outOfHostMemory) {
        _ = try Platform.all()
      }
    }
    #expect(error?.status == .outOfHostMemory)
    #expect(error?.call == "clGetPlatformIDs")
  }
}
