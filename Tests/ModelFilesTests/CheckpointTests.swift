import Testing

@testable import ModelFiles

@Suite struct CheckpointTests {
  private func write(_ path: String, _ tensors: [String: [Float]]) throws {
    var writer = SafetensorsWriter()
    for (name, values) in tensors { writer.add(name, floats: values, shape: [values.count]) }
    try writer.write(to: path)
  }

  @Test func singleFile() throws {
    let scratch = try Scratch()
    try write(scratch.file("model.safetensors"), ["b": [1, 2], "a": [3]])
    // Not looked at when there is a single file.
    try scratch.write("model.safetensors.index.json", "nonsense")
    let checkpoint = try Checkpoint(directory: scratch.path)
    #expect(checkpoint.names == ["a", "b"])
    #expect(checkpoint.contains("a") && !checkpoint.contains("c"))
    #expect(checkpoint.entry(named: "b")?.shape == [2] && checkpoint.entry(named: "c") == nil)
    #expect(try checkpoint.floats(named: "b", shape: [2]) == [1, 2])
    #expect(
      failure { try checkpoint.floats(named: "b", shape: [1, 2]) }?.problem
        == "shape [1, 2] expected, [2] found")
  }

  @Test func anotherBaseName() throws {
    let scratch = try Scratch()
    try write(scratch.file("diffusion_pytorch_model.safetensors"), ["a": [3]])
    let checkpoint = try Checkpoint(
      directory: scratch.path + "/", baseName: "diffusion_pytorch_model")
    #expect(checkpoint.names == ["a"])
    #expect(failure { try Checkpoint(directory: scratch.path) }?.file == scratch.path)
  }

  @Test func otherFormatsGetAdvice() throws {
    let scratch = try Scratch()
    try scratch.write("pytorch_model.bin", "x")
    let error = failure { try Checkpoint(directory: scratch.path) }
    #expect(error?.problem.contains("convert pytorch_model.bin") == true)
  }

  @Test func shards() throws {
    let scratch = try Scratch()
    try write(scratch.file("one.safetensors"), ["a": [1], "unlisted": [9]])
    try write(scratch.file("two.safetensors"), ["b": [2]])
    try scratch.write(
      "model.safetensors.index.json",
      """
      {"metadata": {"total_size": 8},
       "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
      """)
    let checkpoint = try Checkpoint(directory: scratch.path)
    #expect(checkpoint.names == ["a", "b"])
    #expect(try checkpoint.floats(named: "a", shape: [1]) == [1])
    #expect(try checkpoint.floats(named: "b", shape: [1]) == [2])
    #expect(
      failure { try checkpoint.floats(named: "c", shape: [1]) }?.problem.contains("2 tensors")
        == true)
  }

  @Test(arguments: [
    "../outside.safetensors", "/etc/passwd", "..", ".", "", "sub/one.safetensors", "a\\u0000b",
    ".hidden", "sub\\\\one",
  ])
  func shardsStayInTheDirectory(name: String) throws {
    let scratch = try Scratch()
    try scratch.write("model.safetensors.index.json", #"{"weight_map": {"a": "\#(name)"}}"#)
    let error = failure { try Checkpoint(directory: scratch.path) }
    #expect(error?.problem.contains("not the name of a file beside the index") == true)
  }

  @Test(arguments: [
    #"{"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}"#,  // b is not in it
    #"{"weight_map": {"a": "none.safetensors"}}"#,
    #"{"weight_map": {"a": 1}}"#, #"{"weight_map": []}"#, "{}", "",
    #"{"weight_map": {"a": "one.safetensors", "a": "one.safetensors"}}"#,
    #"{"weight_map": {"\u00e9": "one.safetensors", "e\u0301": "one.safetensors"}}"#,
  ])
  func refusedIndexes(index: String) throws {
    let scratch = try Scratch()
    try write(scratch.file("one.safetensors"), ["a": [1], "\u{E9}": [2]])
    try scratch.write("model.safetensors.index.json", index)
    #expect(failure { try Checkpoint(directory: scratch.path) } != nil)
  }

  @Test func closestNames() {
    let names = [
      "bert.encoder.layer.0.attention.self.query.weight", "bert.pooler.dense.weight", "x",
    ]
    #expect(
      nearestNames(to: "encoder.layer.0.attention.self.query.weight", among: names).first
        == names[0])
    #expect(nearestNames(to: "bert.poolr.dense.weight", among: names).first == names[1])
    #expect(nearestNames(to: "something.else", among: names).isEmpty)
    #expect(nearestNames(to: "", among: ["", "a"]).first == "")
  }

  @Test(.enabled(if: Places.hasShared("models/litbank-minilm"), "needs ../shared/models"))
  func publishedModel() throws {
    let directory = "\(try #require(Places.shared))/models/litbank-minilm"
    let configuration = try BertConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    let name = try #require(checkpoint.names.first { $0.hasSuffix("word_embeddings.weight") })
    let shape = [configuration.vocabularySize, configuration.hiddenSize]
    let floats = try checkpoint.floats(named: name, shape: shape)
    #expect(floats.count == shape[0] * shape[1] && floats.allSatisfy(\.isFinite))
  }
}
