internal import Engine
internal import Networks

/// One batch on its way along the flow. Each turn tries a step of every sample: sums of derivatives, evaluations and
/// error norms run on the device, and the host sees one number a sample (three more a stage with a divergence).
final class FlowBatch {
  private let flow: AdaptiveFlow
  private let batch: SampleBatch
  private let evaluated: EvaluatedBatch
  private let x: Tensor
  private let stage: Tensor
  private let error: Tensor
  private let derivatives: [Tensor]
  private let errorSums: Tensor
  private var probe: Probe?
  private var submission = Submission()
  private(set) var evaluations = 0

  /// What the estimate of a divergence needs.
  private struct Probe {
    let signs: Tensor
    let moved: Tensor
    let difference: Tensor
    /// One for each stage.
    let products: [Tensor]
  }

  init(_ flow: AdaptiveFlow, _ batch: SampleBatch) throws(EngineError) {
    self.flow = flow
    self.batch = batch
    let engine = flow.engine
    func tensor() throws(EngineError) -> Tensor { try engine.makeTensor(.float32, batch.samples, batch.elements) }
    evaluated = try EvaluatedBatch(flow.denoiser, batch, on: engine)
    x = try tensor()
    stage = try tensor()
    error = try tensor()
    derivatives = try (0..<7).map { _ throws(EngineError) in try tensor() }
    errorSums = try engine.makeTensor(.float32, batch.samples)
  }

  /// Starts from data.
  func begin(_ data: [Float]) async throws { try submission.upload(.float32(data), to: x) }

  /// Starts from a request's noise.
  func begin(_ request: SamplingRequest, _ plan: SamplingPlan, samples: Range<Int>) async throws {
    let engine = flow.engine
    let start = InitialState(request, plan, samples: samples, firstRow: 0)
    let rows = start.rows.isEmpty ? [CoefficientRow()] : start.rows
    let table = try engine.makeTensor(.float32, rows.count, CoefficientRow.width)
    let identities = try engine.makeTensor(.int32, samples.count, 4)
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
    try submission.upload(.int32(request.identities(samples).flatMap(\.words)), to: identities)
    try start.append(to: x, batch, table: table, identities: identities, on: engine, in: &submission)
    _ = try await engine.run(submission)
    submission = Submission()
  }

  /// Follows the flow from the time `start` to `end`: the samples there, and the integral of each one's divergence if
  /// there are random signs, `[samples, elements]`, to estimate it with.
  func integrate(
    from start: Double, to end: Double, divergence signs: [Float]?
  ) async throws -> (samples: [Float], divergence: [Double]) {
    let engine = flow.engine
    if let signs { try makeProbe(signs) }
    var controls = [StepControl](repeating: StepControl(from: start, to: end), count: batch.samples)
    var integrals = [Double](repeating: 0, count: batch.samples)
    var firstProducts = [Double](repeating: 0, count: batch.samples)
    var taken = [Bool](repeating: false, count: batch.samples)

    // The first derivative of the first step; later ones are the last of the step before.
    let first = try RowTable(stages: 1, batch.samples, engine)
    try await derivative(0, of: x, controls.map(\.time), first)
    var firstDownloads = try await run(first, downloads: probe.map { [$0.products[0]] } ?? [])
    if probe != nil { firstProducts = firstDownloads.removeFirst().map(Double.init) }

    while controls.contains(where: { !$0.isDone }) {
      try Task.checkCancellation()
      let rows = try RowTable(stages: 7, batch.samples, engine)
      for index in 1...6 {
        // A sample that is done has a step of 0 and stays where it is.
        try combine(
          x, DormandPrince.weights[index - 1].enumerated().map { ($0.offset, $0.element) }, controls.map(\.step), rows)
        try await derivative(
          index, of: stage, controls.map { $0.time + DormandPrince.times[index] * $0.step }, rows)
      }
      // Stage 7 is reached with the solution's own weights: `stage` holds the step's end.
      try combine(nil, DormandPrince.errors.enumerated().map { ($0.offset, $0.element) }, controls.map(\.step), rows)
      try submission.append(
        SampleSum(
          batch,
          of: .scaledError(
            error, from: x, to: stage, absolute: Float(flow.absoluteTolerance),
            relative: Float(flow.relativeTolerance)),
          into: errorSums))
      let downloads = try await run(rows, downloads: [errorSums] + (probe?.products.dropFirst() ?? []))

      for sample in controls.indices {
        let step = controls[sample].step
        var error = Double(downloads[0][sample])
        var change = 0.0
        var products = [firstProducts[sample]]
        if probe != nil {
          products += downloads.dropFirst().map { Double($0[sample]) }
          change = step * zip(DormandPrince.weights[5], products).reduce(0) { $0 + $1.0 * $1.1 }
          let difference = step * zip(DormandPrince.errors, products).reduce(0) { $0 + $1.0 * $1.1 }
          let largest = max(abs(integrals[sample]), abs(integrals[sample] + change))
          let allowed = flow.absoluteTolerance + flow.relativeTolerance * largest
          error += difference / allowed * (difference / allowed)
        }
        let count = batch.elements + (probe == nil ? 0 : 1)
        guard !controls[sample].isDone else {
          taken[sample] = false
          continue
        }
        taken[sample] = controls[sample].judge(error: (error / Double(count)).squareRoot())
        if taken[sample] {
          integrals[sample] += change
          if let last = products.last { firstProducts[sample] = last }
        }
        guard !controls[sample].isStuck else {
          throw DiffusionError(
            .failed,
            "a sample needs steps that are too small at t = \(controls[sample].time): the denoiser's answers are not finite or not smooth"
          )
        }
      }
      try move(taken)
    }
    let place = try submission.download(x, count: batch.count)
    let samples = try await engine.run(submission)[place].floats
    submission = Submission()
    return (samples, integrals)
  }

