internal import Engine
internal import Networks

/// How a batch begins: the rows of coefficients it needs, and the operations that fill register 0.
struct InitialState {
  private let start: SamplingRequest.Start
  private let scale: Double
  private let alpha: Double
  private let samples: Range<Int>
  private let count: Int
  private let firstRow: Int

  init(_ request: SamplingRequest, _ plan: SamplingPlan, samples: Range<Int>, firstRow: Int) {
    start = request.start
    scale = plan.initialScale
    alpha = plan.start.alpha
    count = request.count
    self.samples = samples
    self.firstRow = firstRow
  }

  /// Rows for the table, from `firstRow` on.
  var rows: [CoefficientRow] {
    switch start {
    case .noise: [CoefficientRow(base: 0, noise: scale)]
    case .given: []
    case .images: [CoefficientRow(base: alpha, noise: scale)]
    case .interpolation:
      samples.map { CoefficientRow(base: 0, noise: scale * turn($0).0) }
        + samples.map { CoefficientRow(base: 1, noise: scale * turn($0).1) }
    }
  }

  /// On the arc between two independent noises every point is again a standard normal.
  private func turn(_ sample: Int) -> (Double, Double) {
    let angle = count > 1 ? Double(sample) / Double(count - 1) * .pi / 2 : 0
    return (cosine(angle), sine(angle))
  }

  func append(
    to x: Tensor, _ batch: SampleBatch, table: Tensor, identities: Tensor, on engine: Engine,
    in submission: inout Submission
  ) throws(EngineError) {
    let noise = NoiseSource(identities, step: 0, stream: .initial)
    let rows = CoefficientRows(table, first: firstRow)
    switch start {
    case .noise:
      try submission.append(NoiseDraw(batch, rows, noise, into: x))
    case .given(let values):
      let part = values[samples.lowerBound * batch.elements..<samples.upperBound * batch.elements]
      try submission.upload(.float32(part.map { $0 * Float(scale) }), to: x)
    case .images(let values):
      let isShared = values.count == batch.elements
      let part =
        isShared ? values : Array(values[samples.lowerBound * batch.elements..<samples.upperBound * batch.elements])
      let base = try engine.makeTensor(.float32, isShared ? 1 : batch.samples, batch.elements)
      try submission.upload(.float32(part), to: base)
      let forward = NoiseSource(identities, step: 0, stream: .forward)
      try submission.append(
        NoiseDraw(batch, rows, forward, base: PerSample(base, isShared: isShared), into: x))
    case .interpolation(let first, let second):
      for (index, seed) in [first, second].enumerated() {
        let ends = try engine.makeTensor(.int32, batch.samples, 4)
        let words = SampleIdentity(seed: seed, sample: 0).words
        try submission.upload(.int32(samples.flatMap { _ in words }), to: ends)
        try submission.append(
          NoiseDraw(
            batch, CoefficientRows(table, first: firstRow + index * batch.samples, perSample: true),
            NoiseSource(ends, step: 0, stream: .initial),
            base: index == 0 ? nil : PerSample(x, isShared: false), into: x))
      }
    }
  }
}
