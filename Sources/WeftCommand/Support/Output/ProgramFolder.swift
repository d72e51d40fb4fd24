import Engine
import Files
import OpenCLBackend

/// What kernels are compiled from, in a folder: a file for each text, and `programs.json` with what each program adds.
///
/// ```json
/// {"programs":[{"file":"pairwise-pairwise-epilogue_dense.cl","source":"pairwise/pairwise.cl","headers":["epilogue_dense"],
///   "entry":"pairwise","defines":{"PW_ACTIVATION":"WM_GELU"},"groupSize":256}]}
/// ```
enum ProgramFolder {
  /// Writes the programs of these launches, each once. The folder appears when it is complete.
  /// - Throws: `KernelSources.Missing` for a source that is not there; `OutputError` if the system refuses, as it does
  ///   where there is a folder of that name that holds something.
  static func write(_ launches: [KernelLaunch], to path: String) throws {
    var path = path
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    let folder: StagingFolder
    do { folder = try StagingFolder(beside: path) } catch { throw OutputError(path: path, code: error.code) }
    var files: [String: String] = [:]
    var lines: [String] = []
    for launch in launches {
      let text = try launch.program.source.flattened()
      let name = fileName(launch.program.source, text, among: files)
      if files.updateValue(text, forKey: name) == nil { try write(text, as: name, in: folder) }
      lines.append(line(launch, file: name))
    }
    try write("{\"programs\":[\n\(lines.joined(separator: ",\n"))\n]}\n", as: "programs.json", in: folder)
    do { try folder.commit(as: path) } catch { throw OutputError(path: path, code: error.code) }
  }

  private static func line(_ launch: KernelLaunch, file: String) -> String {
    let program = launch.program
    var json = JSONWriter()
    json.beginObject()
    json.field("file", file)
    json.field("source", program.source.name)
    json.name("headers")
    json.beginArray()
    for header in headerNames(program.source) { json.string(header) }
    json.endArray()
    json.field("entry", program.entry)
    json.name("defines")
    json.beginObject()
    for (name, value) in program.defines.sorted(by: { $0.key < $1.key }) { json.field(name, value) }
    json.endObject()
    json.field("groupSize", launch.groupSize)
    json.endObject()
    return json.string
  }

  /// The source's path and the headers put into it; numbered where another text has the name.
  private static func fileName(_ source: KernelSource, _ text: String, among files: [String: String]) -> String {
    let parts = [stem(source.name).split(separator: "/").joined(separator: "-")] + headerNames(source)
    let name = parts.joined(separator: "-")
    var number = 1
    while true {
      let candidate = number == 1 ? "\(name).cl" : "\(name)-\(number).cl"
      if files[candidate] == nil || files[candidate] == text { return candidate }
      number += 1
    }
  }

  private static func headerNames(_ source: KernelSource) -> [String] {
    source.headers.sorted { $0.key < $1.key }.map { header in
      stem(header.value.name.split(separator: "/").last.map(String.init) ?? header.value.name)
    }
  }

  private static func stem(_ path: String) -> String {
    path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
  }

  private static func write(_ text: String, as name: String, in folder: StagingFolder) throws {
    let file = try OutputFile(path: folder.file(name))
    try file.write(text.utf8)
    try file.commit()
  }
}
