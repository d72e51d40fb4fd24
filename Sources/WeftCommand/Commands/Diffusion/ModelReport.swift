import Diffusion
import Foundation
import Weft

/// What `weft sample --model … --dry-run` says.
struct ModelReport {
  let files: DiffusionModelFiles
  let title: String
  let plan: SamplingPlan
  let engine: Engine

  /// - Parameters:
  ///   - samples: how many are asked for.
  ///   - batch: how many travel together; as many as suit the device if nil.
  /// - Returns: the lines.
  /// - Throws: `EngineError` if the network does not fit the device at all.
  func render(samples: Int, batch: Int?) throws -> String {
    let memory = try files.memory(plan, samples: samples, batchSize: batch, on: engine)
    let batches = (samples - 1) / memory.batchSize + 1
    let size = files.sampleShape.map(String.init).joined(separator: " × ")
    func count(_ count: Int, _ thing: String, _ things: String) -> String {
      "\(Quantity.grouped(count)) \(count == 1 ? thing : things)"
    }
    return """
      network    UNet2DModel, \(size), \(Quantity.grouped(files.parameterCount)) parameters
      sampler    \(title), \(count(plan.stepCount, "step", "steps")), \
      \(count(plan.evaluations, "evaluation", "evaluations")) for each sample
      samples    \(Quantity.grouped(samples)) in \(count(batches, "batch", "batches")) of up to \
      \(Quantity.grouped(memory.batchSize))
      memory     \(Self.mebibytes(memory.total)): weights \(Self.mebibytes(memory.resident)), a batch \
      \(Self.mebibytes(memory.batch)) (\(Self.mebibytes(memory.unshared)) if no values shared it)
      device     \(engine.device.name), \(Self.mebibytes(engine.device.memoryBytes))

      """
  }

  private static func mebibytes(_ bytes: Int) -> String {
    let value = Double(bytes) / 1_048_576
    return String(format: value < 100 ? "%.1f MiB" : "%.0f MiB", value)
  }
}
