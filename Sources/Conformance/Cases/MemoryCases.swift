internal import Engine

/// Tensors: what they hold, what they cost, whose they are, and how large they may be.
extension ConformanceKit {
  static let memoryCases: [ConformanceCase] = [
    memory("transfers keep every bit") { backend in try await transfersKeepBits(on: backend) },
    memory("transfers of a part") { backend in try await transfersParts(on: backend) },
    memory("an empty submission") { backend in
      guard try await backend.run(Submission()).isEmpty else {
        throw Mismatch("an empty submission has downloads")
      }
    },
    memory("bytes are counted and given back") { backend in try countsBytes(of: backend) },
    memory("a tensor larger than any memory is refused") { backend in
      // 2^52 bytes: more than a device has, and not too many to count.
      try expect(.exhausted, "a tensor of 2^52 bytes") {
        _ = try backend.makeTensor(.float32, [1 << 30, 1 << 20])
      }
      try countsBytes(of: backend)
    },
    memory("shapes without elements are refused") { backend in
      for shape in [[0], [4, 0], [-1], [-2, -3], [1 << 40, 1 << 40]] {
        try expect(.invalidOperation, "a tensor of shape \(shape)") {
          _ = try backend.makeTensor(.int32, shape)
        }
      }
    },
    memory("a tensor of another backend is refused") { backend in
      try await refusesForeignTensors(backend)
    },
  ]

  private static func memory(
    _ title: String, body: @escaping @Sendable (any Backend) async throws -> Void
  ) -> ConformanceCase {
    ConformanceCase(.memory, title, small: true, body: body)
  }

  private static func transfersKeepBits(on backend: any Backend) async throws {
    let floats: [Float] = [
      0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity, Poison.float, 1 / 3,
    ]
    let integers: [Int32] = [0, -1, .min, .max, Poison.integer]
    var workspace = Workspace(backend)
    try workspace.download(try workspace.upload(floats, 9))
    try workspace.download(try workspace.upload(integers: integers, 5, 1))
    let downloads = try await workspace.run()
    guard downloads.count == 2, downloads[1] == .int32(integers) else {
      throw Mismatch("integers \(integers) came back as \(downloads.last?.integers ?? [])")
    }
    try compareBits(downloads[0].floats, floats, "a round trip")
  }

  private static func transfersParts(on backend: any Backend) async throws {
    let tensor = try backend.makeTensor(.int32, [2, 3])
    var submission = Submission()
    try submission.upload(.int32([1, 2, 3, 4, 5, 6]), to: tensor)
    try submission.upload(.int32([9, 8]), to: tensor)
    try submission.download(tensor, count: 4)
    try submission.download(tensor)
    let downloads = try await backend.run(submission)
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

  private static func refusesForeignTensors(_ backend: any Backend) async throws {
    let foreign = Tensor(storage: ForeignStorage(), elementType: .float32, shape: [2, 4])
    var upload = Submission()
    try upload.upload(.float32([1]), to: foreign)
    var download = Submission()
    try download.download(foreign)
    var workspace = Workspace(backend)
    let out = try workspace.output(2, 4)
    let gain = try workspace.upload([1, 1, 1, 1], 4)
    try workspace.append(
      LayerNormalization(foreign, rows: 2, gain: gain, bias: gain, epsilon: 1, into: out.part))
    for (name, submission) in [
      ("upload", upload), ("download", download), ("operation", workspace.submission),
    ] {
      do {
        _ = try await backend.run(submission)
      } catch {
        guard error.kind == .invalidOperation else {
          throw Mismatch("\(name) of a foreign tensor: \(error.kind), not invalidOperation")
        }
        continue
      }
      throw Mismatch("\(name) of a tensor of another backend was accepted")
    }
    // The backend is as good as before.
    var reading = Workspace(backend)
    try reading.download(out.whole)
    let left = try await reading.run()[0].floats
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
