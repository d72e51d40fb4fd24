public import ArgumentParser
import ModelFiles
public import TokenPairs

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn a checkpoint of another training code into a model for Weft.",
    usage: "weft import --from <code> [<options>] <source> <destination>",
    discussion: """
      GlobalPointer models are trained with many codes, each with names and an order of its own for the same numbers. \
      This writes them in one form, as a directory that 'weft extract --model' takes:

        weft import --from bert4torch --labels PER,LOC,ORG trained/ model/
        weft import --from bert4keras --labels labels.txt --base bert/ w.npz model/
        weft import --from junnyu --task relations --predicates p.txt trained/ model/
        weft import --from paddle --task events --labels roles.json w.npz model/

      The source is a .safetensors or .npz file, or a directory with one. Training codes write files of their own; \
      export those in Python:

        PyTorch: safetensors.torch.save_file(model.state_dict(), "w.safetensors")
        Keras:   np.savez("w.npz", **{w.name: w.numpy() for w in model.weights})
        Paddle:  np.savez("w.npz", **{k: v.numpy() for k, v in m.state_dict().items()})

      config.json (or bert_config.json) and vocab.txt or tokenizer.json are taken from beside the source, or else from \
      --base. Labels and predicates must come in the order in which the model was trained; those of events are \
      TYPE/ROLE, the trigger being a role. Numbers are moved, not rounded: float16 stays float16.

      Tensors that the model has no place for are left out and listed. One that is missing, or of another shape, ends \
      the import with one line and status 1, and nothing is written.
      """)

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp(
      "The code that trained it: \(Self.codes.joined(separator: ", ")). A number is the last version that is meant.",
      valueName: "code"))
  var code: String

  @Option(help: ArgumentHelp("What it finds: entities, relations or events.", valueName: "task"))
  var task: ModelTask = .entities

  @Option(
    help: ArgumentHelp(
      "The labels: A,B,C or a file, one a line or JSON. Not for relations, whose labels are subject and object.",
      valueName: "labels"))
  var labels: String?

  @Option(help: ArgumentHelp("The predicates of relations: P,Q or a file.", valueName: "predicates"))
  var predicates: String?

  @Option(
    help: ArgumentHelp(
      "The kind of head: globalpointer or efficient. Told from the tensors' names unless given.", valueName: "kind"))
  var head: HeadKind?

  @Option(
    help: ArgumentHelp(
      "Channels of a head's query. Told from the tensors' shapes; refused if it is another.", valueName: "n"))
  var headSize: Int?

  @Flag(help: "The head that finds spans was trained without rotation (RoPE=False).")
  var noRope = false

  @Option(
    name: .customLong("tensor"), parsing: .singleValue,
    help: ArgumentHelp(
      "Where a layer is that is not found: its name in the model, such as p_dense, head_output.q_dense or encoder.layer.0.output.dense, and its name in the source. May be repeated.",
      valueName: "layer=name"))
  var layers: [LayerName] = []

  @Option(
    help: ArgumentHelp(
      "The pretrained model's directory, for files that are not beside the source.", valueName: "directory"))
  var base: String?

  @Argument(help: ArgumentHelp("The checkpoint: a file or a directory.", valueName: "source"))
  var source: String

  @Argument(
    help: ArgumentHelp(
      "The model to write: a directory that does not exist yet, or is empty.", valueName: "destination"))
  var destination: String

  func validate() throws {
    guard Self.codes.contains(code.lowercased()) else {
      throw ValidationError("--from \(code): known are \(Self.codes.joined(separator: ", "))")
    }
    switch task {
    case .entities, .events:
      if labels == nil {
        throw ValidationError("--labels is missing: what the model finds, in the order of its training")
      }
      if predicates != nil { throw ValidationError("--predicates are for --task relations") }
    case .relations:
      if predicates == nil {
        throw ValidationError("--predicates is missing: what relates, in the order of the model's training")
      }
      if labels != nil { throw ValidationError("--labels are not for relations: they are subject and object") }
    }
    guard Set(layers.map(\.layer)).count == layers.count else {
      throw ValidationError("--tensor names a layer twice")
    }
  }

  func run() throws {
    do {
      let summary = try ModelImporter(request()).run()
      if let caveat = summary.caveat { note("weft: \(caveat)") }
      if !summary.leftOut.isEmpty {
        note("weft: left out, since the model has no place for them: \(list(summary.leftOut))")
      }
      try printReport(
        "\(destination.printable): \(task.rawValue), \(summary.kind.rawValue) head of \(summary.headSize), encoder of "
          + "\(summary.layerCount) layers of \(summary.hiddenSize), \(summary.tensorCount) tensors\n")
    } catch let error as ImportError {
      note("Error: \(error)")
      throw ExitCode(ExitStatus.usage.rawValue)
    }
  }

  private func request() throws -> ImportRequest {
    guard let dialect = HeadDialect.named(code) else { throw ValidationError("--from \(code) is unknown") }
    return ImportRequest(
      source: source, destination: destination, base: base, dialect: dialect, task: task,
      labels: try labels.map { try LabelList.read($0) } ?? [],
      predicates: try predicates.map { try LabelList.read($0) } ?? [], kind: head, headSize: headSize, rope: !noRope,
      layerNames: Dictionary(uniqueKeysWithValues: layers.map { ($0.layer, $0.name) }))
  }

  private func list(_ names: [String]) -> String {
    let shown = names.prefix(20).joined(separator: ", ")
    return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
  }

  /// The normal form is what is written, not what is read.
  private static let codes = HeadDialect.all.filter { $0 != .normal }.map(\.name)
}

/// `LAYER=NAME`: a layer of the model, and what the source calls it.
struct LayerName: ExpressibleByArgument {
  let layer: String
  let name: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "=") else { return nil }
    layer = String(argument[..<sign])
    name = String(argument[argument.index(after: sign)...])
    if layer.isEmpty || name.isEmpty { return nil }
  }
}

extension ModelTask: ExpressibleByArgument {}
