import Foundation
import ModelFiles
import Testing

@testable import TokenPairs

@Suite struct TrainingFolderTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(atPath: scratch.file("encoder"), withIntermediateDirectories: false)
  }

  private var output: String { scratch.file("out") }

  private func open(
    _ path: String? = nil, resumes: Bool = false, overwrites: Bool = false
  ) throws(ModelFileError) -> TrainingFolder {
    try TrainingFolder(
      path ?? output, .init(resumes: resumes, overwrites: overwrites), encoder: scratch.file("encoder"))
  }

  private func put(_ name: String, _ text: String = "x") throws {
    let path = "\(output)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(output)/\(folder)").sorted()
  }

  private func refusal(_ path: String? = nil, resumes: Bool = false, overwrites: Bool = false) -> String? {
    #expect(throws: ModelFileError.self) { _ = try open(path, resumes: resumes, overwrites: overwrites) }?.description
  }

  @Test func aNewFolderIsMadeWithItsParents() throws {
    let folder = try open(scratch.file("a/b/c///"))
    #expect(folder.output == scratch.file("a/b/c") && isDirectory(folder.work) && !folder.hasCheckpoint)
  }

  @Test func aModelIsNotReplacedUnasked() throws {
    try put("globalpointer.json")
    #expect(refusal()?.contains("holds a model: --overwrite") == true)
    #expect(refusal(resumes: true)?.contains("nothing is left to resume") == true)
    _ = try open(overwrites: true)
    #expect(try names() == ["globalpointer.json", "training"], "it stays until the new one is there")
  }

  @Test func anUnfinishedTrainingIsNotLostUnasked() throws {
    try put("training/lock")
    try put("training/checkpoint.safetensors")
    try put("training/features-1-float32.bin")
    try put("training/.checkpoint.safetensors.123.partial")
    #expect(refusal()?.contains("holds an unfinished training: --resume") == true)
    do {
      let folder = try open(resumes: true)
      #expect(folder.hasCheckpoint)
    }
    #expect(try names("training") == ["checkpoint.safetensors", "features-1-float32.bin", "lock"])
    let folder = try open(overwrites: true)
    #expect(folder.hasCheckpoint, "it stays until the new training has one")
    #expect(try names("training") == ["checkpoint.safetensors", "features-1-float32.bin", "lock"])
  }

  @Test func featuresAloneAreNoTraining() throws {
    try put("training/lock")
    try put("training/features-1-float32.bin")
    _ = try open()
    #expect(try names("training").contains("features-1-float32.bin"))
  }

  @Test func otherFilesAreLeftAlone() throws {
    try put("notes.txt")
    #expect(refusal()?.contains("not empty") == true && refusal(resumes: true)?.contains("not empty") == true)
    let folder = try open(overwrites: true)
    try folder.finish { try Data("new".utf8).write(to: URL(fileURLWithPath: "\($0)/config.json")) }
    #expect(try names() == ["config.json", "notes.txt"])
  }

  @Test func aFolderCalledTrainingOfSomebodyElseIsLeftAlone() throws {
    try put("training/thesis.tex")
    for flags in [(false, false), (true, false), (false, true)] {
      #expect(refusal(resumes: flags.0, overwrites: flags.1)?.contains("'thesis.tex', which is of no training") == true)
    }
  }

  /// Names that a training uses prove nothing: it has locked the folder before it wrote any.
  @Test func aFolderThatNoTrainingLockedIsLeftAlone() throws {
    try put("training/model/thesis.txt")
    for overwrites in [false, true] {
      #expect(refusal(overwrites: overwrites)?.contains("'model', which is of no training") == true)
    }
    try put("training/a.tmp")
    #expect(refusal(overwrites: true)?.contains("'a.tmp', which is of no training") == true)
    #expect(try names("training") == ["a.tmp", "model"] && names("training/model") == ["thesis.txt"])
  }

  @Test func aLinkIsNotFollowed() throws {
    try put("elsewhere/lock")
    try put("elsewhere/.checkpoint.safetensors.1.partial")
    try FileManager.default.createSymbolicLink(
      atPath: "\(output)/training", withDestinationPath: "\(output)/elsewhere")
    #expect(refusal(overwrites: true)?.contains("is not a directory") == true)
    #expect(try names("elsewhere").count == 2)
  }

  @Test func aDirectoryInAFilesPlaceIsNotRemoved() throws {
    try put("special_tokens_map.json/mine.txt")
    #expect(refusal(overwrites: true)?.contains("special_tokens_map.json: is a directory") == true)
    #expect(try names("special_tokens_map.json") == ["mine.txt"])
  }

  @Test func featuresLieBesideTheOutput() throws {
    try put("training/lock")
    for inside in ["", "/", "/training", "/training/x/y", "/./x", "/../out/x"] {
      #expect(throws: ModelFileError.self, "\(inside)") {
        try TrainingFolder.check(features: output + inside, output: output)
      }
    }
    for outside in ["/../features", "put", "/../outer/x"] {
      try TrainingFolder.check(features: output + outside, output: output)
    }
  }

  @Test func whatIsNoFolderOfOnesOwnIsRefused() throws {
    #expect(refusal(scratch.file("encoder"), overwrites: true)?.contains("the encoder's own directory") == true)
    try put("file")
    #expect(refusal("\(output)/file")?.contains("is not a directory") == true)
    #expect(refusal("")?.contains("no name for a new directory") == true)
    #expect(refusal("/proc/new")?.contains("cannot be created") == true)
  }

  @Test func oneTrainingWorksAtATime() throws {
    do {
      let first = try open()
      #expect(refusal(resumes: true)?.contains("another training is at work") == true)
      #expect(refusal(overwrites: true)?.contains("another training is at work") == true)
      withExtendedLifetime(first) {}
    }
    _ = try open()
  }

  @Test func aModelsFilesTakeThePlacesOfAnOlders() throws {
    for name in [
      "gplinker.json", "model.safetensors", "model.safetensors.index.json", "vocab.txt", "config.json", "history.svg",
    ] {
      try put(name, "old")
    }
    let folder = try open(overwrites: true)
    struct Full: Error {}
    #expect(throws: Full.self) {
      try folder.finish { directory in
        try Data("new".utf8).write(to: URL(fileURLWithPath: "\(directory)/globalpointer.json"))
        throw Full()
      }
    }
    #expect(try names().contains("gplinker.json") && !names().contains("globalpointer.json"), "nothing has changed")
    try folder.finish { directory in
      for name in ["globalpointer.json", "model.safetensors", "tokenizer.json", "config.json", "history.jsonl"] {
        try Data("new".utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
      }
    }
    #expect(
      try names() == ["config.json", "globalpointer.json", "history.jsonl", "model.safetensors", "tokenizer.json"])
    for name in try names() { #expect(FileManager.default.contents(atPath: "\(output)/\(name)") == Data("new".utf8)) }
  }
}
