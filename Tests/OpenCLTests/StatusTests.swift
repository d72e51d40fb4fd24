import OpenCL
import Testing

@Suite struct StatusTests {
  @Test(arguments: [
    (CLStatus.success, "CL_SUCCESS (0)"),
    (.deviceNotFound, "CL_DEVICE_NOT_FOUND (-1)"),
    (.outOfResources, "CL_OUT_OF_RESOURCES (-5)"),
    (.buildProgramFailure, "CL_BUILD_PROGRAM_FAILURE (-11)"),
    (.invalidWorkGroupSize, "CL_INVALID_WORK_GROUP_SIZE (-54)"),
    (.invalidDevicePartitionCount, "CL_INVALID_DEVICE_PARTITION_COUNT (-68)"),
    (.platformNotFound, "CL_PLATFORM_NOT_FOUND_KHR (-1001)"),
    (CLStatus(rawValue: -9999), "unknown OpenCL status (-9999)"),
  ])
  func isReadable(status: CLStatus, text: String) {
    #expect("\(status)" == text)
  }

  /// The standard numbers its errors without gaps in two ranges.
  @Test func everyStandardCodeHasAName() {
    for code in (-19...0) { #expect(CLStatus(rawValue: Int32(code)).name != nil, "\(code)") }
    for code in (-68 ... -30) { #expect(CLStatus(rawValue: Int32(code)).name != nil, "\(code)") }
    #expect(CLStatus(rawValue: -20).name == nil)
    #expect(CLStatus(rawValue: -29).name == nil)
  }

  @Test func exhaustionIsWhatASmallerBatchCanCure() {
    let curable: Set<CLStatus> = [
      .allocationFailure, .outOfResources, .outOfHostMemory, .invalidBufferSize,
    ]
    for code in -68...0 {
      let status = CLStatus(rawValue: Int32(code))
      #expect(status.isExhaustion == curable.contains(status), "\(status)")
    }
  }

  @Test func errorsReadAsOneSentence() {
    let bare = OpenCLError(status: .invalidValue, call: "clFlush")
    #expect("\(bare)" == "clFlush failed with CL_INVALID_VALUE (-30)")
    let detailed = OpenCLError(status: .outOfResources, call: "command", detail: "read")
    #expect("\(detailed)" == "command failed with CL_OUT_OF_RESOURCES (-5): read")
  }
}
