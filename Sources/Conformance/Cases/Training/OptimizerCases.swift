internal import Engine
internal import TokenPairs

/// What an optimiser's step is made of: norms, AdamW, mixtures of rows. Sizes straddle vectors, groups and slots.
extension ConformanceKit {
  static let optimizerCases: [ConformanceCase] =
    [1, 15, 16, 17, 1023, 1024, 1025, 2049].map { adamW(count: $0, small: $0 <= 17, clips: $0 % 2 == 1) }
    + [1, 4, 63, 255, 256, 257, 16_383, 16_384, 16_385, 40_000].map { squareSum(count: $0, small: $0 <= 63) }
    + [(1, 1), (3, 4), (5, 17), (9, 64), (33, 385)].map { blendRows(rows: $0.0, width: $0.1, small: $0.0 < 9) }
    + [brokenNorm]

  /// Five steps, with decay, against the textbook's formulas in Double.
  private static func adamW(count: Int, small: Bool, clips: Bool) -> ConformanceCase {
    ConformanceCase(.optimizer, "AdamW, \(count) elements\(clips ? ", clipped" : "")", small: small) { backend in
      var generator = SplitMix64(seed: 1201)
      var parameter = Draw.uniform(count, &generator)
      var exact = parameter.map(Double.init)
      var (first, second) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
      var moments = [[Float](repeating: 0, count: count), [Float](repeating: 0, count: count)]
      for number in 1...5 {
        let gradient = Draw.uniform(count, &generator)
        let settings = AdamWStep.Settings(
          learningRate: 0.01, weightDecay: 0.1, maximumNorm: clips ? 0.25 : .infinity, number: number)
        var workspace = Workspace(backend)
        let guarded = try [parameter, moments[0], moments[1]].map { values in
          let output = try workspace.output(count)
          try workspace.write(values, over: output.whole)
          return output
        }
        let gradients = try workspace.upload(gradient, count)
        // Two slots: a norm may be that of several tensors.
        let squares = try workspace.upload([3, 0], 2)
        try workspace.append(SquareSum(of: gradients, into: squares, slot: 1))
        try workspace.append(
          AdamWStep(
            guarded[0].part, firstMoment: guarded[1].part, secondMoment: guarded[2].part, gradient: gradients,
            squares: squares, settings: settings))
        for output in guarded { try workspace.download(output.whole) }
        let results = try await workspace.run().map(\.floats)
        parameter = Array(results[0].prefix(count))
        moments = [Array(results[1].prefix(count)), Array(results[2].prefix(count))]

        let norm = (3 + gradient.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
        let clip = clips ? min(1, 0.25 / (norm + 1e-6)) : 1
        var (power1, power2) = (1.0, 1.0)
        for _ in 0..<number { (power1, power2) = (power1 * 0.9, power2 * 0.999) }
        for e in 0..<count {
          let g = clip * Double(gradient[e])
          first[e] = 0.9 * first[e] + 0.1 * g
          second[e] = 0.999 * second[e] + 0.001 * g * g
          exact[e] *= 1 - 0.01 * 0.1
          exact[e] -= 0.01 * (first[e] / (1 - power1)) / ((second[e] / (1 - power2)).squareRoot() + 1e-8)
        }
        try compare(
          results[0], with: exact, shape: [count], within: Tolerance(absolute: 1e-6, relative: 1e-6), "parameter")
        try compare(
          results[1], with: first, shape: [count], within: Tolerance(absolute: 1e-7, relative: 2e-6), "first moment")
        try compare(
          results[2], with: second, shape: [count], within: Tolerance(absolute: 1e-9, relative: 2e-6), "second moment")
      }
    }
  }

  private static func squareSum(count: Int, small: Bool) -> ConformanceCase {
    ConformanceCase(.optimizer, "sum of squares, \(count) elements", small: small) { backend in
      var generator = SplitMix64(seed: 1202)
      let values = Draw.uniform(count, &generator)
      var workspace = Workspace(backend)
      let source = try workspace.upload(values + Poison.floats(1), count + 1)
      let slots = (count + SquareSum.part - 1) / SquareSum.part
      let sums = try workspace.output(1 + slots)
      try workspace.append(
        SquareSum(
          of: Tensor(storage: source.storage, elementType: .float32, shape: [count]), into: sums.part, slot: 1))
      let result = try await workspace.run(reading: sums)
      let exact = (0..<slots).map { slot in
        values[(slot * SquareSum.part)..<min(count, (slot + 1) * SquareSum.part)]
          .reduce(0.0) { $0 + Double($1) * Double($1) }
      }
      try compare(
        result, with: [nil] + exact, shape: [1 + slots], within: Tolerance(absolute: 1e-6, relative: 2e-6), "slot")
    }
  }

  private static func blendRows(rows: Int, width: Int, small: Bool) -> ConformanceCase {
    ConformanceCase(.optimizer, "blend of rows, \(rows) × \(width)", small: small) { backend in
      var generator = SplitMix64(seed: 1203)
      let source = VectorSet(count: 7, .init(channels: width), .uniform, seed: 1204)
      let indices = (0..<2 * rows).map { _ in generator.index(below: 8) - 1 }
      let weights = (0..<rows).map { Float($0 % 5) / 4 }
      var workspace = Workspace(backend)
      let out = try workspace.output(rows, width)
      try workspace.append(
        BlendRows(
          of: try workspace.upload(source).tensor,
          indices: try workspace.upload(integers: indices.map(Int32.init), rows, 2),
          weights: try workspace.upload(weights, rows), rows: rows, into: out.part))
      let zeros = [Double](repeating: 0, count: width)
      let expected = (0..<rows).flatMap { r in
        let a = indices[2 * r] < 0 ? zeros : source.vector(indices[2 * r])
        let b = indices[2 * r + 1] < 0 ? zeros : source.vector(indices[2 * r + 1])
        return (0..<width).map { Double(weights[r]) * a[$0] + (1 - Double(weights[r])) * b[$0] }
      }
      try compare(
        try await workspace.run(reading: out), with: expected, shape: [rows, width],
        within: Tolerance(absolute: 1e-7, relative: 2e-7))
    }
  }

  /// A gradient that is not a number is not clipped into one.
  private static let brokenNorm = ConformanceCase(.optimizer, "a norm that is not a number", small: true) { backend in
    var workspace = Workspace(backend)
    let tensors = try (0..<3).map { _ in try workspace.upload([0.5, 0.5], 2) }
    try workspace.append(
      AdamWStep(
        tensors[0], firstMoment: tensors[1], secondMoment: tensors[2], gradient: try workspace.upload([1, 1], 2),
        squares: try workspace.upload([.nan], 1),
        settings: AdamWStep.Settings(learningRate: 0.1, maximumNorm: 1, number: 1)))
    try workspace.download(tensors[0])
    let result = try await workspace.run()[0].floats
    guard result.allSatisfy(\.isNaN) else { throw Mismatch("the parameter is \(result)") }
  }
}
