import CPUBackend
import Engine
import Logging
import Testing

@testable import Geometry

extension OutputClasses {
  /// Classes from rows of numbers.
  init(_ rows: [[Float]], bias: [Float]? = nil) throws {
    try self.init(Vectors(rows.flatMap { $0 }, dimension: rows[0].count), bias: bias)
  }

  /// The proofs of a search in the order of the classes, each checked by a checker of its own; on the reference device
  /// unless another is given.
  func decided(box: Double? = nil, only chosen: [Int]? = nil, on engine: Engine? = nil) async throws -> [ClassProof] {
    let engine = engine ?? Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    let search = try await ArgmaxSearch(self, box: box, on: engine)
    var proofs: [ClassProof] = []
    try await search.run(chosen) { found, _ in proofs += found }
    proofs.sort { $0.index < $1.index }
    #expect(proofs.map(\.index) == (chosen?.sorted() ?? Array(0..<count)))
    let findings = try await ProofChecker(self, box: box).findings(proofs)
    for (proof, finding) in zip(proofs, findings) {
      #expect(finding == .proven, "\(proof.index) \(proof.verdict)")
    }
    return proofs
  }

  /// The verdicts of a search.
  func verdicts(box: Double? = nil) async throws -> [Verdict] { try await decided(box: box).map(\.verdict) }
}
