import ArgumentParser
import Foundation
import Geometry
import Weft

struct ArgmaxableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "argmaxable",
    abstract: "Find the words a model can never predict.",
    usage: """
      weft argmaxable --tensor <name> [<options>] <file.safetensors>
      weft argmaxable --tensor <name> --verify <proofs.jsonl> <file.safetensors>
      """,
    discussion: """
      A model predicts the class (the word) with the highest score <w, h> + b, for a hidden vector h that it computes. \
      A class whose vector w lies among the others' may never have the highest, whatever h is. Every class ends as

        argmaxable     a hidden vector that puts it above all others is known
        unargmaxable   others, in a weighted average, score at least as much whatever h is
        tied           another class has the very same numbers
        undecided      neither is proven; no hidden vector puts it above by more than a stated bound

      and everything but the last has been proven, in double precision with bounds on all rounding, of the float32 (or \
      float16, bfloat16) numbers in the file as they are. --proofs keeps the proofs, a line a class, and a run that was \
      interrupted goes on from there; --verify checks them again, with none of the code that found them.

        weft argmaxable model.safetensors --tensor lm_head.weight --vocab vocab.txt --proofs proofs.jsonl
        weft argmaxable model.safetensors --tensor lm_head.weight --verify proofs.jsonl
      """)

  @Option(help: ArgumentHelp("The classes' vectors: a tensor of shape [classes, dimension].", valueName: "name"))
  var tensor: String

  @Option(help: ArgumentHelp("The classes' biases: a tensor of shape [classes].", valueName: "name"))
  var bias: String?

  @Option(help: ArgumentHelp("The classes' names, one a line.", valueName: "vocab.txt"))
  var vocab: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Allow only hidden vectors with elements from -B to B. Changes nothing where there is no bias.", valueName: "B"))
  var box: Double?

  @Option(
    help: ArgumentHelp("Write a proof for each class here, and go on from those that are there.", valueName: "file"))
  var proofs: String?

  @Option(help: ArgumentHelp("Check these proofs, and search for none.", valueName: "file"))
  var verify: String?

  @Flag(help: "Print one JSON object instead of a report.")
  var json = false

  @OptionGroup var device: DeviceOptions

  @Argument(help: ArgumentHelp("The checkpoint.", valueName: "file.safetensors"))
  var file: String

  func validate() throws {
    if let box, !(box > 0 && box.isFinite) { throw ValidationError("--box must be a number above 0") }
    if proofs != nil && verify != nil {
      throw ValidationError("--proofs are for a search, and --verify checks: give one")
    }
    if proofs == "" || verify == "" { throw ValidationError("--proofs and --verify need the name of a file") }
    try OutputName.checkDiffer([("--proofs", proofs)], inputs: [("the checkpoint", file), ("--vocab", vocab)])
  }

  func run() async throws {
    let layer = try ArgmaxableLayer(file: file, tensor: tensor, bias: bias, vocab: vocab, box: box)
    if let verify {
      try await ArgmaxableVerification(layer, proofs: verify, json: json).run()
    } else {
      try await ArgmaxableRun(layer, proofs: proofs, json: json).run(on: try await device.engine())
    }
  }
}