  /// Moves the samples whose step was taken to its end, and their last derivative to the first place.
  private func move(_ taken: [Bool]) throws {
    let table = try flow.engine.makeTensor(.float32, batch.samples, CoefficientRow.width)
    let rows = taken.map { isTaken in
      var row = CoefficientRow()
      row[.sample] = isTaken ? 0 : 1
      row[.history0] = isTaken ? 1 : 0
      return row
    }
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
    let coefficients = CoefficientRows(table, first: 0, perSample: true)
    for (to, from) in [(x, stage), (derivatives[0], derivatives[6])] {
      var step = DenoiseStep(batch, coefficients, x: to, output: nil, into: to)
      step.history = [from]
      try submission.append(step)
    }
  }

  /// `stage = base + step · Σ weight · derivative`, or `error` likewise without a base; three derivatives at a time.
  private func combine(_ base: Tensor?, _ terms: [(Int, Double)], _ steps: [Double], _ rows: RowTable) throws {
    let target = base == nil ? error : stage
    let used = terms.filter { $0.1 != 0 }
    for start in stride(from: 0, to: used.count, by: 3) {
      let part = used[start..<min(start + 3, used.count)]
      let coefficients = rows.add(
        steps.map { size in
          var row = CoefficientRow()
          row[.sample] = start == 0 && base == nil ? 0 : 1
          for (column, term) in zip([CoefficientColumn.history0, .history1, .history2], part) {
            row[column] = Float(size * term.1)
          }
          return row
        })
      // Without a base the first sum starts from any finite register, times 0.
      var step = DenoiseStep(
        batch, coefficients, x: start == 0 ? base ?? x : target, output: nil, into: target)
      step.history = part.map { derivatives[$0.0] }
      try submission.append(step)
    }
  }

