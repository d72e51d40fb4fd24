import Foundation
import ModelFiles
import Testing

@testable import TokenPairs

/// What an import refuses, what it leaves out, and that it leaves nothing behind.
@Suite struct ImportFaultTests {
  private static func route(_ dialect: String, _ task: ModelTask = .entities, _ kind: HeadKind = .efficient) throws
    -> ImportRouteCase
  {
    try #require(
      ImportRouteCase.all.first { $0.dialect == dialect && $0.task == task && $0.kind == kind })
  }

  /// A change of a checkpoint or of the request, and what the message about it must hold.
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    var dialect = "xhw205"
    var task = ModelTask.entities
    let says: [String]
    let change: @Sendable (inout ForeignCheckpoint, inout ImportRequest) throws -> Void

    init(
      _ name: String, _ dialect: String = "xhw205", _ task: ModelTask = .entities, _ says: String...,
      change: @escaping @Sendable (inout ForeignCheckpoint, inout ImportRequest) throws -> Void
    ) {
      (self.name, self.dialect, self.task, self.says, self.change) = (name, dialect, task, says, change)
    }

    var testDescription: String { name }
  }

  static let faults = [
    Fault("a tensor is missing", "xhw205", .entities, "encoder.encoder.layer.1.output.dense.bias", "--tensor") { c, _ in
      c.arrays.removeAll { $0.name == "encoder.encoder.layer.1.output.dense.bias" }
    },
    Fault(
      "a tensor of Keras is missing", "bert4keras", .entities, "kernel of dense layer 2 in 'Transformer-1-FeedForward'",
      "is missing"
    ) { c, _ in
      c.arrays.removeAll { $0.name == "Transformer-1-FeedForward/dense_18/kernel:0" }
    },
    Fault("a bias is missing", "xhw205", .entities, "'dense_2.bias'") { c, _ in
      c.arrays.removeAll { $0.name == "dense_2.bias" }
    },
    Fault("the head is missing", "xhw205", .entities, "head of entities", "'dense_1'", "--tensor p_dense=NAME") {
      c, _ in
      c.arrays.removeAll { $0.name.hasPrefix("dense_") }
    },
    Fault("a link head is missing", "junnyu", .relations, "last tokens", "'tail_output.dense1'", "tail_output.p_dense=")
    {
      c, _ in c.arrays.removeAll { $0.name.hasPrefix("tail_output") }
    },
    Fault("half an efficient head", "bert4keras", .entities, "head of entities", "whole", "1 found") { c, r in
      // Of two labels: what is left would do for a plain head of them.
      r.labels = ["A", "B"]
      c.arrays.removeAll { $0.name.hasPrefix("efficient_global_pointer/dense_99") }
    },
    Fault("two heads where three are needed", "bert4keras", .relations, "subjects and objects", "3 expected", "2 found")
    { c, _ in
      c.arrays.removeAll { $0.name.hasPrefix("efficient_global_pointer_1") }
    },
    Fault("no encoder", "xhw205", .entities, "no encoder", "'embeddings.LayerNorm.weight'", "xhw205") { c, _ in
      c.arrays.removeAll { $0.name.hasPrefix("encoder.") }
    },
    Fault("another code's names", "paddle", .entities, "no encoder") { _, r in
      r.dialect = try #require(HeadDialect.named("bert4keras"))
    },
    Fault("a shape", "xhw205", .entities, "word_embeddings", "[10, 8] expected", "[8, 10] found") { c, _ in
      c.arrays[0].shape = [8, 10]
    },
    Fault("a matrix that is not turned", "paddle", .entities, "linear1.weight", "[8, 12] expected", "[12, 8] found") {
      c, _ in
      let place = try #require(c.arrays.firstIndex { $0.name == "encoder.encoder.layers.0.linear1.weight" })
      c.arrays[place] = c.arrays[place].turned
    },
    Fault("a layer too many", "xhw205", .entities, "layer.2.output.dense.bias", "2 layers", "no place") { c, _ in
      c.arrays.append(
        NamedArray(name: "encoder.encoder.layer.2.output.dense.bias", values: [0], shape: [1]))
    },
    Fault("a number that is none", "xhw205", .entities, "'dense_1.bias'", "element 2 is nan") { c, _ in
      let place = try #require(c.arrays.firstIndex { $0.name == "dense_1.bias" })
      c.arrays[place].values[2] = .nan
    },
    Fault("labels too few", "xhw205", .entities, "'dense_2.bias'", "made for 3 labels", "2 labels are given") { _, r in
      r.labels.removeLast()
    },
    Fault("predicates too many", "junnyu", .relations, "'head_output.dense2.bias'", "4 predicates", "5 predicates") {
      _, r in r.predicates.append("Fifth")
    },
    Fault("another head size", "xhw205", .entities, "'dense_1.bias'", "heads of 4", "64 is given") { _, r in
      r.headSize = 64
    },
    Fault("another kind of head", "xhw205", .entities, "head of entities", "'dense'", "--tensor dense=NAME") { _, r in
      r.kind = .globalPointer
    },
    Fault("an unknown layer", "xhw205", .entities, "--tensor r_dense", "no layer 'r_dense'") { _, r in
      r.layerNames["r_dense"] = "dense_1"
    },
    Fault("a layer that is not there", "xhw205", .entities, "head of entities", "--tensor q_dense=NAME") { _, r in
      r.layerNames["q_dense"] = "dense_7"
    },
    Fault("an encoder layer that is not there", "xhw205", .entities, "'x.weight'") { _, r in
      r.layerNames["encoder.layer.0.output.dense"] = "x"
    },
    Fault("two tensors for one", "bert4keras", .entities, "Embedding-Norm/gamma", "stands for the same") { c, _ in
      c.arrays.append(NamedArray(name: "Embedding-Norm/gamma", values: .init(repeating: 1, count: 8), shape: [8]))
    },
    Fault("no configuration", "xhw205", .entities, "config.json", "--base") { c, _ in
      try FileManager.default.removeItem(atPath: c.scratch.file("config.json"))
    },
    Fault("another kind of encoder", "junnyu", .relations, "config.json", "roformer") { c, _ in
      try c.scratch.write(
        "config.json", SmallEncoder.configuration.replacingOccurrences(of: "\"bert\"", with: "\"roformer\""))
    },
    Fault("no tokenizer", "xhw205", .entities, "vocab.txt", "--base") { c, _ in
      try FileManager.default.removeItem(atPath: c.scratch.file("vocab.txt"))
    },
    Fault("a tokenizer that is too large", "xhw205", .entities, "11 tokens", "embeds 10") { c, _ in
      try c.scratch.write("vocab.txt", (SmallEncoder.vocabulary + ["b"]).joined(separator: "\n"))
    },
    Fault("a source that is not there", "xhw205", .entities, "nothing.npz", "No such file") { c, r in
      r.source = c.scratch.file("nothing.npz")
      try SmallEncoder.writeFiles(to: c.scratch)
    },
    Fault("a destination that holds something", "xhw205", .entities, "not empty") { c, r in
      r.destination = c.scratch.path
    },
    Fault("a destination that is a file", "xhw205", .entities, "not a directory") { c, r in
      try c.scratch.write("model", "")
      r.destination = c.scratch.file("model")
    },
    Fault("a destination in no directory", "xhw205", .entities, "cannot be created", "No such file") { c, r in
      r.destination = c.scratch.file("a/b/model")
    },
  ]

  @Test(arguments: faults) func aFaultIsNamedAndLeavesNothing(fault: Fault) throws {
    var checkpoint = try ForeignCheckpoint(Self.route(fault.dialect, fault.task))
    try checkpoint.write()
    var request = try checkpoint.request
    try fault.change(&checkpoint, &request)
    let weights = checkpoint.route.format.fileName
    try checkpoint.route.format.write(checkpoint.arrays, to: checkpoint.scratch.path)
    let before = try FileManager.default.contentsOfDirectory(atPath: checkpoint.scratch.path).sorted()
    #expect(before.contains(weights))
    let error = try #require(throws: ModelFileError.self) { try ModelImporter(request).run() }
    for word in fault.says { #expect(error.description.contains(word), "\(error)") }
    #expect(!error.description.contains("\n") && !error.description.contains(".partial"), "\(error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoint.scratch.path).sorted() == before)
  }

  @Test func listsThatNoModelCanHaveAreRefused() throws {
    func message(_ task: ModelTask, _ labels: [String], _ predicates: [String] = []) -> String {
      let request = ImportRequest(
        source: "", destination: "", dialect: .normal, task: task, labels: labels, predicates: predicates)
      do { try request.validate() } catch { return error.description }
      return ""
    }
    #expect(message(.entities, []).contains("at least one label"))
    #expect(message(.entities, ["A", "B", "A"]).contains("label \"A\" is given twice"))
    #expect(message(.entities, ["A", ""]).contains("label is empty"))
    #expect(message(.entities, ["A"], ["P"]).contains("no predicates"))
    #expect(message(.relations, [], []).contains("at least one predicate"))
    #expect(message(.relations, [], ["P", "P"]).contains("predicate \"P\" is given twice"))
    #expect(message(.events, ["A/b", "c"]).contains("\"c\" is not of the form TYPE/ROLE"))
    #expect(message(.events, ["A/b"]).isEmpty)
  }

  // MARK: What goes well

  @Test func tensorsWithoutAPlaceAreListed() throws {
    var checkpoint = try ForeignCheckpoint(Self.route("xhw205"))
    checkpoint.arrays.append(NamedArray(name: "lstm.weight_ih_l0", values: [1], shape: [1]))
    checkpoint.arrays.append(NamedArray(name: "classifier.bias", values: [1], shape: [1]))
    try checkpoint.write()
    #expect(try ModelImporter(checkpoint.request).run().leftOut == ["classifier.bias", "lstm.weight_ih_l0"])
  }

  @Test func layersUnderOtherNamesAreFoundWhenNamed() throws {
    var checkpoint = try ForeignCheckpoint(Self.route("junnyu", .relations))
    for index in checkpoint.arrays.indices {
      checkpoint.arrays[index].name = checkpoint.arrays[index].name
        .replacingOccurrences(of: "entity_output.dense1", with: "spans.u")
        .replacingOccurrences(of: "tail_output.dense2", with: "ends.b")
        .replacingOccurrences(of: "bert.encoder.layer.1.output.dense", with: "odd")
    }
    try checkpoint.write()
    var request = try checkpoint.request
    #expect(throws: ModelFileError.self) { try ModelImporter(request).run() }
    request.layerNames = [
      "entity_output.p_dense": "spans.u", "tail_output.q_dense": "ends.b", "encoder.layer.1.output.dense": "odd",
    ]
    #expect(try ModelImporter(request).run().leftOut.isEmpty)
    let links = try #require(try ModelDescription(directory: request.destination).linkHeads)
    #expect(
      try links.tail.parameters(from: Checkpoint(directory: request.destination), hiddenSize: 8).shape.types == 4)
  }

  @Test func layersOfKerasAreNamedAsTheyAreStored() throws {
    var checkpoint = try ForeignCheckpoint(Self.route("bert4keras"))
    for index in checkpoint.arrays.indices {
      checkpoint.arrays[index].name = checkpoint.arrays[index].name
        .replacingOccurrences(of: "efficient_global_pointer/", with: "spans/")
    }
    try checkpoint.write()
    var request = try checkpoint.request
    #expect(throws: ModelFileError.self) { try ModelImporter(request).run() }
    request.layerNames = ["p_dense": "spans/dense_98", "q_dense": "spans/dense_99"]
    let summary = try ModelImporter(request).run()
    #expect(summary.leftOut.isEmpty && summary.kind == .efficient && summary.headSize == 4)
  }

  @Test func whatDoesNotCarryOverIsSaid() throws {
    for (dialect, word) in [("ark-nlp", "different angles"), ("adaseq", "several pieces")] {
      let checkpoint = try ForeignCheckpoint(Self.route(dialect))
      try checkpoint.write()
      #expect(try ModelImporter(checkpoint.request).run().caveat?.contains(word) == true)
    }
    let checkpoint = try ForeignCheckpoint(Self.route("ark-nlp"), rope: false)
    try checkpoint.write()
    var request = try checkpoint.request
    request.rope = false
    #expect(try ModelImporter(request).run().caveat == nil)
  }

  @Test func halvesStayHalves() throws {
    let checkpoint = try ForeignCheckpoint(Self.route("bert4torch"))
    try checkpoint.write(half: true)
    try ModelImporter(checkpoint.request).run()
    let (before, after) = (
      try Checkpoint(directory: checkpoint.scratch.path), try Checkpoint(directory: checkpoint.scratch.file("model"))
    )
    for name in after.names { #expect(after.entry(named: name)?.elementType == .float16, "\(name)") }
    for (new, old) in [("p_dense", "global_pointer.p_dense"), ("q_dense", "global_pointer.q_dense")] {
      let shape = try #require(before.entry(named: "\(old).weight")?.shape)
      #expect(
        try after.floats(named: "\(new).weight", shape: shape).sorted()
          == before.floats(named: "\(old).weight", shape: shape).sorted())
    }
  }

  @Test func parallelTrainingsPrefixIsTakenOff() throws {
    var checkpoint = try ForeignCheckpoint(Self.route("xhw205"))
    for index in checkpoint.arrays.indices { checkpoint.arrays[index].name = "module." + checkpoint.arrays[index].name }
    try checkpoint.write()
    #expect(try ModelImporter(checkpoint.request).run().leftOut.isEmpty)
  }

  @Test func theBaseHoldsWhatTheCheckpointLacks() throws {
    let checkpoint = try ForeignCheckpoint(Self.route("bert4keras"))
    try checkpoint.write()
    let base = try Scratch()
    try base.write("bert_config.json", SmallEncoder.configuration)
    try base.write("vocab.txt", SmallEncoder.vocabulary.joined(separator: "\n"))
    for name in ["config.json", "vocab.txt"] {
      try FileManager.default.removeItem(atPath: checkpoint.scratch.file(name))
    }
    var request = try checkpoint.request
    request.source += "/weights.npz"
    request.base = base.path
    try ModelImporter(request).run()
    let names = try FileManager.default.contentsOfDirectory(atPath: request.destination).sorted()
    #expect(names == ["config.json", "globalpointer.json", "model.safetensors", "vocab.txt"])
  }

  /// ERNIE 3.0 adds the vector of its task to every token.
  @Test func theTaskEmbeddingOfERNIEJoinsTheSegments() throws {
    var checkpoint = try ForeignCheckpoint(Self.route("paddle"))
    let task = (0..<24).map { Float($0) / 16 }
    checkpoint.arrays.append(
      NamedArray(name: "encoder.embeddings.task_type_embeddings.weight", values: task, shape: [3, 8]))
    try checkpoint.write()
    try checkpoint.scratch.write(
      "config.json", SmallEncoder.configuration.replacingOccurrences(of: "\"bert\"", with: "\"ernie\""))
    #expect(try ModelImporter(checkpoint.request).run().leftOut.isEmpty)
    let segments = try #require(
      checkpoint.encoder.arrays.first { $0.name == "embeddings.token_type_embeddings.weight" })
    let sums = segments.values.enumerated().map { $1 + task[$0 % 8] }
    let model = try Checkpoint(directory: checkpoint.scratch.file("model"))
    #expect(try model.floats(named: "bert.\(segments.name)", shape: [3, 8]) == sums)
  }

  @Test func anEmptyDestinationIsFilled() throws {
    let checkpoint = try ForeignCheckpoint(Self.route("xhw205"))
    try checkpoint.write()
    let request = try checkpoint.request
    try FileManager.default.createDirectory(atPath: request.destination, withIntermediateDirectories: false)
    try ModelImporter(request).run()
    #expect(try ModelDescription(directory: request.destination).labels == ["PER", "LOC", "ORG"])
  }
}
