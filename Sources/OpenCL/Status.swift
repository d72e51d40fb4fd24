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
