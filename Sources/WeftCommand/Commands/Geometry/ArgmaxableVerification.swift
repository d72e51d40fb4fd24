import ArgumentParser
import Foundation
import Geometry
import ModelFiles

/// Checks a file of proofs against the layer that they are about, with nothing of the search.
struct ArgmaxableVerification {
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
    try report(summary, faults, missing)
    if !faults.isEmpty || !missing.isEmpty { throw ExitCode(ExitStatus.failure.rawValue) }
  }

  private func report(_ summary: ArgmaxableSummary, _ faults: [String], _ missing: [Int]) throws {
    if json {
      try printReport(object(summary, faults, missing))
      return
    }
    for fault in faults.prefix(Self.shown) { note("weft: \(path): \(fault)") }
    if faults.count > Self.shown { note("weft: \(path): and \(faults.count - Self.shown) more; --json lists all") }
    if !missing.isEmpty {
      let names = missing.prefix(Self.shown).map(String.init).joined(separator: ", ")
      let isOne = missing.count == 1
      note(
        "weft: \(path): \(Quantity.grouped(missing.count)) \(isOne ? "class has" : "classes have") no proof that holds: "
          + names + (missing.count > Self.shown ? ", …" : ""))
    }
    let undecided = summary.count(.undecided)
    let proven = summary.total - undecided
    let counts = Verdict.allCases.filter { $0 != .undecided && summary.count($0) > 0 }
      .map { "\(Quantity.grouped(summary.count($0))) \($0.rawValue)" }.joined(separator: ", ")
    try printReport(
      "\(Quantity.grouped(proven)) \(proven == 1 ? "proof holds" : "proofs hold")"
        + (counts.isEmpty ? "" : ": \(counts)")
        + (undecided == 0
          ? "" : "; \(Quantity.grouped(undecided)) undecided, of which nothing is proven but the bounds") + "\n")
  }

  private func object(_ summary: ArgmaxableSummary, _ faults: [String], _ missing: [Int]) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("holds")
    writer.boolean(faults.isEmpty && missing.isEmpty)
    writer.name("counts")
    writer.beginObject()
    for verdict in Verdict.allCases {
      writer.name(verdict.rawValue)
      writer.integer(summary.count(verdict))
    }
    writer.endObject()
    writer.name("faults")
    writer.beginArray()
    for fault in faults { writer.string(fault) }
    writer.endArray()
    writer.name("missing")
    writer.beginArray()
    for index in missing { writer.integer(index) }
    writer.endArray()
    writer.endObject()
    writer.newline()
    return writer.string
  }
}
