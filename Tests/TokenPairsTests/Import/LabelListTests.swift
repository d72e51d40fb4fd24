import ModelFiles
import Testing

@testable import TokenPairs

/// The ways in which labels are given.
@Suite struct LabelListTests {
  @Test func aListWithCommas() throws {
    #expect(try LabelList.read("PER, LOC,ORG") == ["PER", "LOC", "ORG"])
    #expect(try LabelList.read("A/b") == ["A/b"])
    #expect(try LabelList.read("A,,B") == ["A", "", "B"], "the empty one is refused later, by name")
  }

  @Test(arguments: [
    ("labels.txt", "PER\nLOC\r\n\n ORG \n"), ("labels", "PER\nLOC\nORG"),
    ("labels.json", "[\"PER\", \"LOC\", \"ORG\"]"),
    ("label2id.json", " {\"ORG\": 2, \"PER\": 0, \"LOC\": 1}"),
    ("id2label.json", "{\"2\": \"ORG\", \"0\": \"PER\", \"1\": \"LOC\"}"),
  ])
  func aFile(name: String, content: String) throws {
    let scratch = try Scratch()
    try scratch.write(name, content)
    #expect(try LabelList.read(scratch.file(name)) == ["PER", "LOC", "ORG"])
  }

  @Test(arguments: [
    ("gap.json", "{\"A\": 0, \"B\": 2}", "0 to 1"), ("twice.json", "{\"A\": 0, \"B\": 0}", "each once"),
    ("other.json", "[1, 2]", "JSON array"), ("broken.json", "[\"A\"", "JSON array"),
    ("nested.json", "{\"A\": [0]}", "JSON"),
  ])
  func aFileOfAnotherKind(name: String, content: String, word: String) throws {
    let scratch = try Scratch()
    try scratch.write(name, content)
    let error = #expect(throws: ModelFileError.self) { try LabelList.read(scratch.file(name)) }
    #expect(
      error?.description.contains(word) == true && error?.file == scratch.file(name), "\(String(describing: error))")
  }

  @Test func aMissingFileIsNotTakenForALabel() throws {
    let error = #expect(throws: ModelFileError.self) { try LabelList.read("/nowhere/labels.txt") }
    #expect(error?.description.contains("/nowhere/labels.txt: cannot be opened: No such file") == true)
  }
}
