package import Engine
package import Networks

/// Predicts what a noisy sample hides. Implement it with your own code: `evaluate` is called once for each evaluation of
/// a plan, with the whole batch.
public protocol Denoiser: Sendable {
  /// The sizes of one sample, such as `[3, 32, 32]`; all positive.
  var sampleShape: [Int] { get }
  /// What the output means.
  var prediction: Prediction { get }
  /// 1, or 2 if each sample's output is followed by as many numbers again that tell the variance (learned range, NPR, SN).
  var outputHeads: Int { get }

  /// The output for a batch of samples.
  ///
  /// - Parameter call: the samples and their noise levels.
  /// - Returns: `call.count · outputHeads · elements` numbers, sample by sample. A sample's numbers may not depend on the
  ///   others in the batch if results are to be reproducible.
  /// - Throws: whatever goes wrong; it ends the run.
  func evaluate(_ call: DenoiserCall) async throws -> [Float]
}

extension Denoiser {
  /// One head.
  public var outputHeads: Int { 1 }

  /// Numbers in a sample.
  public var elementCount: Int { sampleShape.reduce(1, *) }
}

/// A batch of noisy samples, as a denoiser gets it.
public struct DenoiserCall: Sendable {
  /// The samples one after the other, already multiplied by `inputScale`.
  public let samples: [Float]
  /// How many samples.
  public let count: Int
  /// Their noise levels: one that all share, or one for each.
  public let levels: [NoiseLevel]
  /// What the samples were multiplied by: 1, or what brings samples of an exploding process to unit variance.
  public let inputScales: [Double]

  /// A batch of samples.
  public init(samples: [Float], count: Int, levels: [NoiseLevel], inputScales: [Double] = [1]) {
    self.samples = samples
    self.count = count
    self.levels = levels
    self.inputScales = inputScales
  }

  /// The noise level of one sample.
  public func level(of sample: Int) -> NoiseLevel { levels.count == 1 ? levels[0] : levels[sample] }
}

/// A denoiser that computes on the device: its operations join the trajectory's, and nothing comes back to the host.
package protocol DeviceDenoiser: Denoiser {
  /// Makes what one batch needs: scratch memory, mostly. Evaluations of a batch follow one another.
  func makeEvaluation(for batch: SampleBatch) throws(EngineError) -> any DeviceEvaluation

  /// Device memory that an evaluation of `samples` samples takes, in bytes.
  func bytes(samples: Int) -> Int

  /// Device memory that is taken all the time, such as that of weights, in bytes.
  var residentBytes: Int { get }

  /// Samples that keep a device busy, where it is not their own size that says so.
  func busySamples(on device: DeviceDescription) -> Int?
}

extension DeviceDenoiser {
  package var residentBytes: Int { 0 }
  package func busySamples(on device: DeviceDescription) -> Int? { nil }

  /// The output for a batch that is in host memory, computed on the device.
  func answer(_ call: DenoiserCall, on engine: Engine) async throws -> [Float] {
    let batch = SampleBatch(samples: call.count, elements: elementCount)
    var submission = Submission()
    let x = try engine.makeTensor(.float32, batch.samples, batch.elements)
    let out = try engine.makeTensor(.float32, batch.samples, outputHeads * batch.elements)
    // The samples come multiplied already.
    let rows = call.levels.map { level in
      var row = CoefficientRow()
      row.set(level, inputScale: 1)
      return row
    }
    let table = try engine.makeTensor(.float32, rows.count, CoefficientRow.width)
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
    try submission.upload(.float32(call.samples), to: x)
    try makeEvaluation(for: batch).append(
      x: x, at: CoefficientRows(table, first: 0, perSample: rows.count > 1), into: out, to: &submission)
    let place = try submission.download(out)
    return try await engine.run(submission)[place].floats
  }
}

/// Appends a denoiser's operations for one batch.
package protocol DeviceEvaluation: Sendable {
  /// Adds the operations that write the output for `x` at the levels in `rows`.
  func append(
    x: Tensor, at rows: CoefficientRows, into output: Tensor, to submission: inout Submission
  ) throws(EngineError)
}

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
