internal import COpenCL

/// Compiled kernels of one source for one device.
package final class Program: Sendable {
  /// What errors call the program.
  package let name: String
  /// The names of its kernels.
  package let kernelNames: [String]
  /// The compiler was spared: the binary came from the cache.
  package var isFromCache: Bool { trial != nil }

  /// Of a cached binary, until a kernel of it has run.
  private let trial: LoadTrial?

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
  ///   - storesBinary: whether what is compiled goes to the cache.
  /// - Returns: the program, ready to make kernels.
  /// - Throws: `CL_BUILD_PROGRAM_FAILURE`, with options and the compiler's log, when the source has
  ///   errors.
  package static func build(
    name: String, source: String, options: [String] = [], context: Context,
    cache: ProgramCache? = nil, storesBinary: Bool = true
  ) throws(OpenCLError) -> Program {
    let recipe = Recipe(
      name: name, source: source, options: options, context: context, generation: cache?.generation)
    guard let cache else { return try Program(adopting: try recipe.compile(), recipe) }
    let key = ProgramCache.Key(source: source, options: options, device: context.device)
    if let (binary, trial) = cache.loadForTrial(key) {
      let cached = try? Program(adopting: try recipe.link(binary), recipe, trial: trial)
      // Some drivers look at a binary only now.
      if let cached, cached.canMakeKernels() { return cached }
    }
    let program = try Program(adopting: try recipe.compile(), recipe)
    if storesBinary, let binary = try? program.binary() { cache.store(binary, for: key) }
    return program
  }

  private init(
    adopting handle: consuming CLHandle<ProgramKind>, _ recipe: Recipe, trial: LoadTrial? = nil
  ) throws(OpenCLError) {
    let pointer = handle.pointer
    let names = try readString("clGetProgramInfo") {
      clGetProgramInfo(pointer, cl_program_info(CL_PROGRAM_KERNEL_NAMES), $0, $1, $2)
    }
    name = recipe.name
    kernelNames = names.split(separator: ";").map(String.init)
    self.trial = trial
    context = recipe.context
    self.handle = handle
  }

  /// A kernel of the program has run well: if the binary came from the cache, the driver can use it.
  package func pass() { trial?.pass() }

  /// A kernel of the program failed before any had run well: if the binary came from the cache, it may be the cause and
  /// is not kept.
  package func fail() { trial?.fail() }

  private func canMakeKernels() -> Bool {
    do {
      for name in kernelNames { _ = try makeKernel(name) }
      return true
    } catch { return false }
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

/// What a program is made from, and the two ways to make it.
struct Recipe {
  let name: String
  let source: String
  let options: [String]
  let context: Context
  /// See ``ProgramCache/generation``; nil without a cache.
  let generation: Int?

  /// What every device has, and what compilers take by default as the standard has it; PoCL takes the newest, whose
  /// declarations take a third longer to read.
  static let language = ["-cl-std=CL1.2"]

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
    let mark = generation.map { ["-DWEFT_CACHE_GENERATION=\($0)"] } ?? []
    do throws(OpenCLError) {
      // The compiler may end the process, as LLVM does where it cannot write a file.
      CompilerWatch.begin(program: name, device: context.device.name)
      defer { CompilerWatch.end() }
      try check("clBuildProgram") {
        keepingIgnoredSignals {
          clBuildProgram(pointer, 1, &device, (Self.language + options + mark).joined(separator: " "), nil, nil)
        }
      }
    } catch {
      let failure = BuildFailure(
        status: error.status, program: name, options: options, device: context.device.name, log: buildLog(of: pointer),
        source: source)
      throw OpenCLError(status: error.status, call: error.call, detail: failure.description)
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
}

/// Why a program was not built: what is wrong with its source, or what kept the compiler from its work.
struct BuildFailure: CustomStringConvertible {
  let status: CLStatus
  let program: String
  let options: [String]
  let device: String
  let log: String
  let source: String

  /// For an error in the source, ``BuildLog``; else what happened, what to do, and the compiler's words if it had any.
  var description: String {
    if isOfTheSource {
      let text = BuildLog(program: program, options: options, device: device, log: log, source: source).description
      // A log without an error of the source: the compiler could not do its work, and does not say why.
      let isExplained = BuildLog.namesError(log) && !CompilerFolders.areBlamed(by: log)
      return isExplained ? text : "\(text)\n  \(CompilerFolders().advice)"
    }
    let lines = log.split(whereSeparator: \.isNewline).map { "    \($0)" }
    let remedy = CompilerFolders.areBlamed(by: log) ? CompilerFolders().advice : advice
    let headline = "program \(program) was not compiled for \(device): \(remedy)"
    return lines.isEmpty ? headline : ([headline, "  log:"] + lines).joined(separator: "\n")
  }

  /// Statuses with which a compiler rejects what it was given.
  private var isOfTheSource: Bool {
    let statuses: [CLStatus] = [
      .buildProgramFailure, .compileProgramFailure, .linkProgramFailure, .invalidBuildOptions, .invalidCompilerOptions,
    ]
    return statuses.contains(status)
  }

  private var advice: String {
    switch status {
    case .outOfHostMemory:
      "the driver's compiler ran out of memory; end other programs, or give this one more memory"
    case .outOfResources, .allocationFailure:
      "the driver ran out of resources; end other programs that use the device, and try again"
    case .compilerNotAvailable, .linkerNotAvailable:
      "the driver has no compiler; another device may, see 'weft devices'"
    case .deviceNotAvailable: "the device is not available; another may be, see 'weft devices'"
    default: "the driver gave up; try again, or use another device"
    }
  }
}

/// A compiler's complaints, presented for reading.
struct BuildLog: CustomStringConvertible {
  let program: String
  let options: [String]
  let device: String
  /// What the compiler said.
  let log: String
  /// What it said it about.
  let source: String

  /// Most lines of source to quote: later ones follow from the first as a rule.
  private static let quoteLimit = 10

  /// Several lines: what was built and how, the log, and the lines of source that it names, as not
  /// every compiler quotes them.
  var description: String {
    var lines = [
      "program \(program) does not compile for \(device)",
      "  options: \(options.isEmpty ? "none" : options.joined(separator: " "))",
      "  log:",
    ]
    let complaints = log.split(whereSeparator: \.isNewline)
    lines += complaints.isEmpty ? ["    (empty)"] : complaints.map { "    \($0)" }
    let quotes = quotedLines
    if !quotes.isEmpty { lines.append("  source:") }
    lines += quotes.map { "    \($0.number): \($0.text)" }
    return lines.joined(separator: "\n")
  }

  /// The lines of source that the log's errors name, in order, without repetition.
  var quotedLines: [(number: Int, text: Substring)] {
    let lines = sourceLines
    var seen: Set<Int> = []
    var quotes: [(number: Int, text: Substring)] = []
    for complaint in log.split(whereSeparator: \.isNewline) {
      guard let number = Self.lineNumber(in: complaint), quotes.count < Self.quoteLimit,
        let at = lines.firstIndex(where: { line in
          line.number == number && line.file.map { complaint.contains("\($0):\(number)") } ?? true
        }), seen.insert(at).inserted
      else { continue }
      quotes.append((number, lines[at].text))
    }
    return quotes
  }

  /// The source's lines as the compiler counts them: a `#line` directive starts a file anew.
  private var sourceLines: [(file: Substring?, number: Int, text: Substring)] {
    var file: Substring?
    var number = 1
    var lines: [(file: Substring?, number: Int, text: Substring)] = []
    for text in source.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let words = text.split(separator: " ")
      if words.count == 3, words[0] == "#line", let next = Int(words[1]) {
        file = words[2].dropFirst().dropLast()
        number = next
      } else {
        lines.append((file, number, text))
        number += 1
      }
    }
    return lines
  }

  /// Whether a compiler's log complains of the source.
  static func namesError(_ log: String) -> Bool {
    log.lowercased().contains("error")
  }

  /// The line of an error in the form that nearly every compiler uses, `file:line:column: error: …`,
  /// with or without more before it.
  static func lineNumber(in complaint: Substring) -> Int? {
    guard complaint.contains("error") else { return nil }
    let parts = complaint.split(separator: ":", omittingEmptySubsequences: false)
    for (line, column) in zip(parts, parts.dropFirst()) {
      if let number = Int(line), number > 0, Int(column) != nil { return number }
    }
    return nil
  }
}
