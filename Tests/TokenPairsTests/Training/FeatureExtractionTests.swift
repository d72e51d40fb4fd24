import Engine
import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import TokenPairs

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
      #expect(try await engine.run(submission)[place].floats == cache.rows(of: index), "window \(index)")
    }
  }

  @Test func halfPrecisionIsClose() async throws {
    let (whole, half) = (try Scratch(), try Scratch())
    let exact = try await extract(.float32, .reference, whole).cache
    let rounded = try await extract(.float16, .reference, half).cache
    for window in Self.windows.indices {
      for (a, b) in zip(exact.rows(of: window), rounded.rows(of: window)) {
        #expect(abs(a - b) <= abs(a) * 0x1p-11 + 0x1p-25)
      }
    }
  }
}