  /// `derivatives[index] = f(t) y + g(t)² / (2 std) · ε(y, t)`, and its divergence's estimate if there is a probe.
  private func derivative(
    _ index: Int, of y: Tensor, _ times: [Double], _ rows: RowTable
  ) async throws {
    try await drift(at: y, times, into: derivatives[index], rows)
    guard let probe else { return }
    // vᵀ J v by central differences, the distance a hundredth of the noise: there the flow is smooth.
    let distances = times.map { 0.01 * flow.schedule.level(at: $0).sigma }
    func moved(_ sign: Double) throws {
      var step = DenoiseStep(
        batch,
        rows.add(
          distances.map { distance in
            var row = CoefficientRow()
            row[.sample] = 1
            row[.history0] = Float(sign * distance)
            return row
          }), x: y, output: nil, into: probe.moved)
      step.history = [probe.signs]
      try submission.append(step)
    }
    try moved(1)
    try await drift(at: probe.moved, times, into: probe.difference, rows)
    try moved(-1)
    // `moved` becomes the other derivative, and the difference is divided by the distance.
    try await drift(at: probe.moved, times, into: error, rows)
    var step = DenoiseStep(
      batch,
      rows.add(
        distances.map { distance in
          var row = CoefficientRow()
          row[.sample] = Float(1 / (2 * distance))
          row[.history0] = Float(-1 / (2 * distance))
          return row
        }), x: probe.difference, output: nil, into: probe.difference)
    step.history = [error]
    try submission.append(step)
    try submission.append(
      SampleSum(batch, of: .product(probe.signs, probe.difference), into: probe.products[index]))
  }

  private func drift(at y: Tensor, _ times: [Double], into out: Tensor, _ rows: RowTable) async throws {
    let levels = times.map(flow.schedule.level(at:))
    let inputScales = levels.map { isExploding ? $0.unitScale : 1 }
    let coefficients = rows.add(
      zip(levels, inputScales).map { level, scale in
        var row = CoefficientRow()
        row.set(level, inputScale: scale)
        row.set(flow.denoiser.prediction.conversion(at: level))
        row[.sample] = Float(flow.schedule.drift(at: level.time))
        row[.epsilon] = Float(flow.schedule.diffusionSquared(at: level.time) / (2 * level.sigma))
        return row
      })
    // A denoiser on the host needs what was added so far to have run, with its coefficients.
    if evaluated.isOnHost { try rows.upload(to: &submission) }
    try await evaluated.evaluate(
      y, at: coefficients, levels: levels, inputScales: inputScales, on: flow.engine, in: &submission)
    evaluations += 1
    try submission.append(
      DenoiseStep(
        batch, coefficients, x: y, output: evaluated.output, outputWidth: evaluated.outputWidth, into: out))
  }

  private var isExploding: Bool { if case .varianceExploding = flow.schedule { true } else { false } }

  private func makeProbe(_ signs: [Float]) throws {
    let engine = flow.engine
    func tensor() throws(EngineError) -> Tensor { try engine.makeTensor(.float32, batch.samples, batch.elements) }
    let probe = Probe(
      signs: try tensor(), moved: try tensor(), difference: try tensor(),
      products: try (0..<7).map { _ throws(EngineError) in try engine.makeTensor(.float32, batch.samples) })
    try submission.upload(.float32(signs), to: probe.signs)
    self.probe = probe
  }

  private func run(_ rows: RowTable, downloads: [Tensor]) async throws -> [[Float]] {
    try rows.upload(to: &submission)
    for tensor in downloads { try submission.download(tensor) }
    let results = try await flow.engine.run(submission)
    submission = Submission()
    return results.map(\.floats)
  }
}

/// The rows of coefficients of one turn, a row for each sample and use. They reach the device as uploads that run before
/// the operations.
private final class RowTable {
  private let table: Tensor
  private let samples: Int
  private var rows: [CoefficientRow] = []

  init(stages: Int, _ samples: Int, _ engine: Engine) throws(EngineError) {
    self.samples = samples
    // A stage takes two sums of derivatives, three drifts, and three moves of the probe; the error takes three sums.
    table = try engine.makeTensor(.float32, (stages * 8 + 3) * samples, CoefficientRow.width)
  }

  func add(_ added: [CoefficientRow]) -> CoefficientRows {
    rows += added
    return CoefficientRows(table, first: rows.count - samples, perSample: true)
  }

  /// Adds the upload of all rows so far.
  func upload(to submission: inout Submission) throws(EngineError) {
    try submission.upload(.float32(rows.flatMap(\.elements)), to: table)
  }
}
