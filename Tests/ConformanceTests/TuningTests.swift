import Engine
import Files
import Foundation
import Logging
import OpenCL
import Testing

@testable import OpenCLBackend

/// How operations are cut into tiles: every choice has the default's bits, and the tuner keeps the fastest of them.
@Suite struct TuningTests {
  // MARK: Bits

  /// Operations with rows and columns past the tiles' edges, and what they write.
  private static func operations(on engine: Engine) async throws -> [(operation: any DeviceOperation, out: Tensor)] {
    var generator = SplitMix64(seed: 5)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &generator) } }
    func tensor(_ rows: Int, _ width: Int) async throws -> Tensor {
      try await engine.upload(.float32(numbers(rows * width)), shape: [rows, width])
    }
    let (rows, inputs, outputs) = (150, 37, 203)
    let dense = DenseLayer(
      try await tensor(rows, inputs), rows: rows,
      weights: try await engine.makeDenseWeights(
        numbers(outputs * inputs), bias: numbers(outputs), outputs: outputs, inputs: inputs),
      activation: .gelu, residual: try await tensor(rows, outputs),
      into: try engine.makeTensor(.float32, rows, outputs))

    let grid = PixelGrid(images: 3, height: 9, width: 7)
    let convolution = Convolution(
      PixelRows(try await tensor(grid.rows, 20), try await tensor(grid.rows, 13)), grid: grid,
      weights: try await engine.makeConvolutionWeights(
        numbers(130 * 33 * 9), bias: numbers(130), outputs: 130, inputs: 33, size: 3),
      activation: .silu, into: try engine.makeTensor(.float32, grid.rows, 130))

    let columns = try engine.makePanels(for: .whole(outputs), channels: inputs)
    let vectors = HeadSlices(try await tensor(outputs, inputs), channels: inputs)
    var packing = Submission()
    try packing.append(PackColumns(vectors, extent: .whole(outputs), into: columns))
    _ = try await engine.run(packing)
    let scores = try engine.makeTensor(.float32, 1, rows, outputs)
    let product = PairwiseProduct(
      rows: HeadSlices(try await tensor(rows, inputs), channels: inputs), columns: columns, rowExtent: .whole(rows),
      columnExtent: .whole(outputs), scale: 0.5, epilogue: StoredScores(into: scores))

    let segments = Segments(lengths: [70, 3, 65])
    var tables = Submission()
    let table = try engine.makeSegmentTable(segments, uploadedBy: &tables)
    let keys = try engine.makePanels(for: .ragged(table), heads: 2, channels: 48)
    let queries = HeadSlices(try await tensor(segments.rowCount, 96), headStride: 48, heads: 2, channels: 48)
    try tables.append(PackColumns(queries, extent: .ragged(table), into: keys))
    _ = try await engine.run(tables)
    let attention = Attention(
      queries: queries, keys: keys, values: queries, segments: table, scale: 0.25,
      into: try engine.makeTensor(.float32, segments.rowCount, 96))
    return [
      (dense, dense.out), (convolution, convolution.out), (product, scores), (attention, attention.out),
    ]
  }

  private static func result(
    of operation: any DeviceOperation, in out: Tensor, _ choice: TileChoice, on engine: Engine
  ) async throws -> [UInt32] {
    var submission = Submission()
    submission.choice = choice
    try submission.upload(.float32([Float](repeating: .nan, count: out.count)), to: out)
    try submission.append(operation)
    try submission.download(out)
    return try await engine.run(submission)[0].floats.map(\.bitPattern)
  }

  @Test(.needsDevice, arguments: TestBackend.devices)
  func choicesKeepEveryBit(backend: TestBackend) async throws {
    let engine = Engine(backend: try backend.open(), logger: Logger(label: "test"))
    let tiles = try #require(engine.backend.tiles)
    for (operation, out) in try await Self.operations(on: engine) {
      let space = try #require(operation.tuning(tiles))
      let expected = try await Self.result(of: operation, in: out, TileChoice(), on: engine)
      #expect(expected.allSatisfy { !Float(bitPattern: $0).isNaN })
      // The first of each number's values together, and the last: to compile each by itself would take minutes.
      let choices = [\TuningSpace.Knob.values.first, \.values.last].map { end in
        space.knobs.reduce(TileChoice()) { choice, knob in
          knob[keyPath: end].map { choice.setting(knob.name, to: $0) } ?? choice
        }
      }
      #expect(choices.allSatisfy { space.allows($0) && !$0.values.isEmpty })
      let programs = operation.launches(tiles).map(\.program)
      for choice in choices {
        let launches = operation.launches(tiles.choosing(choice))
        #expect(launches.map(\.program) != programs || launches[0].groups != operation.launches(tiles)[0].groups)
        let bits = try await Self.result(of: operation, in: out, choice, on: engine)
        #expect(bits == expected, "\(space.key): \(choice)")
      }
    }
  }

  // MARK: The tuner

  /// Writes a number. `NUMBER` changes it, `BROKEN` does not compile, `PACE` changes no bit.
  private struct Writing: DeviceOperation {
    let out: Tensor
    var knobs: [TuningSpace.Knob]

    func validate() throws(EngineError) {}
    func reference(_ memory: HostMemory) throws(EngineError) {}

    func tuning(_ tiles: TileShape) -> TuningSpace? { TuningSpace("writing", knobs: knobs) }

    func launches(_ tiles: TileShape) -> [KernelLaunch] {
      let text = """
        #ifndef NUMBER
        #define NUMBER 1
        #endif
        #ifdef BROKEN
        #error "a choice that does not compile"
        #endif
        __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void writing(__global float *out)
        {
          out[get_group_id(0)] = NUMBER;
        }
        """
      return [
        KernelLaunch(
          KernelSource(name: "writing.cl", text: text), "writing", tiles, defines: tiles.choice.macros,
          arguments: ["out": .tensor(out)], groups: [out.count], groupSize: 1)
      ]
    }
  }

  private static let candidate = try? DeviceCandidate.all().first { $0.obstacle == nil }

  @Test(.needsDevice) func whatDiffersOrFailsIsDroppedAndTheFastestIsKept() async throws {
    let backend = OperationRecorder(try OpenCLBackend(try #require(Self.candidate)), keepsUploads: true)
    let engine = Engine(backend: backend, logger: Logger(label: "test"))
    let writing = Writing(
      out: try engine.makeTensor(.float32, 3),
      knobs: [
        TuningSpace.Knob("NUMBER", [2]), TuningSpace.Knob("BROKEN", [1]),
        TuningSpace.Knob("PACE", [200, 99, 80, 79, 50]),
      ])
    var submission = Submission()
    for _ in 0..<2 { try submission.append(writing) }
    _ = try await engine.run(submission)
    let tiles = try #require(engine.backend.tiles)
    let tasks = TuningTask.tasks(in: backend.submissions, tiles)
    #expect(tasks.map(\.count) == [2])

    // Times are the choice's own, or the machine's other work would decide.
    let tuner = Tuner(on: engine) { (choice, run) async throws(EngineError) in
      try await run()
      return Double(choice["PACE"] ?? 100)
    }
    let record = try await tuner.tune(tasks[0], until: .now + .seconds(600))
    #expect(record.choice == ["PACE": 50] && record.isComplete)
    #expect(record.seconds == 50 && record.defaultSeconds == 100)
    #expect(record.trials[0].choice == ["NUMBER": 2] && record.trials[0].problem == "other bits than the default")
    #expect(record.trials[1].choice == ["BROKEN": 1])
    #expect(record.trials[1].problem?.contains("does not compile") == true)
    // 99 against 100 and 79 against 80 could be noise.
    #expect(record.trials[2...].map { $0.choice["PACE"] } == [200, 99, 80, 79, 50])
    #expect(record.trials[2...].map { $0.seconds?.best } == [100, 100, 100, 80, 80])

    let late = try await tuner.tune(tasks[0], until: .now)
    #expect(late.choice == TileChoice() && late.trials.isEmpty && !late.isComplete)
    // By the clock too there is a time.
    #expect(try await Tuner(on: engine).defaultSeconds(tasks[0]) > 0)
  }

  // MARK: The file

  /// A cache folder of a test's own.
  private final class Folder {
    let path = NSTemporaryDirectory() + "weft-tuning-" + UUID().uuidString
    var cache: ProgramCache { ProgramCache(directory: path) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ device: String = "device", driver: String = "1") -> TuningFile {
      TuningFile(device: device, platformName: "platform", platformVersion: "1", driver: driver, in: cache)
    }
  }

  private static func record(_ key: String, _ choice: TileChoice) -> TuningRecord {
    TuningRecord(
      key: key, count: 3, choice: choice, defaultSeconds: 0.5, seconds: 0.25,
      trials: [
        TuningRecord.Trial(choice, seconds: (own: 0.25, best: 0.5)), TuningRecord.Trial(["A": 1], problem: "no"),
      ], isComplete: true)
  }

  private func entries(_ file: TuningFile) -> [TuningFile.Entry]? {
    if case .usable(let entries) = file.read() { entries } else { nil }
  }

  @Test func aFileHoldsWhatWasFound() throws {
    let folder = Folder()
    let file = folder.file()
    guard case .missing = file.read() else {
      Issue.record("there is none yet")
      return
    }
    try file.add([Self.record("one", ["PW_ROWS": 16]), Self.record("two", TileChoice())])
    try file.add([Self.record("one", ["PW_ROWS": 32, "panels_per_item": 2]), Self.record("three", ["X": 1])])
    let found = try #require(entries(file))
    #expect(found.map(\.key) == ["one", "three", "two"])
    #expect(found.map(\.choice) == [["PW_ROWS": 32, "panels_per_item": 2], ["X": 1], [:]])
    #expect(found[0].defaultSeconds == 0.5 && found[0].seconds == 0.25)
    #expect(found[0].trials.map(\.seconds) == [0.25, nil] && found[0].trials.map(\.problem) == [nil, "no"])

    // Another driver has none that holds good, and another device none at all.
    guard case .stale = folder.file(driver: "2").read(), case .missing = folder.file("other").read() else {
      Issue.record("a file of another driver or device is used")
      return
    }
    #expect(try file.remove())
    #expect(try !file.remove())
    guard case .missing = file.read() else {
      Issue.record("it is still there")
      return
    }
  }

  @Test func aFileThatCannotBeUsedIsNoFailure() throws {
    let folder = Folder()
    let file = folder.file()
    try file.add([Self.record("one", ["PW_ROWS": 16])])
    let whole = try Data(contentsOf: URL(filePath: file.path))
    func isDamaged(_ file: TuningFile) -> Bool {
      if case .damaged(let problem) = file.read() { !problem.isEmpty } else { false }
    }
    let text = String(decoding: whole, as: UTF8.self)
    let others = [
      Data(), whole.prefix(whole.count / 2), Data("[]".utf8), Data(repeating: UInt8(ascii: "["), count: 1 << 20),
      Data(repeating: UInt8(ascii: " "), count: 1 << 23), Data(text.replacingOccurrences(of: "16", with: "1e99").utf8),
      Data(text.replacingOccurrences(of: "weft tuning 1", with: "weft tuning 0").utf8),
    ]
    for bytes in others {
      try bytes.write(to: URL(filePath: file.path))
      #expect(isDamaged(file), "\(bytes.count) bytes")
    }
    // Another device's under this one's name; and one that anybody could have written.
    try whole.write(to: URL(filePath: folder.file("other").path))
    #expect(isDamaged(folder.file("other")))
    try whole.write(to: URL(filePath: file.path))
    #expect(chmod(file.path, 0o666) == 0 && isDamaged(file))
    #expect(chmod(file.path, 0o600) == 0 && entries(file)?.count == 1)
    // What tunes next replaces whatever was there.
    try Data("{".utf8).write(to: URL(filePath: file.path))
    try file.add([Self.record("two", ["PW_ROWS": 16])])
    #expect(entries(file)?.map(\.key) == ["two"])
  }

  @Test(.needsDevice) func aDeviceUsesItsFile() async throws {
    let candidate = try #require(Self.candidate)
    let folder = Folder()
    func number(_ choice: [String: Int]?) async throws -> Float {
      let file = TuningFile(of: candidate.device, in: folder.cache)
      let tiles = try #require(try OpenCLBackend(candidate, cache: nil).tiles)
      if let choice {
        let key = Tuning.key(TuningSpace("writing", knobs: []), tiles)
        try file.add([Self.record(key, TileChoice(choice))])
      }
      let engine = Engine(
        backend: try OpenCLBackend(candidate, cache: folder.cache), logger: Logger(label: "test"))
      let knobs = [TuningSpace.Knob("NUMBER", [2, 3]), TuningSpace.Knob("PACE", [10])]
      let writing = Writing(out: try engine.makeTensor(.float32, 1), knobs: knobs)
      var submission = Submission()
      try submission.append(writing)
      try submission.download(writing.out)
      return try await engine.run(submission)[0].floats[0]
    }
    #expect(try await number(nil) == 1)
    #expect(try await number(["NUMBER": 3, "PACE": 10]) == 3)
    // Of no use to this operation: not among its choices.
    #expect(try await number(["NUMBER": 4]) == 1)
    #expect(try await number(["NUMBER": 2, "OTHER": 1]) == 1)
  }

  @Test func rowsThatShareAChoice() {
    #expect(
      [0, 1, 2, 3, 4, 5, 1024, 1025].map(TuningSpace.bucket) == [
        "2^0", "2^0", "2^1", "2^2", "2^2", "2^3", "2^10", "2^11",
      ])
  }
}
