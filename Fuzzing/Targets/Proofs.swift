import Dispatch
import Engine
import Foundation

@testable import Geometry
@testable import ModelFiles
@testable import WeftCommand

extension FuzzTarget {
  /// Proofs that classes can or cannot win: whatever a file claims, only what is proven counts.
  static let proofs = [
    FuzzTarget(name: "proofs") { input in
      let folder = try FuzzFolder()
      let path = try folder.write("proofs.jsonl", input)
      let layer = try Self.layer.get()
      guard var reader = try? ArgmaxableProofReader.open(path, expecting: ArgmaxableProofHeader(layer)) else { return }
      _ = reader.header.difference(from: ArgmaxableProofHeader(layer))
      guard let proofs = try? reader.next(100, fault: { _, _ in }) else { return }
      for proof in proofs.map(\.proof) {
        var writer = JSONWriter()
        ArgmaxableProofLine.write(proof, to: &writer)
        let read = try ArgmaxableProofLine.read(writer.bytes, of: path)
        var again = JSONWriter()
        ArgmaxableProofLine.write(read, to: &again)
        try require(again.bytes == writer.bytes, "another proof was written")
      }
      let checker = try ProofChecker(layer.classes)
      let findings = waiting { await checker.findings(proofs.map(\.proof)) }
      for (proof, finding) in zip(proofs.map(\.proof), findings) where finding == .proven {
        // The last class lies between the others: no hidden vector is for it alone.
        guard case .argmaxable = proof.claim else { continue }
        try require(proof.index < 4, "class \(proof.index) is said to win")
      }
    }
  ]

  /// Four corners of a square and a point within.
  static let layer = Result {
    let folder = try FuzzFolder()
    var writer = SafetensorsWriter()
    writer.add("w", floats: [1, 1, -1, 1, 1, -1, -1, -1, 0.25, 0.125], shape: [5, 2])
    let path = "\(folder.path)/layer"
    try writer.write(to: path)
    defer { unlink(path) }
    return try ArgmaxableLayer(file: path, tensor: "w")
  }

  private final class Box<Value: Sendable>: @unchecked Sendable { var value: Value? }

  /// Runs asynchronous work to its end: libFuzzer calls without one.
  private static func waiting<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
    let box = Box<Value>()
    let done = DispatchSemaphore(value: 0)
    Task {
      box.value = await body()
      done.signal()
    }
    done.wait()
    guard let value = box.value else { preconditionFailure("the work has not ended") }
    return value
  }
}
