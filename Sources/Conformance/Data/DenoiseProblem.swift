internal import Diffusion
internal import Engine
internal import Networks

/// A batch of samples with outputs and coefficients, on both sides: as tensors for a backend and in Double for the oracle.
struct DenoiseProblem {
  let batch: SampleBatch
  let outputWidth: Int
  var x: [Float]
  var output: [Float]
  var history: [[Float]]
  var rows: [CoefficientRow]
  let perSample: Bool
  let identities: [SampleIdentity]

  init(samples: Int, elements: Int, heads: Int = 1, perSample: Bool = false, spread: Float = 2, seed: UInt64 = 1) {
    var generator = SplitMix64(seed: seed)
    batch = SampleBatch(samples: samples, elements: elements)
    // One more than needed: outputs need not lie side by side.
    outputWidth = heads * elements + 1
    func values(_ count: Int) -> [Float] { Draw.uniform(count, &generator).map { $0 * spread } }
    x = values(batch.count)
    output = values(samples * outputWidth)
    history = (0..<3).map { _ in values(samples * elements) }
    self.perSample = perSample
    rows = (0..<(perSample ? samples + 2 : 3)).map { _ in
      var row = CoefficientRow()
      for column in 0..<11 {
        guard let column = CoefficientColumn(rawValue: column) else { continue }
        row[column] = generator.uniform()
      }
      row[.limit] = 0.75
      row[.sigma] = 0.5 + 0.25 * generator.uniform()
      row[.variance0] = 0.2
      row[.variance1] = 0.6
      row[.variance2] = 0.9
      return row
    }
    identities = (0..<samples).map { SampleIdentity(seed: 0x1_2345_6789 + seed, sample: UInt32($0) &* 77 &+ 3) }
  }

  /// Row 1 is the first that is used: row 0 must not be.
  func coefficient(_ column: CoefficientColumn, of sample: Int) -> Double {
    Double(rows[1 + (perSample ? sample : 0)][column])
  }

  func x0(_ sample: Int, _ element: Int) -> Double { linear(.x0FromSample, .x0FromOutput, sample, element) }
  func epsilon(_ sample: Int, _ element: Int) -> Double {
    linear(.epsilonFromSample, .epsilonFromOutput, sample, element)
  }
  func second(_ sample: Int, _ element: Int) -> Double {
    Double(output[sample * outputWidth + batch.elements + element])
  }

  private func linear(_ a: CoefficientColumn, _ b: CoefficientColumn, _ sample: Int, _ element: Int) -> Double {
    coefficient(a, of: sample) * Double(x[sample * batch.elements + element])
      + coefficient(b, of: sample) * Double(output[sample * outputWidth + element])
  }

  /// The result of `formula` for every element of every sample.
  func all(_ formula: (_ sample: Int, _ element: Int) -> Double) -> [Double] {
    (0..<batch.samples).flatMap { sample in (0..<batch.elements).map { formula(sample, $0) } }
  }
}

extension Workspace {
  mutating func rows(_ problem: DenoiseProblem) throws -> CoefficientRows {
    CoefficientRows(
      try upload(problem.rows.flatMap(\.elements) + Poison.floats(32), problem.rows.count + 1, CoefficientRow.width),
      first: 1, perSample: problem.perSample)
  }

  mutating func noise(
    _ problem: DenoiseProblem, step: Int = 5, stream: NoiseSource.Stream = .step
  ) throws -> NoiseSource {
    let words = problem.identities.flatMap(\.words) + Poison.integers(4)
    return NoiseSource(try upload(integers: words, problem.identities.count + 1, 4), step: step, stream: stream)
  }

  mutating func samples(_ values: [Float], _ problem: DenoiseProblem) throws -> Tensor {
    try upload(values, problem.batch.samples, values.count / problem.batch.samples)
  }
}
