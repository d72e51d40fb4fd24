internal import COpenCL

/// What a program is made from, and the two ways to make it.
struct Recipe {
  let name: String
  let source: String
  let options: [String]
  let context: Context

  /// Compiles the source.
  func compile() throws(OpenCLError) -> CLHandle<ProgramKind> {
    let pointer = try create("clCreateProgramWithSource", "program \(name)") { code in
      source.withCString { text in
        var text: UnsafePointer<CChar>? = text
        return clCreateProgramWithSource(context.handle.pointer, 1, &text, nil, code)
      }
    }
    let program = CLHandle<ProgramKind>(adopting: pointer)
    try build(program)
    return program
  }

  /// Makes the program from a binary of an earlier build.
  func link(_ binary: [UInt8]) throws(OpenCLError) -> CLHandle<ProgramKind> {
    var verdict: Int32 = CL_SUCCESS
    let pointer = try create("clCreateProgramWithBinary", "program \(name)") { code in
      binary.withUnsafeBufferPointer { bytes in
        var device: OpaquePointer? = context.device.identity.pointer
        var address: UnsafePointer<UInt8>? = bytes.baseAddress
        var size = bytes.count
        return clCreateProgramWithBinary(
          context.handle.pointer, 1, &device, &size, &address, &verdict, code)
      }
    }
    let program = CLHandle<ProgramKind>(adopting: pointer)
    try check("clCreateProgramWithBinary", "program \(name)") { verdict }
    try build(program)
    return program
  }

  private func build(_ program: borrowing CLHandle<ProgramKind>) throws(OpenCLError) {
    var device: OpaquePointer? = context.device.identity.pointer
    let pointer = program.pointer
    try check("clBuildProgram", failureDetail(log: buildLog(of: pointer))) {
      clBuildProgram(pointer, 1, &device, options.joined(separator: " "), nil, nil)
    }
  }

  /// The compiler's words; empty where the driver keeps them to itself, as the failure of the build
  /// is what must be reported.
  private func buildLog(of program: OpaquePointer) -> String {
    let log = try? readString("clGetProgramBuildInfo") {
      clGetProgramBuildInfo(
        program, context.device.identity.pointer, cl_program_build_info(CL_PROGRAM_BUILD_LOG),
        $0, $1, $2)
    }
    return log ?? ""
  }

  /// What a person needs to mend the program: its name, options and the annotated log.
  private func failureDetail(log: String) -> String {
    BuildLog(program: name, options: options, device: context.device.name, log: log, source: source)
      .description
  }
}
