import Engine
import Foundation
import Networks
import TestDevices
import Testing
import Weft

@testable import ModelFiles
@testable import TokenPairs

@Suite struct FeatureCacheTests {
  private static let rows: [[Float]] = [[1, -2, 0.1, 3], [], [65_504, 1e-7, -0.0, 5, 6, 7, 8, 9]]

  private func layout(_ precision: FeaturePrecision = .float32, encoder: String = "e") -> FeatureLayout {
    func checksum(_ text: String) -> Checksum {
      var checksum = Checksum()
      checksum.add(text)
      return checksum
    }
    return FeatureLayout(
      key: .init(encoder: checksum(encoder), device: checksum("d"), tokens: checksum("t")), precision: precision,
      hiddenSize: 2, lengths: [2, 0, 4])
  }

  private func write(_ path: String, _ layout: FeatureLayout) throws {
    let writer = try FeatureWriter(path, layout)
    for rows in Self.rows { try writer.add(rows) }
    try writer.finish()
  }

  @Test func whatIsWrittenIsRead() throws {
    let scratch = try Scratch()
    try write(scratch.file("f"), layout())
    let cache = try FeatureCache(scratch.file("f"), layout())
    #expect(cache.lengths == [2, 0, 4] && cache.hiddenSize == 2)
    #expect(try (0..<3).map { try cache.rows(of: $0).map(\.bitPattern) } == Self.rows.map { $0.map(\.bitPattern) })
  }

  @Test func halfPrecisionIsRoundedToNearest() throws {
    let scratch = try Scratch()
    try write(scratch.file("f"), layout(.float16))
    let cache = try FeatureCache(scratch.file("f"), layout(.float16))
    #expect(try cache.rows(of: 0) == [1, -2, 0.099975586, 3])
    #expect(try cache.rows(of: 2) == [65_504, 1.1920929e-07, 0, 5, 6, 7, 8, 9])
    let sizes = try ["f", "g"].map { name in
      if name == "g" { try write(scratch.file("g"), layout()) }
      return try Data(contentsOf: URL(fileURLWithPath: scratch.file(name))).count
    }
    #expect(sizes[1] - sizes[0] == 2 * 12, "two bytes less a number")
  }

  @Test func nothingAppearsBeforeItIsComplete() throws {
    let scratch = try Scratch()
    do {
      let writer = try FeatureWriter(scratch.file("f"), layout())
      try writer.add(Self.rows[0])
      #expect(!fileExists(scratch.file("f")))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty, "nor is anything left behind")
  }

  /// A change of a sound file, and what is said of it.
  static let faults: [(words: String, change: @Sendable (inout Data) -> Void)] = [
    ("is no file of features", { $0[0] ^= 1 }), ("is no file of features", { $0 = Data() }),
    ("is of version 2", { $0[8] = 2 }), ("another encoder or other texts", { $0[12] = 2 }),
    ("another encoder or other texts", { $0[16] ^= 1 }), ("another encoder or other texts", { $0[24] ^= 1 }),
    ("another encoder or other texts", { $0[56] ^= 1 }), ("another encoder or other texts", { $0 = $0.prefix(70) }),
    ("bytes, 180 are expected", { $0.removeLast() }), ("bytes, 180 are expected", { $0.append(0) }),
    ("its checksum is wrong", { $0[140] ^= 1 }), ("its checksum is wrong", { $0[179] ^= 1 }),
  ]

  @Test(arguments: faults.indices) func aFileThatIsNotTheOneExpectedIsRefused(index: Int) throws {
    let scratch = try Scratch()
    try write(scratch.file("f"), layout())
    var data = try Data(contentsOf: URL(fileURLWithPath: scratch.file("f")))
    #expect(data.count == 128 + 12 * 4 + 4)
    Self.faults[index].change(&data)
    try data.write(to: URL(fileURLWithPath: scratch.file("f")))
    let fault = #expect(throws: FeatureCache.Fault.self) { try FeatureCache(scratch.file("f"), layout()) }
    #expect(fault?.problem.contains(Self.faults[index].words) == true, "\(fault?.problem ?? "")")
  }

  @Test func otherContentsHaveOtherNames() {
    let names = [layout().fileName, layout(.float16).fileName, layout(encoder: "x").fileName]
    #expect(Set(names).count == 3 && names.allSatisfy { $0.hasPrefix(FeatureLayout.namePrefix) })
  }

  /// A file that is cut short or written to after it was opened.
  @Test(arguments: [true, false]) func aFileThatChangesIsAnError(isCut: Bool) throws {
    let scratch = try Scratch()
    try write(scratch.file("f"), layout())
    let cache = try FeatureCache(scratch.file("f"), layout())
    #expect(try cache.rows(of: 0) == Self.rows[0])
    Thread.sleep(forTimeInterval: 0.02)  // the system's clock for files ticks every few milliseconds
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.file("f")))
    if isCut { try file.truncate(atOffset: 100) } else { try file.write(contentsOf: Data([1])) }
    try file.close()
    let error = #expect(throws: EngineError.self) { try cache.rows(of: 0) }
    #expect(error?.message.contains("while it was read") == true)
  }

  @Test func aMissingFileIsAFault() {
    let fault = #expect(throws: FeatureCache.Fault.self) { try FeatureCache("/no/such/file", layout()) }
    #expect(fault?.problem.contains("No such file") == true)
  }
}

