import Foundation

// EmbedText OUTPUT.swift FOLDER FILE...: writes each file as a raw string literal, as a constant named after its path
// below FOLDER ("page.css" is EmbeddedText.pageCss) and in a list by that path.

let arguments = CommandLine.arguments
guard arguments.count > 3 else {
  FileHandle.standardError.write(Data("usage: EmbedText OUTPUT.swift FOLDER FILE...\n".utf8))
  exit(64)
}
let folder = arguments[2].hasSuffix("/") ? arguments[2] : arguments[2] + "/"

/// The words of a path, the first in lower case and the others with a capital.
func constantName(_ path: String) -> String {
  let words = path.split { !$0.isLetter && !$0.isNumber }
  return words.enumerated().map { $0 == 0 ? $1.lowercased() : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
}

var constants = ""
var list = ""
for file in arguments.dropFirst(3) {
  let source = try String(contentsOfFile: file, encoding: .utf8)
  let path = file.hasPrefix(folder) ? String(file.dropFirst(folder.count)) : file
  let name = constantName(path)
  constants += "  static let \(name): StaticString = ####\"\"\"\n\(source)\n\"\"\"####\n"
  list += "    (\"\(path)\", \(name)),\n"
}
let text = """
  // Made by EmbedTextPlugin; the texts lie in \(URL(filePath: folder).lastPathComponent).

  enum EmbeddedText {
  \(constants)
    static let all: [(path: String, text: StaticString)] = [
  \(list)  ]
  }

  """
try text.write(toFile: arguments[1], atomically: true, encoding: .utf8)
