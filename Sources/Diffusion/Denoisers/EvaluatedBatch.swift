internal import Engine
internal import Networks

/// One batch's denoiser, wherever it computes: on the device its operations join the submission; on the host the
/// submission is run first, and the output is uploaded by the next.
struct EvaluatedBatch {
  let batch: SampleBatch
  let output: Tensor
  let outputWidth: Int

  private let denoiser: any Denoiser
  private let evaluation: (any DeviceEvaluation)?

  init(_ denoiser: any Denoiser, _ batch: SampleBatch, on engine: Engine) throws(EngineError) {
    self.denoiser = denoiser
    self.batch = batch
    outputWidth = denoiser.outputHeads * batch.elements
    output = try engine.makeTensor(.float32, batch.samples, outputWidth)
    evaluation = try (denoiser as? any DeviceDenoiser).map { (device) throws(EngineError) in
      try device.makeEvaluation(for: batch)
    }
  }

  /// Whether an evaluation runs what was added to the submission so far.
  var isOnHost: Bool { evaluation == nil }

  /// Has `output` hold the denoiser's answer for `x` when what follows in `submission` runs.
  func evaluate(
    _ x: Tensor, at rows: CoefficientRows, levels: [NoiseLevel], inputScales: [Double], on engine: Engine,
    in submission: inout Submission
  ) async throws {
    if let evaluation {
      try evaluation.append(x: x, at: rows, into: output, to: &submission)
      return
    }
    let place = try submission.download(x, count: batch.count)
    var samples = try await engine.run(submission)[place].floats
    submission = Submission()
    for sample in 0..<batch.samples {
      let scale = Float(inputScales.count == 1 ? inputScales[0] : inputScales[sample])
      guard scale != 1 else { continue }
      for e in sample * batch.elements..<(sample + 1) * batch.elements { samples[e] *= scale }
    }
    let call = DenoiserCall(samples: samples, count: batch.samples, levels: levels, inputScales: inputScales)
    let answer = try await denoiser.evaluate(call)
    guard answer.count == batch.samples * outputWidth else {
      throw DiffusionError(
        .failed,
        "the denoiser answered \(answer.count) numbers for \(batch.samples) samples; \(batch.samples * outputWidth) are needed"
      )
    }
    try submission.upload(.float32(answer), to: output)
  }
}
