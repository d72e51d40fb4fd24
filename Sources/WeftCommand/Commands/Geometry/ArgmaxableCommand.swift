import ArgumentParser
import Foundation
import Geometry
import ModelFiles
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
        tied           another class has the same vector and bias, and thus score
        undecided      neither is proven; no hidden vector puts it above by more than a stated bound

      and everything but the last has been proven, with bounds on all rounding or without any, of the numbers in the \
      file as they are: float16, bfloat16, float32 or float64. A class with a copy is tied and nothing else; the report says \
      whether the copies can be at the top together or are below others. In a layer of at most \
      \(Quantity.grouped(ArgmaxSearch.exactSize)) numbers, \
      \(ArgmaxSearch.exactWidth) a class (the dimension, and one more with biases), no class stays undecided: the hardest \
      are solved in exact arithmetic.

      --proofs keeps the proofs, a line a class, and a run that was interrupted goes on from there; --verify checks them \
      again, with none of the code that found them. Each class has one verdict that can be proven, so that the counts of \
      a file that holds are the layer's.

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

/// Decides the classes of a layer that are not decided yet, and reports on all.
private struct ArgmaxableRun {
  private let layer: ArgmaxableLayer
  private let proofs: String?
  private let json: Bool

  init(_ layer: ArgmaxableLayer, proofs: String?, json: Bool) {
    (self.layer, self.proofs, self.json) = (layer, proofs, json)
  }

  func run(on engine: Engine) async throws {
    let start = ContinuousClock.now
    let total = layer.classes.count
    var summary = ArgmaxableSummary()
    let bar = ProgressBar.onStandardError(title: "argmaxable", total: total, unit: .classes)
    defer { bar?.clear() }
    func count(_ found: [ClassProof]) {
      for proof in found { _ = summary.add(proof) }
      bar?.remark = summary.remark
      bar?.advance(documents: found.count, tokens: 0)
    }

    let search = try await ArgmaxSearch(layer.classes, box: layer.box, on: engine)
    var writer = try proofs.map { try ArgmaxableProofWriter(path: $0) }
    var givenUp: Set<Int> = []
    if let proofs {
      let earlier = try await resume(proofs, search.checker, count, givenUp: &givenUp)
      if let content = earlier.replacement {
        let isOne = earlier.outdated == 1
        note(
          "weft: \(proofs): \(Quantity.grouped(earlier.outdated)) \(isOne ? "proof" : "proofs") of an earlier version "
            + "\(isOne ? "does" : "do") not hold; searching anew")
        // The name gets another file, which is locked as the first was.
        let file = try OutputFile(path: proofs)
        try file.write(content)
        try file.commit()
        writer = try ArgmaxableProofWriter(path: proofs)
      }
      if summary.total > 0 {
        note(
          "weft: going on from \(Quantity.grouped(summary.total)) \(summary.total == 1 ? "proof" : "proofs") in \(proofs)"
        )
      }
      try writer?.start(keeping: earlier.bytes, header: ArgmaxableProofHeader(layer))
    }
    let open = (0..<total).filter { !summary.has($0) }
    try await search.run(open) { found, _ in
      // A class that is undecided once more has its line already.
      try writer?.append(found.filter { $0.verdict != .undecided || !givenUp.contains($0.index) })
      count(found)
    }
    bar?.clear()
    let seconds = start.duration(to: .now) / .seconds(1)
    try ArgmaxableReport(
      layer: layer, summary: summary, seconds: seconds, processorSeconds: processorSeconds(),
      device: engine.device.name
    ).show(json: json)
  }

  /// What is there of an earlier run.
  private struct EarlierRun {
    /// How many bytes of the file to keep.
    var bytes = 0
    /// How many of its proofs an earlier version took and this one does not.
    var outdated = 0
    /// The file without those; nil if there are none.
    var replacement: [UInt8]?
  }

