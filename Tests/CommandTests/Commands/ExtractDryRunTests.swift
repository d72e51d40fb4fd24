import Testing

/// `weft extract --dry-run`: what a model takes, without loading it.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct ExtractDryRunTests {
  @Test func aDryRunReadsAndComputesNothing() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.run(
      "extract", "--dry-run", "--output", folder.path + "/out.jsonl", "not-there.jsonl")
    #expect(run.status == 0 && run.complaints.isEmpty, "\(run.errorText)")
    #expect(folder.names.isEmpty)
    #expect(
      run.lines.map { $0.prefix(11) } == ["model      ", "encoder    ", "windows    ", "memory     ", "device     "])
    for text in ["entities, ", "BERT, ", "of up to 512 tokens, ", "weights ", "a window ", "MiB"] {
      #expect(run.text.contains(text), "no '\(text)' in \(run.text)")
    }
  }

  /// A batch holds as many of the longest windows as its tokens allow, and at least one.
  @Test(arguments: [
    ("1024", "2 of that length in a batch of 1,024 tokens"), ("100", "one of that length in a batch of 100 tokens"),
  ])
  func batchesFollowTheOption(tokens: String, words: String) async throws {
    let run = try await Weft.run("extract", "--dry-run", "--batch-tokens", tokens)
    #expect(run.status == 0 && run.text.contains(words), "\(run.text)\(run.errorText)")
  }

  @Test func aSmallModel() async throws {
    let folder = try TemporaryFolder()
    try SmallModel().write(into: folder)
    let run = try await Weft.run("extract", "--dry-run", "--model", folder.path)
    #expect(run.status == 0, "\(run.errorText)")
    #expect(run.lines.first == "model      entities, 2 labels, 916 parameters")
    #expect(run.text.contains("of up to 12 tokens, "), "\(run.text)")
  }

  /// What a run would refuse, a dry run refuses too.
  @Test func wrongWeightsAreRefused() async throws {
    let name = "bert.encoder.layer.0.attention.self.query.weight"
    for shape in [nil, [8, 4]] {
      let folder = try TemporaryFolder()
      var model = SmallModel()
      model.tensors[name] = shape.map { SmallModel.Tensor($0) }
      try model.write(into: folder)
      let run = try await Weft.run("extract", "--dry-run", "--model", folder.path)
      #expect(run.status == 1 && run.text.isEmpty)
      #expect(run.errorText.contains(name), "\(run.errorText)")
    }
  }
}
