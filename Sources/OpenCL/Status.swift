/// An OpenCL status code. A struct, not an enum: vendors add codes of their own.
package struct CLStatus: RawRepresentable, Hashable, Sendable {
  /// The code as the driver returned it: 0 is success, errors are negative.
  package let rawValue: Int32

  /// Wraps any code, known or not.
  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// The device or the host ran out of memory, or one buffer exceeds what the device can allocate
  /// at once: the same work in smaller pieces may pass.
  package var isExhaustion: Bool {
    switch self {
    case .allocationFailure, .outOfResources, .outOfHostMemory, .invalidBufferSize: true
    default: false
    }
  }

  /// The constant's name in the OpenCL headers, such as `CL_OUT_OF_RESOURCES`; nil for a code that
  /// OpenCL 1.2 does not define.
  package var name: String? { Self.names[rawValue] }
}

extension CLStatus: CustomStringConvertible {
  /// Name and number, such as `CL_OUT_OF_RESOURCES (-5)`.
  package var description: String { "\(name ?? "unknown OpenCL status") (\(rawValue))" }
}

// The constants carry the standard's names in Swift's spelling.
extension CLStatus {
  package static let success = CLStatus(rawValue: 0)
  package static let deviceNotFound = CLStatus(rawValue: -1)
  package static let deviceNotAvailable = CLStatus(rawValue: -2)
  package static let compilerNotAvailable = CLStatus(rawValue: -3)
  /// `CL_MEM_OBJECT_ALLOCATION_FAILURE`
  package static let allocationFailure = CLStatus(rawValue: -4)
  package static let outOfResources = CLStatus(rawValue: -5)
  package static let outOfHostMemory = CLStatus(rawValue: -6)
  package static let profilingInfoNotAvailable = CLStatus(rawValue: -7)
  package static let memoryCopyOverlap = CLStatus(rawValue: -8)
  package static let imageFormatMismatch = CLStatus(rawValue: -9)
  package static let imageFormatNotSupported = CLStatus(rawValue: -10)
  package static let buildProgramFailure = CLStatus(rawValue: -11)
  package static let mapFailure = CLStatus(rawValue: -12)
  package static let misalignedSubBufferOffset = CLStatus(rawValue: -13)
  /// `CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST`
  package static let eventInWaitListFailed = CLStatus(rawValue: -14)
  package static let compileProgramFailure = CLStatus(rawValue: -15)
  package static let linkerNotAvailable = CLStatus(rawValue: -16)
  package static let linkProgramFailure = CLStatus(rawValue: -17)
  package static let devicePartitionFailed = CLStatus(rawValue: -18)
  package static let kernelArgumentInfoNotAvailable = CLStatus(rawValue: -19)

  package static let invalidValue = CLStatus(rawValue: -30)
  package static let invalidDeviceType = CLStatus(rawValue: -31)
  package static let invalidPlatform = CLStatus(rawValue: -32)
  package static let invalidDevice = CLStatus(rawValue: -33)
  package static let invalidContext = CLStatus(rawValue: -34)
  package static let invalidQueueProperties = CLStatus(rawValue: -35)
  package static let invalidCommandQueue = CLStatus(rawValue: -36)
  package static let invalidHostPointer = CLStatus(rawValue: -37)
  package static let invalidMemoryObject = CLStatus(rawValue: -38)
  package static let invalidImageFormatDescriptor = CLStatus(rawValue: -39)
  package static let invalidImageSize = CLStatus(rawValue: -40)
  package static let invalidSampler = CLStatus(rawValue: -41)
  package static let invalidBinary = CLStatus(rawValue: -42)
  package static let invalidBuildOptions = CLStatus(rawValue: -43)
  package static let invalidProgram = CLStatus(rawValue: -44)
  package static let invalidProgramExecutable = CLStatus(rawValue: -45)
  package static let invalidKernelName = CLStatus(rawValue: -46)
  package static let invalidKernelDefinition = CLStatus(rawValue: -47)
  package static let invalidKernel = CLStatus(rawValue: -48)
  package static let invalidArgumentIndex = CLStatus(rawValue: -49)
  package static let invalidArgumentValue = CLStatus(rawValue: -50)
  package static let invalidArgumentSize = CLStatus(rawValue: -51)
  package static let invalidKernelArguments = CLStatus(rawValue: -52)
  package static let invalidWorkDimension = CLStatus(rawValue: -53)
  package static let invalidWorkGroupSize = CLStatus(rawValue: -54)
  package static let invalidWorkItemSize = CLStatus(rawValue: -55)
  package static let invalidGlobalOffset = CLStatus(rawValue: -56)
  package static let invalidEventWaitList = CLStatus(rawValue: -57)
  package static let invalidEvent = CLStatus(rawValue: -58)
  package static let invalidOperation = CLStatus(rawValue: -59)
  package static let invalidGLObject = CLStatus(rawValue: -60)
  /// `CL_INVALID_BUFFER_SIZE`: as empty requests never reach the driver, always one too large.
  package static let invalidBufferSize = CLStatus(rawValue: -61)
  package static let invalidMipLevel = CLStatus(rawValue: -62)
  package static let invalidGlobalWorkSize = CLStatus(rawValue: -63)
  package static let invalidProperty = CLStatus(rawValue: -64)
  package static let invalidImageDescriptor = CLStatus(rawValue: -65)
  package static let invalidCompilerOptions = CLStatus(rawValue: -66)
  package static let invalidLinkerOptions = CLStatus(rawValue: -67)
  package static let invalidDevicePartitionCount = CLStatus(rawValue: -68)