  /// Takes over the proofs of an earlier run, checked again. What it left undecided is tried again.
  private func resume(
    _ path: String, _ checker: ProofChecker, _ count: ([ClassProof]) -> Void, givenUp: inout Set<Int>
  ) async throws -> EarlierRun {
    let header = ArgmaxableProofHeader(layer)
    guard var reader = try ArgmaxableProofReader.open(path, expecting: header) else { return EarlierRun() }
    if let difference = header.difference(from: reader.header) {
      throw ModelFileError(file: path, problem: "holds other proofs: \(difference); give another name")
    }
    var lines: [Int: Int] = [:]
    var outdated: [NumberedProof] = []
    while true {
      let proofs = try reader.next(1024) { line, problem in throw Self.fault(path, line, problem) }
      if proofs.isEmpty {
        guard !outdated.isEmpty else { return EarlierRun(bytes: reader.wholeBytes) }
        let content = reader.content(without: outdated)
        return EarlierRun(bytes: content.count, outdated: outdated.count, replacement: content)
      }
      var taken: [ClassProof] = []
      for (proof, outcome) in zip(proofs, await checker.checked(proofs.map(\.proof))) {
        if case .rejected(let rejection) = outcome {
          guard rejection.isOutdated else { throw Self.fault(path, proof.line, rejection.reason) }
          outdated.append(proof)
          continue
        }
        if let other = lines[proof.proof.index] {
          throw Self.fault(path, proof.line, "class \(proof.proof.index) is on line \(other) too")
        }
        if proof.proof.verdict == .undecided {
          givenUp.insert(proof.proof.index)
        } else {
          lines[proof.proof.index] = proof.line
          taken.append(proof.proof)
        }
      }
      count(taken)
    }
  }

  private static func fault(_ path: String, _ line: Int, _ problem: String) -> ModelFileError {
    ModelFileError(file: path, subject: "line \(line)", problem: "\(problem); delete the line, or give another name")
  }
}

/// Checks a file of proofs against the layer that they are about, with nothing of the search.
private struct ArgmaxableVerification {
  /// Faults and classes named in notes; JSON has all.
  private static let shown = 20

  private let layer: ArgmaxableLayer
  private let path: String
  private let json: Bool

  init(_ layer: ArgmaxableLayer, proofs path: String, json: Bool) {
    (self.layer, self.path, self.json) = (layer, path, json)
  }

  func run() async throws {
    guard fileExists(path) else { throw ModelFileError(file: path, problem: "there is no such file") }
    let header = ArgmaxableProofHeader(layer)
    guard var reader = try ArgmaxableProofReader.open(path, expecting: header) else {
      throw ModelFileError(file: path, problem: "holds no proofs")
    }
    if let difference = header.difference(from: reader.header) {
      throw ModelFileError(file: path, problem: "holds other proofs: \(difference)")
    }
    let checker = try ProofChecker(layer.classes, box: layer.box)
    let bar = ProgressBar.onStandardError(title: "verify", total: layer.classes.count, unit: .classes)
    defer { bar?.clear() }
    var summary = ArgmaxableSummary()
    var faults: [String] = []
    while true {
      let proofs = try reader.next(1024) { line, problem in faults.append("line \(line): \(problem)") }
      if proofs.isEmpty { break }
      for (proof, finding) in zip(proofs, await checker.findings(proofs.map(\.proof))) {
        switch finding {
        case .rejected(let reason): faults.append("line \(proof.line): class \(proof.proof.index): \(reason)")
        case .proven:
          if !summary.add(proof.proof) {
            faults.append("line \(proof.line): class \(proof.proof.index) has a proof already")
          }
        }
      }
      bar?.remark = summary.remark
      bar?.advance(documents: proofs.count, tokens: 0)
    }
    bar?.clear()
    if reader.isCut { faults.append("the last line has no end") }
    let missing = (0..<layer.classes.count).filter { !summary.has($0) }
    let report = ArgmaxableVerificationReport(summary: summary, faults: faults, missing: missing)
    if !json { noteFaults(report) }
    try report.show(json: json)
    if !report.holds { throw ExitCode(ExitStatus.failure.rawValue) }
  }

  private func noteFaults(_ report: ArgmaxableVerificationReport) {
    let (faults, missing) = (report.faults, report.missing)
    for fault in faults.prefix(Self.shown) { note("weft: \(path): \(fault)") }
    if faults.count > Self.shown { note("weft: \(path): and \(faults.count - Self.shown) more; --json lists all") }
    guard !missing.isEmpty else { return }
    let names = missing.prefix(Self.shown).map(String.init).joined(separator: ", ")
    let isOne = missing.count == 1
    note(
      "weft: \(path): \(Quantity.grouped(missing.count)) \(isOne ? "class has" : "classes have") no proof that holds: "
        + names + (missing.count > Self.shown ? ", …" : ""))
  }
}
