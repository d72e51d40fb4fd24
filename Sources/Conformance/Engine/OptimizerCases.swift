internal import Engine
internal import TokenPairs

extension ConformanceFamily { static let optimizer: ConformanceFamily = "optimizer" }

/// What an optimiser's step is made of: norms, AdamW, mixtures of rows. Sizes straddle vectors, groups and slots.
extension ConformanceKit {
  static let optimizerCases: [ConformanceCase] =
    [1, 15, 16, 17, 1023, 1024, 1025, 2049].map { adamW(count: $0, small: $0 <= 17, clips: $0 % 2 == 1) }
    + [1, 4, 63, 255, 256, 257, 16_383, 16_384, 16_385, 40_000].map { squareSum(count: $0, small: $0 <= 63) }
    + [(1, 1), (3, 4), (5, 17), (9, 64), (33, 385)].map { blendRows(rows: $0.0, width: $0.1, small: $0.0 < 9) }
    + [brokenNorm]

  /// Five steps, with decay.
  private static func adamW(count: Int, small: Bool, clips: Bool) -> ConformanceCase {
    ConformanceCase(.optimizer, "AdamW, \(count) elements\(clips ? ", clipped" : "")", small: small) { engine in
      try await compareWithReference(engine) { workspace in
        var generator = SplitMix64(seed: 1201)
        let zeros = [Float](repeating: 0, count: count)
        let parameter = try workspace.output(over: Draw.uniform(count, &generator), count)
        let first = try workspace.output(over: zeros, count)
        let second = try workspace.output(over: zeros, count)
        for number in 1...5 {
          let gradient = try workspace.upload(Draw.uniform(count, &generator), count)
          // A norm may be that of several tensors: here the first counts 3.
          let slots = SquareSum.slots(for: gradient)
          let squares = try workspace.upload([3] + [Float](repeating: 0, count: slots), 1 + slots)
          try workspace.append(SquareSum(of: gradient, into: squares, slot: 1))
          try workspace.append(
            AdamWStep(
              parameter, firstMoment: first, secondMoment: second, gradient: gradient, squares: squares,
              settings: AdamWStep.Settings(
                learningRate: 0.01, weightDecay: 0.1, maximumNorm: clips ? 0.25 : .infinity, number: number)))
        }
        return [
          ComparedOutput(parameter, within: Tolerance(absolute: 1e-6, relative: 1e-6), "parameter"),
          ComparedOutput(first, within: Tolerance(absolute: 1e-7, relative: 2e-6), "first moment"),
          ComparedOutput(second, within: Tolerance(absolute: 1e-9, relative: 2e-6), "second moment"),
        ]
      }
    }
  }

  private static func squareSum(count: Int, small: Bool) -> ConformanceCase {
    ConformanceCase(
      .optimizer, "sum of squares, \(count) elements", small: small, within: Tolerance(absolute: 1e-6, relative: 2e-6)
    ) { workspace in
      var generator = SplitMix64(seed: 1202)
      let source = try workspace.upload(Draw.uniform(count, &generator) + Poison.floats(1), count + 1)
      let values = Tensor(storage: source.storage, elementType: .float32, shape: [count])
      let sums = try workspace.output(1 + SquareSum.slots(for: values))
      try workspace.append(SquareSum(of: values, into: sums, slot: 1))
      return [sums]
    }
  }

  private static func blendRows(rows: Int, width: Int, small: Bool) -> ConformanceCase {
    ConformanceCase(
      .optimizer, "blend of rows, \(rows) × \(width)", small: small, within: Tolerance(absolute: 1e-7, relative: 2e-7)
    ) { workspace in
      var generator = SplitMix64(seed: 1203)
      let source = VectorSet(count: 7, .init(channels: width), .uniform, seed: 1204)
      let indices = (0..<2 * rows).map { _ in Int32(generator.index(below: 8) - 1) }
      let weights = (0..<rows).map { Float($0 % 5) / 4 }
      let out = try workspace.output(rows, width)
      try workspace.append(
        BlendRows(
          of: try workspace.upload(source).tensor, indices: try workspace.upload(integers: indices, rows, 2),
          weights: try workspace.upload(weights, rows), rows: rows, into: out))
      return [out]
    }
  }

  /// A gradient that is not a number is not clipped into one.
  private static let brokenNorm = ConformanceCase(.optimizer, "a norm that is not a number", small: true) { engine in
    var workspace = Workspace(engine)
    let tensors = try (0..<3).map { _ in try workspace.upload([0.5, 0.5], 2) }
    try workspace.append(
      AdamWStep(
        tensors[0], firstMoment: tensors[1], secondMoment: tensors[2], gradient: try workspace.upload([1, 1], 2),
        squares: try workspace.upload([.nan], 1),
        settings: AdamWStep.Settings(learningRate: 0.1, maximumNorm: 1, number: 1)))
    let result = try await workspace.run(reading: tensors[0])
    guard result.allSatisfy(\.isNaN) else { throw Mismatch("the parameter is \(result)") }
  }
}
