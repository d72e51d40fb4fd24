internal import Engine

/// Tensors: what they hold, what they cost, whose they are, and how large they may be.
extension ConformanceKit {
  static let memoryCases: [ConformanceCase] = [
    memory("transfers keep every bit") { engine in try await transfersKeepBits(on: engine) },
    memory("transfers of a part") { engine in try await transfersParts(on: engine) },
    memory("an empty submission") { engine in
      guard try await engine.run(Submission()).isEmpty else {
        throw Mismatch("an empty submission has downloads")
      }
    },
    memory("bytes are counted and given back") { engine in try countsBytes(of: engine.backend) },
    memory("a tensor larger than any memory is refused") { engine in
      // 2^52 bytes: more than a device has, and not too many to count.
      try expect(.exhausted, "a tensor of 2^52 bytes") {
        _ = try engine.backend.makeTensor(.float32, [1 << 30, 1 << 20])
      }
      try countsBytes(of: engine.backend)
    },
    memory("shapes without elements are refused") { engine in
      for shape in [[0], [4, 0], [-1], [-2, -3], [1 << 40, 1 << 40]] {
        try expect(.invalidOperation, "a tensor of shape \(shape)") {
          _ = try engine.backend.makeTensor(.int32, shape)
        }
      }
    },
    memory("a tensor of another backend is refused") { engine in
      try await refusesForeignTensors(engine)
    },
  ]

  private static func memory(
    _ title: String, body: @escaping @Sendable (Engine) async throws -> Void
  ) -> ConformanceCase {
    ConformanceCase(.memory, title, small: true, body: body)
  }

  private static func transfersKeepBits(on engine: Engine) async throws {
    let floats: [Float] = [
      0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity, Poison.float, 1 / 3,
    ]
    let integers: [Int32] = [0, -1, .min, .max, Poison.integer]
    var workspace = Workspace(engine)
    let tensors = [try workspace.upload(floats, 9), try workspace.upload(integers: integers, 5, 1)]
    let downloads = try await workspace.run(reading: tensors)
    guard downloads[1] == .int32(integers) else {
      throw Mismatch("integers \(integers) came back as \(downloads.last?.integers ?? [])")
    }
    try compareBits(downloads[0].floats, floats, "a round trip")
  }

  private static func transfersParts(on engine: Engine) async throws {
    let tensor = try engine.makeTensor(.int32, 2, 3)
    var submission = Submission()
    try submission.upload(.int32([1, 2, 3, 4, 5, 6]), to: tensor)
    try submission.upload(.int32([9, 8]), to: tensor)
    try submission.download(tensor, count: 4)
    try submission.download(tensor)
    let downloads = try await engine.run(submission)
    guard downloads == [.int32([9, 8, 3, 4]), .int32([9, 8, 3, 4, 5, 6])] else {
      throw Mismatch("an upload over an upload came back as \(downloads)")
    }
  }

  private static func countsBytes(of backend: any Backend) throws {
    let before = backend.memory.bytes
    do {
      let tensors = try [1, 1000, 70_000].map { try backend.makeTensor(.float32, [$0]) }
      let held = backend.memory.bytes - before
      guard held >= 4 * 71_001 else {
        throw Mismatch("three tensors of 284004 bytes are counted as \(held)")
      }
      guard backend.memory.peakBytes >= before + held else {
        throw Mismatch("the peak \(backend.memory.peakBytes) is below \(before + held) in use")
      }
      withExtendedLifetime(tensors) {}
    }
    guard backend.memory.bytes == before else {
      throw Mismatch("\(before) bytes were in use, \(backend.memory.bytes) are after tensors went")
    }
  }

  private static func refusesForeignTensors(_ engine: Engine) async throws {
    let foreign = Tensor(storage: ForeignStorage(), elementType: .float32, shape: [2, 4])
    var upload = Submission()
    try upload.upload(.float32([1]), to: foreign)
    var download = Submission()
    try download.download(foreign)
    var workspace = Workspace(engine)
    // Two rows and one behind them.
    let out = try workspace.upload(Poison.floats(12), 3, 4)
    let gain = try workspace.upload([1, 1, 1, 1], 4)
    try workspace.append(
      LayerNormalization(foreign, rows: 2, gain: gain, bias: gain, epsilon: 1, into: out))
    for (name, submission) in [
      ("upload", upload), ("download", download), ("operation", workspace.submission),
    ] {
      do {
        _ = try await engine.run(submission)
      } catch {
        guard error.kind == .invalidOperation else {
          throw Mismatch("\(name) of a foreign tensor: \(error.kind), not invalidOperation")
        }
        continue
      }
      throw Mismatch("\(name) of a tensor of another backend was accepted")
    }
    // The backend is as good as before.
    var reading = Submission()
    try reading.download(out)
    let left = try await engine.run(reading)[0].floats
    try compareBits(left, Poison.floats(12), "the result of what was refused")
  }

  /// Checks that `body` throws an engine error of a kind.
  static func expect(
    _ kind: EngineError.Kind, _ what: String, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch let error as EngineError {
      guard error.kind == kind else {
        throw Mismatch("\(what): \(kind) is expected, \(error.kind) came (\(error))")
      }
      return
    }
    throw Mismatch("\(what) was accepted; \(kind) is expected")
  }
}

/// Memory that belongs to no backend.
private final class ForeignStorage: TensorStorage {
  let byteCount = 1024
}