  /// `CL_PLATFORM_NOT_FOUND_KHR`: the loader found no driver at all.
  package static let platformNotFound = CLStatus(rawValue: -1001)
}

/// A failed OpenCL call: which one, with what status, and what a person needs to know.
package struct OpenCLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The code that the driver returned.
  package let status: CLStatus

  /// The C function's name, such as `clBuildProgram`; `command` when an enqueued command ended
  /// with an error of its own, long after the call that enqueued it had succeeded.
  package let call: String

  /// Sizes, names, a compiler's log: may be empty, may span lines.
  package let detail: String

  /// Describes a failure of `call`.
  package init(status: CLStatus, call: String, detail: String = "") {
    self.status = status
    self.call = call
    self.detail = detail
  }

  /// One line, or a line and an indented block when the detail has several.
  package var description: String {
    let headline = "\(call) failed with \(status)"
    return detail.isEmpty ? headline : "\(headline): \(detail)"
  }
}

/// The header names of the status codes, apart from their constants to keep both readable.
extension CLStatus {
  static let names: [Int32: String] = [
    0: "CL_SUCCESS",
    -1: "CL_DEVICE_NOT_FOUND",
    -2: "CL_DEVICE_NOT_AVAILABLE",
    -3: "CL_COMPILER_NOT_AVAILABLE",
    -4: "CL_MEM_OBJECT_ALLOCATION_FAILURE",
    -5: "CL_OUT_OF_RESOURCES",
    -6: "CL_OUT_OF_HOST_MEMORY",
    -7: "CL_PROFILING_INFO_NOT_AVAILABLE",
    -8: "CL_MEM_COPY_OVERLAP",
    -9: "CL_IMAGE_FORMAT_MISMATCH",
    -10: "CL_IMAGE_FORMAT_NOT_SUPPORTED",
    -11: "CL_BUILD_PROGRAM_FAILURE",
    -12: "CL_MAP_FAILURE",
    -13: "CL_MISALIGNED_SUB_BUFFER_OFFSET",
    -14: "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
    -15: "CL_COMPILE_PROGRAM_FAILURE",
    -16: "CL_LINKER_NOT_AVAILABLE",
    -17: "CL_LINK_PROGRAM_FAILURE",
    -18: "CL_DEVICE_PARTITION_FAILED",
    -19: "CL_KERNEL_ARG_INFO_NOT_AVAILABLE",
    -30: "CL_INVALID_VALUE",
    -31: "CL_INVALID_DEVICE_TYPE",
    -32: "CL_INVALID_PLATFORM",
    -33: "CL_INVALID_DEVICE",
    -34: "CL_INVALID_CONTEXT",
    -35: "CL_INVALID_QUEUE_PROPERTIES",
    -36: "CL_INVALID_COMMAND_QUEUE",
    -37: "CL_INVALID_HOST_PTR",
    -38: "CL_INVALID_MEM_OBJECT",
    -39: "CL_INVALID_IMAGE_FORMAT_DESCRIPTOR",
    -40: "CL_INVALID_IMAGE_SIZE",
    -41: "CL_INVALID_SAMPLER",
    -42: "CL_INVALID_BINARY",
    -43: "CL_INVALID_BUILD_OPTIONS",
    -44: "CL_INVALID_PROGRAM",
    -45: "CL_INVALID_PROGRAM_EXECUTABLE",
    -46: "CL_INVALID_KERNEL_NAME",
    -47: "CL_INVALID_KERNEL_DEFINITION",
    -48: "CL_INVALID_KERNEL",
    -49: "CL_INVALID_ARG_INDEX",
    -50: "CL_INVALID_ARG_VALUE",
    -51: "CL_INVALID_ARG_SIZE",
    -52: "CL_INVALID_KERNEL_ARGS",
    -53: "CL_INVALID_WORK_DIMENSION",
    -54: "CL_INVALID_WORK_GROUP_SIZE",
    -55: "CL_INVALID_WORK_ITEM_SIZE",
    -56: "CL_INVALID_GLOBAL_OFFSET",
    -57: "CL_INVALID_EVENT_WAIT_LIST",
    -58: "CL_INVALID_EVENT",
    -59: "CL_INVALID_OPERATION",
    -60: "CL_INVALID_GL_OBJECT",
    -61: "CL_INVALID_BUFFER_SIZE",
    -62: "CL_INVALID_MIP_LEVEL",
    -63: "CL_INVALID_GLOBAL_WORK_SIZE",
    -64: "CL_INVALID_PROPERTY",
    -65: "CL_INVALID_IMAGE_DESCRIPTOR",
    -66: "CL_INVALID_COMPILER_OPTIONS",
    -67: "CL_INVALID_LINKER_OPTIONS",
    -68: "CL_INVALID_DEVICE_PARTITION_COUNT",
    -1001: "CL_PLATFORM_NOT_FOUND_KHR",
  ]
}
