internal import COpenCL

/// One kernel of a program, with its arguments.
///
/// The setters mutate, so that the compiler keeps two threads from setting arguments at once: the
/// one thing OpenCL forbids. Keep one kernel for each queue. Arguments stay set from run to run.
/// A kernel keeps the buffers it was given alive until others take their place or
/// `unbindBuffers()`.
package struct Kernel: ~Copyable, Sendable {
  let handle: CLHandle<KernelKind>
  private let limits: KernelLimits
  /// By argument; the others have none.
  private var buffers: [Buffer?] = []

  /// The function's name in the source.
  package let name: String
  /// The most work-items that a group of this kernel may have on this device.
  package var workGroupLimit: Int { limits.workGroup }
  /// Group sizes that are a multiple of this run best.
  package var preferredMultiple: Int { limits.preferredMultiple }
  /// Local memory that the kernel declares itself, in bytes; `setLocal` arguments come on top.
  package var localMemory: Int { limits.localMemory }
  /// Private memory of a work-item, in bytes, as far as the driver tells.
  package var privateMemory: Int { limits.privateMemory }

  init(adopting pointer: OpaquePointer, name: String, device: Device) throws(OpenCLError) {
    let handle = CLHandle<KernelKind>(adopting: pointer)
    limits = try KernelLimits(of: pointer, on: device)
    self.handle = handle
    self.name = name
  }

  /// What the kernel's parameters are called and which types they have, of a program that was compiled with
  /// `-cl-kernel-arg-info`.
  package func parameters() throws(OpenCLError) -> [KernelParameter] {
    let kernel = handle.pointer
    let count = try readValue("clGetKernelInfo", as: cl_uint.self) {
      clGetKernelInfo(kernel, cl_kernel_info(CL_KERNEL_NUM_ARGS), $0, $1, $2)
    }
    var parameters: [KernelParameter] = []
    for index in 0..<count {
      let name = try readString("clGetKernelArgInfo") {
        clGetKernelArgInfo(kernel, index, cl_kernel_arg_info(CL_KERNEL_ARG_NAME), $0, $1, $2)
      }
      let type = try readString("clGetKernelArgInfo") {
        clGetKernelArgInfo(kernel, index, cl_kernel_arg_info(CL_KERNEL_ARG_TYPE_NAME), $0, $1, $2)
      }
      parameters.append(KernelParameter(name: name, type: type))
    }
    return parameters
  }

  /// Sets an `int` argument.
  package mutating func set(_ index: Int, _ value: Int32) throws(OpenCLError) {
    try setValue(index, value)
  }

  /// Sets a `uint` argument.
  package mutating func set(_ index: Int, _ value: UInt32) throws(OpenCLError) {
    try setValue(index, value)
  }

  /// Sets a `float` argument.
  package mutating func set(_ index: Int, _ value: Float) throws(OpenCLError) {
    try setValue(index, value)
  }

  /// Sets a `ulong` argument.
  package mutating func set(_ index: Int, _ value: UInt64) throws(OpenCLError) {
    try setValue(index, value)
  }

  /// Sets a `__global` or `__constant` pointer argument.
  package mutating func set(_ index: Int, _ buffer: Buffer) throws(OpenCLError) {
    var pointer: OpaquePointer? = buffer.handle.pointer
    try set(index, byteCount: MemoryLayout<OpaquePointer>.size, from: &pointer)
    while buffers.count <= index { buffers.append(nil) }
    buffers[index] = buffer
  }

  /// Gives a `__local` pointer argument `byteCount` bytes, at least 1, of the group's local memory.
  package mutating func setLocal(_ index: Int, byteCount: Int) throws(OpenCLError) {
    precondition(byteCount > 0, "a local argument holds at least one byte")
    try set(index, byteCount: byteCount, from: nil)
  }

  /// Sets an argument of any other type, such as `float4` or a structure, from its bytes.
  package mutating func setBytes(
    _ index: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(OpenCLError) {
    precondition(!bytes.isEmpty, "an argument has at least one byte")
    try set(index, byteCount: bytes.count, from: bytes.baseAddress)
  }

  /// Lets go of the buffers: their arguments are null until set anew.
  package mutating func unbindBuffers() throws(OpenCLError) {
    for index in buffers.indices where buffers[index] != nil {
      // Drivers do not retain arguments; a freed buffer must not stay behind as one.
      var null: OpaquePointer?
      try set(index, byteCount: MemoryLayout<OpaquePointer>.size, from: &null)
    }
    buffers.removeAll()
  }

  private mutating func setValue<Value: BitwiseCopyable>(
    _ index: Int, _ value: Value
  ) throws(OpenCLError) {
    var value = value
    try set(index, byteCount: MemoryLayout<Value>.size, from: &value)
  }

  private mutating func set(
    _ index: Int, byteCount: Int, from address: UnsafeRawPointer?
  ) throws(OpenCLError) {
    precondition(index >= 0, "arguments count from 0")
    let pointer = handle.pointer
    try check("clSetKernelArg", "kernel \(name), argument \(index) of \(byteCount) bytes") {
      clSetKernelArg(pointer, cl_uint(index), byteCount, address)
    }
  }
}

/// A parameter of a compiled kernel.
package struct KernelParameter: Sendable, Hashable {
  /// Its name in the source.
  package let name: String
  /// Its type without qualifiers, such as `int` or `float*`.
  package let type: String
}

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
