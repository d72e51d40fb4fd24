public import Engine
internal import Networks

extension GammaTable {
  /// Estimates Γ = E‖ε_θ(x_t, t)‖² / d over data (Bao et al., 2022), on the device.
  ///
  /// - Parameters:
  ///   - denoiser: whose predictions of ε are measured.
  ///   - data: clean samples, one after the other; noise is added to them.
  ///   - levels: where; a level without noise is left out.
  ///   - draws: noisy samples for each level. They use the data evenly, and several times if there are more draws than data.
  ///   - seed: the noise's seed.
  ///   - engine: the device that computes.
  /// - Returns: the table, an entry for each level.
  /// - Throws: `DiffusionError` if the data do not fit; `EngineError`; what the denoiser throws; `CancellationError`.
  public static func estimate(
    _ denoiser: any Denoiser, over data: [Float], levels: [NoiseLevel], draws: Int = 1024, seed: UInt64 = 0,
    on engine: Engine
  ) async throws -> GammaTable {
    let elements = denoiser.elementCount
    try require(draws > 0, "Γ needs at least one draw for each level, not \(draws)")
    try require(
      !data.isEmpty && data.count.isMultiple(of: elements), "\(data.count) numbers are not samples of \(elements)",
      kind: .invalidData)
    try requireRange(data, "the data")
    let noisy = levels.filter { $0.sigma > 0 }
    var sums = [Double](repeating: 0, count: noisy.count)
    let size = batchSize(denoiser, draws: draws, levels: noisy.count, on: engine)
    for start in stride(from: 0, to: draws, by: size) {
      let batch = SampleBatch(samples: min(size, draws - start), elements: elements)
      let measured = try MeasuredBatch(denoiser, batch, noisy, on: engine)
      let count = data.count / elements
      let picked = (start..<start + batch.samples).map { draws <= count ? $0 * count / draws : $0 % count }
      let squares = try await measured.squares(
        of: picked.flatMap { data[$0 * elements..<($0 + 1) * elements] },
        identities: (start..<start + batch.samples).map { SampleIdentity(seed: seed, sample: UInt32($0)) })
      for (level, values) in squares.enumerated() { sums[level] += values.reduce(0) { $0 + Double($1) } }
    }
    let scale = 1 / (Double(draws) * Double(elements))
    var table = try GammaTable(zip(noisy, sums).map { Entry(at: $0, gamma: $1 * scale) })
    table.describe(data)
    return table
  }
}

extension GammaTable {
  /// Notes the range and the variance of the data that the table is used for.
  /// - Parameter data: all numbers of all samples, as they are noised.
  public mutating func describe(_ data: [Float]) {
    guard let lowest = data.min(), let highest = data.max() else { return }
    dataRange = Double(lowest)...Double(highest)
    let count = Double(data.count)
    let mean = data.reduce(0) { $0 + Double($1) } / count
    dataVariance = data.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
  }

  /// Draws that travel together.
  private static func batchSize(_ denoiser: any Denoiser, draws: Int, levels: Int, on engine: Engine) -> Int {
    let device = denoiser as? any DeviceDenoiser
    let elements = denoiser.elementCount
    let usual = max(1, (1 << 20) / elements)
    return SamplingMemory.batchSize(
      busy: min(draws, device?.busySamples(on: engine.device) ?? usual), resident: device?.residentBytes ?? 0,
      on: engine.device
    ) { samples in
      // The clean data, x, ε, the step's result and the answer.
      4 * samples * (elements * (4 + denoiser.outputHeads) + levels) + (device?.bytes(samples: samples) ?? 0)
    }
  }
}

/// A batch whose predictions of ε are measured at each level in turn.
private struct MeasuredBatch {
  private let engine: Engine
  private let batch: SampleBatch
  private let levels: [NoiseLevel]
  private let denoiser: any Denoiser
  private let evaluated: EvaluatedBatch

  init(
    _ denoiser: any Denoiser, _ batch: SampleBatch, _ levels: [NoiseLevel], on engine: Engine
  ) throws(EngineError) {
    self.engine = engine
    self.batch = batch
    self.levels = levels
    self.denoiser = denoiser
    evaluated = try EvaluatedBatch(denoiser, batch, on: engine)
  }

  /// ‖ε‖² of each sample at each level.
  func squares(of data: [Float], identities: [SampleIdentity]) async throws -> [[Float]] {
    let clean = try engine.makeTensor(.float32, batch.samples, batch.elements)
    let x = try engine.makeTensor(.float32, batch.samples, batch.elements)
    let scratch = try engine.makeTensor(.float32, batch.samples, batch.elements)
    let epsilon = try engine.makeTensor(.float32, batch.samples, batch.elements)
    let keys = try engine.makeTensor(.int32, batch.samples, 4)
    let sums = try levels.map { _ throws(EngineError) in try engine.makeTensor(.float32, batch.samples) }
    let table = try engine.makeTensor(.float32, levels.count, CoefficientRow.width)
    let rows = levels.map { level in
      var row = CoefficientRow(base: level.alpha, noise: level.sigma)
      row.set(level, inputScale: 1)
      row.set(denoiser.prediction.conversion(at: level))
      return row
    }
    var submission = Submission()
    try submission.upload(.float32(data), to: clean)
    try submission.upload(.int32(identities.flatMap(\.words)), to: keys)
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
    for (index, level) in levels.enumerated() {
      try Task.checkCancellation()
      let row = CoefficientRows(table, first: index)
      try submission.append(
        NoiseDraw(
          batch, row, NoiseSource(keys, step: index, stream: .forward), base: PerSample(clean, isShared: false),
          into: x))
      try await evaluated.evaluate(x, at: row, levels: [level], inputScales: [1], on: engine, in: &submission)
      var step = DenoiseStep(
        batch, row, x: x, output: evaluated.output, outputWidth: evaluated.outputWidth, into: scratch)
      step.keptEpsilon = epsilon
      try submission.append(step)
      try submission.append(SampleSum(batch, of: .product(epsilon, epsilon), into: sums[index]))
    }
    for sum in sums { try submission.download(sum) }
    return try await engine.run(submission).suffix(levels.count).map(\.floats)
  }
}
