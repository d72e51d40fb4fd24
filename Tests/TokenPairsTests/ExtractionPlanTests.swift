import Engine
import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// What an extraction takes on a device is known before.
@Suite struct ExtractionPlanTests {
  static var models: [String] {
    [(try? BundledModels.directory()) ?? ""]
      + ["models/conll04-relations", "models/duee-events"].filter { Places.hasShared($0) }.map { Places.inShared($0) }
  }

  /// The weights take what is planned, to the byte.
  @Test(arguments: models) func weightsAreAsPlanned(model: String) async throws {
    // A device of its own: nothing else takes memory there.
    let engine = try await Engine(.reference)
    let plan = try ExtractionPlan(model: model, options: .init(), on: engine)
    let extractor = try await Extractor(model: model, on: engine)
    // What packing the last layer took is given back a moment after the layer is there.
    for _ in 0..<500 where engine.memory.bytes > plan.weights { try await Task.sleep(for: .milliseconds(10)) }
    #expect(engine.memory.bytes == plan.weights)
    #expect(plan.task == extractor.task && plan.labelCount == extractor.labels.count)
    #expect(plan.linkCount == extractor.links.count)
    withExtendedLifetime(extractor) {}
  }

  /// Windows of full length, as many as travel together.
  @Test(.enabled(if: TestDevice.hasOpenCL), arguments: [512, 2048]) func thePeakIsAsPlanned(tokens: Int) async throws {
    let engine = try await Engine(.openCL(index: nil))
    let model = try BundledModels.directory()
    let options = Extractor.Options(batchTokens: tokens)
    let plan = try ExtractionPlan(model: model, options: options, on: engine)
    #expect(plan.windows == tokens / 512 && plan.windowTokens == 512 && plan.batches == 2)
    #expect(plan.batch <= plan.windows * plan.window && plan.batch < plan.unshared)
    let extractor = try await Extractor(model: model, on: engine, options: options)
    // Many more than one window each.
    let texts = (0..<8).map { _ in String(repeating: "It was a fine day and nothing happened . ", count: 600) }
    _ = try await extractor.documents(of: texts)
    let peak = Double(engine.memory.peakBytes)
    let one = Double(plan.weights + plan.batch)
    #expect(peak >= 0.8 * one && peak <= 1.2 * Double(plan.total), "\(peak) of \(plan.total)")
  }

  @Test func aModelThatDoesNotFitSaysByHowMuch() throws {
    let device = DeviceDescription(
      name: "a small device", platform: "", driver: "", kind: .gpu, variant: "gpu", computeUnits: 1,
      memoryBytes: 1 << 20)
    #expect(Extractor.Options().limits(on: device) == BatchPolicy.Limits(tokens: 16_384, bytes: 1 << 19))
    do {
      try device.checkFits(2 << 20, "the model", "one window")
      Issue.record("it fits")
    } catch {
      #expect(error.kind == .exhausted)
      #expect(
        error.message.contains("the model takes 2 MiB for its weights and one window, 2 MiB more than the 1 MiB"),
        "\(error.message)")
    }
  }
}
