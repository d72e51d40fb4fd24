internal import COpenCL

/// Compiled kernels of one source for one device.
package final class Program: Sendable {
  /// What errors call the program.
  package let name: String
  /// The names of its kernels.
  package let kernelNames: [String]
  /// The compiler was spared: the binary came from the cache.
  package let isFromCache: Bool

  private let context: Context
  private let handle: CLHandle<ProgramKind>

  /// Compiles `source`, or takes its binary from `cache`. Blocks the thread while the compiler
  /// works, up to seconds.
  ///
  /// - Parameters:
  ///   - name: what errors call the program.
  ///   - source: OpenCL C.
  ///   - options: compiler options, such as `-DTILE=8`, one an element.
  ///   - context: the context of the device to compile for.
  ///   - cache: where binaries are kept; nil compiles. Its faults are misses, never errors.
  ///   - beforeCompiling: called if the compiler has to work, before it does.
  /// - Returns: the program, ready to make kernels.
  /// - Throws: `CL_BUILD_PROGRAM_FAILURE`, with options and the compiler's log, when the source has
  ///   errors.
  package static func build(
    name: String, source: String, options: [String] = [], context: Context,
    cache: ProgramCache? = nil, beforeCompiling: () -> Void = {}
  ) throws(OpenCLError) -> Program {
    let recipe = Recipe(name: name, source: source, options: options, context: context)
    guard let cache else {
      beforeCompiling()
      return try Program(adopting: try recipe.compile(), recipe, isFromCache: false)
    }
    let key = ProgramCache.Key(source: source, options: options, device: context.device)
    if let binary = cache.load(key),
      let cached = try? Program(adopting: try recipe.link(binary), recipe, isFromCache: true)
    {
      return cached
    }
    beforeCompiling()
    let program = try Program(adopting: try recipe.compile(), recipe, isFromCache: false)
    if let binary = try? program.binary() { cache.store(binary, for: key) }
    return program
  }

  private init(
    adopting handle: consuming CLHandle<ProgramKind>, _ recipe: Recipe, isFromCache: Bool
  ) throws(OpenCLError) {
    let pointer = handle.pointer
    let names = try readString("clGetProgramInfo") {
      clGetProgramInfo(pointer, cl_program_info(CL_PROGRAM_KERNEL_NAMES), $0, $1, $2)
    }
    name = recipe.name
    kernelNames = names.split(separator: ";").map(String.init)
    self.isFromCache = isFromCache
    context = recipe.context
    self.handle = handle
  }

  /// A kernel of its own for the caller, no argument set.
  package func makeKernel(_ kernel: String) throws(OpenCLError) -> Kernel {
    let pointer = try create(
      "clCreateKernel",
      "program \(name) has no usable kernel \(kernel), but \(kernelNames.joined(separator: ", "))"
    ) {
      clCreateKernel(handle.pointer, kernel, $0)
    }
    return try Kernel(adopting: pointer, name: kernel, device: context.device)
  }

  /// The device's machine code, in whatever form the driver likes.
  private func binary() throws(OpenCLError) -> [UInt8] {
    let program = handle.pointer
    let size = try readValue("clGetProgramInfo", as: Int.self) {
      clGetProgramInfo(program, cl_program_info(CL_PROGRAM_BINARY_SIZES), $0, $1, $2)
    }
    guard size > 0 else {
      throw OpenCLError(status: .invalidBinary, call: "clGetProgramInfo", detail: "no binary")
    }
    var bytes = [UInt8](repeating: 0, count: size)
    try check("clGetProgramInfo") {
      bytes.withUnsafeMutableBufferPointer { bytes in
        // One device, hence a list of one pointer to its binary.
        var address: UnsafeMutablePointer<UInt8>? = bytes.baseAddress
        let width = MemoryLayout.size(ofValue: address)
        return clGetProgramInfo(
          program, cl_program_info(CL_PROGRAM_BINARIES), width, &address, nil)
      }
    }
    return bytes
  }
}