@Suite struct FeatureExtractionTests {
  /// Windows of many lengths, in an order that batches do not keep.
  private static let windows = (0..<40).map { index -> [Int32] in
    let content = (0..<index * 7 % 13).map { 4 + Int32(($0 + index) % 6) }
    return [2] + content + [3]
  }

  private func extract(
    _ precision: FeaturePrecision, _ device: TestDevice, _ scratch: Scratch
  ) async throws -> (cache: FeatureCache, encoder: TextEncoder, engine: Engine) {
    try SmallTraining.writeEncoder(to: scratch.file("encoder"), prefix: "x.bert.")
    let files = try EncoderFiles(directory: scratch.file("encoder"))
    #expect(try files.prefix() == "x.bert.")
    let engine = try await device.engine()
    let encoder = try await TextEncoder(
      files.graph, weights: files.checkpoint, prefix: "x.bert.", on: engine)
    let layout = FeatureLayout(
      key: .init(encoder: Checksum(), device: Checksum(), tokens: Checksum()), precision: precision, hiddenSize: 8,
      lengths: Self.windows.map(\.count))
    var extraction = try FeatureExtraction(
      Self.windows, encoder: encoder, layout: layout, to: scratch.file("f"), batchTokens: 30, on: engine)
    var reports = 0
    while try await extraction.next() { reports += 1 }
    #expect(reports == 40 && extraction.windows == 40 && extraction.tokens == Self.windows.reduce(0) { $0 + $1.count })
    return (try FeatureCache(scratch.file("f"), layout), encoder, engine)
  }

  @Test(arguments: TestDevice.available)
  func rowsAreThoseOfEachWindowAlone(device: TestDevice) async throws {
    let scratch = try Scratch()
    let (cache, encoder, engine) = try await extract(.float32, device, scratch)
    for (index, window) in Self.windows.enumerated() {
      var submission = Submission()
      let tokens = try DeviceTokens(TokenBatch([window]), on: engine, uploadedBy: &submission)
      let place = try submission.download(try encoder.encode(tokens, in: &submission))
      #expect(try await engine.run(submission)[place].floats == (try cache.rows(of: index)), "window \(index)")
    }
  }

  @Test func halfPrecisionIsClose() async throws {
    let (whole, half) = (try Scratch(), try Scratch())
    let exact = try await extract(.float32, .reference, whole).cache
    let rounded = try await extract(.float16, .reference, half).cache
    for window in Self.windows.indices {
      for (a, b) in zip(try exact.rows(of: window), try rounded.rows(of: window)) {
        #expect(abs(a - b) <= abs(a) * 0x1p-11 + 0x1p-25)
      }
    }
  }
}
