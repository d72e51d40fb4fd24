import ArgumentParser
import Foundation
import Geometry
import ModelFiles
import Weft

/// Decides the classes of a layer that are not decided yet, and reports on all.
struct ArgmaxableRun {
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
    let writer = try proofs.map { try ArgmaxableProofWriter(path: $0) }
    var givenUp: Set<Int> = []
    if let proofs, let writer {
      let bytes = try await resume(proofs, search.checker, count, givenUp: &givenUp)
      if summary.total > 0 {
        note(
          "weft: going on from \(Quantity.grouped(summary.total)) \(summary.total == 1 ? "proof" : "proofs") in \(proofs)"
        )
      }
      try writer.start(keeping: bytes, header: ArgmaxableProofHeader(layer))
    }
    let open = (0..<total).filter { !summary.has($0) }
    try await search.run(open) { found, _ in
      // A class that is undecided once more has its line already.
      try writer?.append(found.filter { $0.verdict != .undecided || !givenUp.contains($0.index) })
      count(found)
    }
    bar?.clear()
    let seconds = start.duration(to: .now) / .seconds(1)
    let report = ArgmaxableReport(layer, summary, seconds: seconds, device: engine.device.name)
    try printReport(json ? report.json : report.text(on: Terminal(describing: STDOUT_FILENO)))
  }

  /// Takes over the proofs of an earlier run, checked again. What it left undecided is tried again.
  /// - Returns: how many bytes of the file to keep.
  private func resume(
    _ path: String, _ checker: ProofChecker, _ count: ([ClassProof]) -> Void, givenUp: inout Set<Int>
  ) async throws -> Int {
    let header = ArgmaxableProofHeader(layer)
    guard var reader = try ArgmaxableProofReader.open(path, expecting: header) else { return 0 }
    if let difference = header.difference(from: reader.header) {
      throw ModelFileError(file: path, problem: "holds other proofs: \(difference); give another name")
    }
    var lines: [Int: Int] = [:]
    while true {
      let proofs = try reader.next(1024) { line, problem in throw Self.fault(path, line, problem) }
      if proofs.isEmpty { return reader.wholeBytes }
      for (proof, finding) in zip(proofs, await checker.findings(proofs.map(\.proof))) {
        if case .rejected(let reason) = finding { throw Self.fault(path, proof.line, reason) }
        if let other = lines[proof.proof.index] {
          throw Self.fault(path, proof.line, "class \(proof.proof.index) is on line \(other) too")
        }
        if proof.proof.verdict == .undecided {
          givenUp.insert(proof.proof.index)
        } else {
          lines[proof.proof.index] = proof.line
        }
      }
      count(proofs.map(\.proof).filter { $0.verdict != .undecided })
    }
  }

  private static func fault(_ path: String, _ line: Int, _ problem: String) -> ModelFileError {
    ModelFileError(file: path, subject: "line \(line)", problem: "\(problem); delete the line, or give another name")
  }
}
