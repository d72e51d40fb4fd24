import Foundation

// EmbedKernels OUTPUT.swift FOLDER FILE...: writes each file as a raw string literal, by its path below FOLDER.

let arguments = CommandLine.arguments
guard arguments.count > 3 else {
  FileHandle.standardError.write(Data("usage: EmbedKernels OUTPUT.swift FOLDER FILE...\n".utf8))
  exit(64)
}
let folder = arguments[2].hasSuffix("/") ? arguments[2] : arguments[2] + "/"

var text =
  "// Made from Kernels/ by EmbedKernelsPlugin.\n\nlet embeddedKernels: [(path: String, text: StaticString)] = [\n"
for path in arguments.dropFirst(3) {
  let source = try String(contentsOfFile: path, encoding: .utf8)
  let name = path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
  text += "(\"\(name)\", ####\"\"\"\n\(source)\n\"\"\"####),\n"
}
text += "]\n"
try text.write(toFile: arguments[1], atomically: true, encoding: .utf8)
