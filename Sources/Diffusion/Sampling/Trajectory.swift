internal import Engine
internal import Networks

/// One batch on its way through a plan: its registers on the device, and the operations not yet sent there.
struct Trajectory {
  let batch: SampleBatch

  private let plan: SamplingPlan
  private let engine: Engine
  private let evaluated: EvaluatedBatch
  private let registers: [Tensor]
  private let thresholds: Tensor
  private let table: Tensor
  private let identities: Tensor
  private let painting: Painting?
  private var preview: Tensor?
  private var submission = Submission()

  /// What an inpainting run keeps: `[1 or samples, elements]` each.
  private struct Painting {
    let known: PerSample
    let mask: PerSample
    /// The table's row for the first instruction; one follows for each.
    let firstRow: Int
  }

  /// Makes room for a batch and prepares its initial noise.
  init(
    _ plan: SamplingPlan, _ request: SamplingRequest, samples: Range<Int>, denoiser: any Denoiser, on engine: Engine
  ) throws {
    self.plan = plan
    self.engine = engine
    batch = SampleBatch(samples: samples.count, elements: denoiser.elementCount)
    evaluated = try EvaluatedBatch(denoiser, batch, on: engine)
    registers = try (0..<plan.registerCount).map { _ throws(EngineError) in
      try engine.makeTensor(.float32, samples.count, denoiser.elementCount)
    }
    thresholds = try engine.makeTensor(.float32, samples.count)

    var rows = plan.instructions.map { instruction in
      switch instruction {
      case .update(let update): CoefficientRow(update)
      case .langevin(let step): CoefficientRow(step)
      }
    }
    if let inpainting = request.inpainting {
      painting = Painting(
        known: try Self.upload(inpainting.known, request, samples, batch, engine, &submission),
        mask: try Self.upload(inpainting.mask, request, samples, batch, engine, &submission), firstRow: rows.count)
      let end = plan.instructions.lastIndex { if case .update = $0 { true } else { false } }
      rows += plan.instructions.enumerated().map { index, instruction in
        guard case .update(let update) = instruction else { return CoefficientRow() }
        // Samples are taken for clean where they end, though some grids end a little above: what is known stays exact.
        if index == end { return CoefficientRow(base: 1, noise: 0) }
        return CoefficientRow(base: update.next.alpha, noise: update.next.sigma)
      }
    } else {
      painting = nil
    }

    let start = InitialState(request, plan, samples: samples, firstRow: rows.count)
    rows += start.rows
    table = try engine.makeTensor(.float32, rows.count, CoefficientRow.width)
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
    identities = try engine.makeTensor(.int32, samples.count, 4)
    try submission.upload(.int32(request.identities(samples).flatMap(\.words)), to: identities)
    try start.append(to: registers[0], batch, table: table, identities: identities, on: engine, in: &submission)
  }

  private static func upload(
    _ values: [Float], _ request: SamplingRequest, _ samples: Range<Int>, _ batch: SampleBatch, _ engine: Engine,
    _ submission: inout Submission
  ) throws(EngineError) -> PerSample {
    let isShared = values.count == batch.elements
    let own = samples.lowerBound * batch.elements..<samples.upperBound * batch.elements
    let part = isShared ? values : Array(values[own])
    let tensor = try engine.makeTensor(.float32, isShared ? 1 : batch.samples, batch.elements)
    try submission.upload(.float32(part), to: tensor)
    return PerSample(tensor, isShared: isShared)
  }

  /// Adds the operations of the instruction at `index`; x0 is kept for `read` if asked for.
  mutating func perform(_ index: Int, keepsPreview: Bool) async throws {
    let rows = CoefficientRows(table, first: index)
    switch plan.instructions[index] {
    case .update(let update): try await perform(update, index, rows, keepsPreview: keepsPreview)
    case .langevin(let step):
      let x = registers[step.register]
      try await evaluated.evaluate(
        x, at: rows, levels: [step.level], inputScales: [step.inputScale], on: engine, in: &submission)
      try submission.append(
        LangevinStep(
          batch, rows, x: x, output: evaluated.output, outputWidth: evaluated.outputWidth,
          noise: NoiseSource(identities, step: index, stream: .corrector),
          signalToNoise: Float(step.signalToNoise), factor: Float(step.factor)))
    }
  }

  private mutating func perform(
    _ update: PlannedUpdate, _ index: Int, _ rows: CoefficientRows, keepsPreview: Bool
  ) async throws {
    let x = registers[update.input]
    if update.evaluates {
      try await evaluated.evaluate(
        x, at: rows, levels: [update.level], inputScales: [update.inputScale], on: engine, in: &submission)
    }
    var step = DenoiseStep(
      batch, rows, x: x, output: update.evaluates ? evaluated.output : nil, outputWidth: evaluated.outputWidth,
      into: registers[update.output])
    step.history = update.history.map { registers[$0.register] }
    step.keptX0 = update.keptX0.map { registers[$0] }
    step.keptEpsilon = update.keptEpsilon.map { registers[$0] }
    if keepsPreview && update.evaluates {
      if step.keptX0 == nil { step.keptX0 = try engine.makeTensor(.float32, batch.samples, batch.elements) }
      preview = step.keptX0
    }
    switch update.clipping {
    case .none: break
    case .fixed: step.clip = .fixed
    case .dynamic(let ratio, _):
      guard update.evaluates else { break }
      try submission.append(
        AbsoluteQuantile(
          batch, rows, x: x, output: evaluated.output, outputWidth: evaluated.outputWidth, ratio: ratio,
          into: thresholds))
      step.clip = .thresholds(thresholds)
    }
    if update.noise != 0 {
      step.noise = NoiseSource(identities, step: index, stream: .step)
      step.variance = update.variance.form
    }
    try submission.append(step)
    if let painting, update.finishesStep {
      try submission.append(
        NoiseDraw(
          batch, CoefficientRows(table, first: painting.firstRow + index),
          NoiseSource(identities, step: index, stream: .mask), base: painting.known, mask: painting.mask,
          into: registers[update.output]))
    }
  }

  /// Runs what was added, and reads a register, and the last x0 if one was kept.
  mutating func read(register: Int, preview wantsPreview: Bool) async throws -> (values: [Float], preview: [Float]?) {
    let values = try submission.download(registers[register], count: batch.count)
    let kept = wantsPreview ? preview : nil
    let previewPlace = try kept.map { (tensor) throws(EngineError) in
      try submission.download(tensor, count: batch.count)
    }
    let downloads = try await engine.run(submission)
    submission = Submission()
    return (downloads[values].floats, previewPlace.map { downloads[$0].floats })
  }
}
