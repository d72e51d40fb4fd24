import Foundation
import ModelFiles
import Testing

@testable import TokenPairs

@Suite struct TrainingCheckpointTests {
  private let scratch: Scratch
  private let recipe: TrainingRecipe
  private let data = TrainingDataKey(encoder: "e", train: "t", development: "d", features: .float32, device: "x")
  private let heads: [HeadParameters]
  private var path: String { scratch.file("c.safetensors") }

  init() throws {
    scratch = try Scratch()
    var recipe = TrainingRecipe(task: .entities)
    (recipe.headSize, recipe.learningRate, recipe.seed) = (2, 0.1 + 0.2, .max)
    self.recipe = recipe
    heads = HeadParameters.initial(
      recipe, LabelInventory(task: .entities, labels: ["A", "B"], links: []), hiddenSize: 3)
  }

  private var checkpoint: TrainingCheckpoint {
    var checkpoint = TrainingCheckpoint(
      recipe: recipe, data: data,
      state: [
        .init(name: "a", shape: [2, 1], values: [1.5, -0.0]),
        .init(name: "b:c", shape: [1], values: [.leastNonzeroMagnitude]),
      ])
    let epoch = TrainingEpoch(
      epoch: 1, step: 3, loss: 1 / 3, learningRate: 0.1, predicted: 4, gold: 5, correct: 2, tokens: 7, seconds: 0.5,
      developmentSeconds: 0.25)
    checkpoint.progress = .init(epochs: [epoch], step: 3, bestEpoch: 1)
    checkpoint.best = heads
    return checkpoint
  }

  private func read(_ recipe: TrainingRecipe? = nil, _ data: TrainingDataKey? = nil) throws -> TrainingCheckpoint {
    try TrainingCheckpoint(path, heads: heads, recipe: recipe ?? self.recipe, data: data ?? self.data)
  }

  @Test func whatIsWrittenIsRead() throws {
    try checkpoint.write(to: path)
    #expect(try read() == checkpoint)
    #expect(
      try read().state.map { $0.values.map(\.bitPattern) } == checkpoint.state.map { $0.values.map(\.bitPattern) })
    let start = TrainingCheckpoint(recipe: recipe, data: data, state: checkpoint.state)
    try start.write(to: path)
    #expect(try read() == start, "before the first epoch there is no best one")
  }

  @Test func anotherRecipeIsRefusedByName() throws {
    try checkpoint.write(to: path)
    var other = recipe
    (other.epochs, other.loss, other.seed) = (30, .bce, 1)
    let error = #expect(throws: TrainingError.self) { try read(other) }
    #expect(
      error?.description
        == "\(path) is of a training with epochs 20, not 30, loss zlpr, not bce, seed 18446744073709551615, not 1")
  }

  @Test func otherDataAreRefusedByName() throws {
    try checkpoint.write(to: path)
    func refusal(_ data: TrainingDataKey) -> String? {
      #expect(throws: TrainingError.self) { try read(nil, data) }?.description
    }
    func key(_ encoder: String, _ train: String, _ development: String, _ features: FeaturePrecision) -> TrainingDataKey
    {
      .init(encoder: encoder, train: train, development: development, features: features, device: "x")
    }
    #expect(refusal(key("E", "t", "d", .float32))?.hasSuffix("of a training with another encoder") == true)
    #expect(
      refusal(key("e", "T", "D", .float32))?.hasSuffix("with other training data, other development data") == true)
    #expect(refusal(key("e", "t", "d", .float16))?.hasSuffix("with features in float32") == true)
    let elsewhere = TrainingDataKey(encoder: "e", train: "t", development: "d", features: .float32, device: "y")
    #expect(try read(nil, elsewhere).data.device == "x", "another device is no other training")
  }

  @Test func aDamagedFileIsRefused() throws {
    try checkpoint.write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    func refusal(_ change: (inout Data) -> Void) throws -> String? {
      var data = whole
      change(&data)
      try data.write(to: URL(fileURLWithPath: path))
      return #expect(throws: ModelFileError.self) { try read() }?.problem
    }
    #expect(try refusal { $0 = $0.dropLast(3) }?.contains("cut short") == true)
    #expect(try refusal { $0 = Data("{}".utf8) } != nil)
    func replace(_ old: String, _ new: String) -> (inout Data) -> Void {
      { data in if let place = data.range(of: Data(old.utf8)) { data.replaceSubrange(place, with: Data(new.utf8)) } }
    }
    #expect(try refusal(replace(#""training":"3""#, #""training":"2""#))?.contains("version '2'") == true)
    #expect(try refusal(replace(#""training""#, #""trainong""#))?.contains("no checkpoint of a training") == true)
    // Every byte that says something is checked: texts, names, numbers.
    func flip(_ fromEnd: Int, _ bits: UInt8) -> (inout Data) -> Void { { $0[$0.count - fromEnd] ^= bits } }
    let changes: [(inout Data) -> Void] = [
      replace("zlpr", "zlpq"), replace(#"bestEpoch\":1"#, #"bestEpoch\":2"#),
      replace("best:0.bias.bias", "best:9.bias.bias"), flip(1, 1), flip(9, 64),
      replace(#""shape":[2,1]"#, #""shape":[1,2]"#), replace(#""shape":[2,1]"#, #""shape":[2]  "#),
    ]
    for change in changes { #expect(try refusal(change)?.contains("its checksum is wrong") == true) }
  }

  /// The same bytes as other numbers.
  @Test func otherElementTypesAreRefused() throws {
    try checkpoint.write(to: path)
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    for (old, new) in [(#""F32","shape":[2,1]"#, #""F64","shape":[1]  "#)] {
      let place = try #require(data.range(of: Data(old.utf8)))
      data.replaceSubrange(place, with: Data(new.utf8))
    }
    try data.write(to: URL(fileURLWithPath: path))
    #expect(#expect(throws: ModelFileError.self) { try read() }?.problem.contains("holds F64") == true)
  }

  @Test func aFileThatCannotBeWrittenLeavesTheOlderOne() throws {
    try checkpoint.write(to: path)
    let older = try Data(contentsOf: URL(fileURLWithPath: path))
    // A directory in its place: the rename is refused.
    let blocked = scratch.file("blocked")
    try FileManager.default.createDirectory(atPath: blocked + "/inside", withIntermediateDirectories: true)
    let error = #expect(throws: ModelFileError.self) { try checkpoint.write(to: blocked) }
    #expect(error?.problem.hasPrefix("cannot be written") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == older)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["blocked", "c.safetensors"])
  }
}
