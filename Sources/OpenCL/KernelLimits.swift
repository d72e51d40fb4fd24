internal import COpenCL

/// What a driver says of one kernel on one device, read once, before any argument is set.
struct KernelLimits: Sendable {
  /// The most work-items in a group.
  let workGroup: Int
  /// The group size, in work-items, whose multiples run best.
  let preferredMultiple: Int
  /// Local memory, in bytes a group.
  let localMemory: Int
  /// Private memory, in bytes a work-item.
  let privateMemory: Int

  init(of kernel: OpaquePointer, on device: Device) throws(OpenCLError) {
    let device = device.identity.pointer
    func number<Value: FixedWidthInteger & BitwiseCopyable>(
      _ parameter: Int32, as type: Value.Type
    ) throws(OpenCLError) -> Int {
      let value = try readValue("clGetKernelWorkGroupInfo", as: type) {
        clGetKernelWorkGroupInfo(
          kernel, device, cl_kernel_work_group_info(parameter), $0, $1, $2)
      }
      return Int(clamping: value)
    }
    workGroup = try number(CL_KERNEL_WORK_GROUP_SIZE, as: Int.self)
    preferredMultiple = try number(CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, as: Int.self)
    localMemory = try number(CL_KERNEL_LOCAL_MEM_SIZE, as: cl_ulong.self)
    privateMemory = try number(CL_KERNEL_PRIVATE_MEM_SIZE, as: cl_ulong.self)
  }
}
