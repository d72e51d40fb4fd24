internal import Engine

extension ConformanceFamily { static let precision: ConformanceFamily = "precision" }

/// Products below float32: by the device's own units and, on a GPU's tiles, by emulated matrix fragments.
///
/// Eighths are numbers of bfloat16, and sums of their products exact: there every precision must give the very result,
/// which shows each index that is wrong. Positive numbers show rounding: their result is the sum of absolute products.
extension ConformanceKit {
  static let precisionCases: [ConformanceCase] =
    [Precision.bfloat16x3, .bfloat16].flatMap { precision in
      typealias Layout = VectorSet.Layout
      var cases: [ConformanceCase] = []
      for (rows, channels, columns, isSmall) in [
        (9, 3, 5, true), (1, 1, 1, false), (33, 19, 65, false), (31, 16, 48, false), (64, 15, 49, false),
        (127, 33, 97, false), (129, 64, 64, false), (130, 130, 70, false), (257, 768, 63, false),
      ] {
        let size = "\(rows) × \(channels) × \(columns)"
        cases.append(
          atPrecision(precision, "dense, \(size), exact", small: isSmall, within: .exact) { workspace in
            try DenseProblem(rows: rows, inputs: channels, outputs: columns, draw: .exact, seed: 1301)
              .stage(in: &workspace)
          })
        cases.append(
          atPrecision(precision, "dense, \(size)", small: false, within: precision.tolerance(products: channels)) {
            workspace in
            try DenseProblem(
              rows: rows, inputs: channels, outputs: columns, hasBias: false, draw: .positive, seed: 1302
            )
            .stage(in: &workspace)
          })
      }
      let image = ConvolutionProblem(
        images: 2, height: 5, width: 7, inputs: 19, second: 5, outputs: 9, draw: .exact, seed: 1303)
      let convolutions: [(ConvolutionProblem, Bool)] = [
        (image, false),
        (.init(height: 3, width: 3, inputs: 3, outputs: 5, draw: .exact, seed: 1314), true),
        (.init(height: 3, width: 3, inputs: 3, outputs: 5, upsamples: true, draw: .exact, seed: 1304), false),
        (.init(images: 2, height: 9, width: 8, inputs: 34, outputs: 70, stride: 2, draw: .exact, seed: 1305), false),
        (.init(height: 17, width: 13, inputs: 64, second: 32, outputs: 65, draw: .exact, seed: 1306), false),
        (.init(height: 12, width: 11, inputs: 16, outputs: 49, size: 1, draw: .exact, seed: 1307), false),
      ]
      for (problem, isSmall) in convolutions {
        cases.append(
          atPrecision(precision, "convolution, \(problem.title), exact", small: isSmall, within: .exact) { workspace in
            try await problem.stage(in: &workspace)
          })
        var positive = problem
        positive.draw = .positive
        cases.append(
          atPrecision(
            precision, "convolution, \(problem.title)", small: false,
            within: precision.tolerance(products: problem.size * problem.size * (problem.inputs + problem.second))
          ) { [positive] workspace in try await positive.stage(in: &workspace) })
      }
      for (channels, isSmall) in [(4, true), (33, false), (64, false), (128, false), (132, false)] {
        // Values lie in -1 ... 1: the sum of their absolute products with the weights is below 1, and about a half.
        cases.append(
          atPrecision(
            precision, "attention, head size \(channels)", small: isSmall,
            within: Tolerance(absolute: precision.limit(products: 1) / 2)
          ) { workspace in
            try AttentionProblem(
              lengths: isSmall ? [5] : [1, 49, 65, 130], heads: isSmall ? 1 : 2, channels: channels,
              scale: 1 / Float(channels).squareRoot(), before: isSmall ? 3 : 0, seed: 1308
            ).stage(in: &workspace)
          })
      }
      cases.append(
        atPrecision(precision, "stored scores, exact", small: true, within: .exact) { workspace in
          let rows = VectorSet(count: 9, .init(channels: 5), .exact, seed: 1315)
          let columns = VectorSet(count: 3, .init(channels: 5), .exact, seed: 1316)
          let panels = try workspace.pack(try workspace.upload(columns), extent: .whole(3))
          let out = try workspace.output(1, 9, 3)
          try workspace.append(
            PairwiseProduct(
              rows: try workspace.upload(rows), columns: panels, rowExtent: .whole(9), columnExtent: .whole(3),
              epilogue: StoredScores(into: out)))
          return out
        })
      cases.append(
        ConformanceCase(.precision, "\(precision.rawValue), a part has the bits of the whole") { engine in
          try await partsHaveTheBitsOfTheWhole(precision, on: engine)
        })
      // Thresholds of exact scores, some of which equal them: a small one and one of several tiles, of either kind.
      for problem in cellSelectionCases.prefix(2) + typedSelectionCases.prefix(2) {
        cases.append(
          ConformanceCase(.precision, "\(precision.rawValue), \(problem.name)", small: problem.isSmall) { engine in
            for units in units(of: engine, precision) {
              if let failure = await problem.run(on: engine.multiplying(at: precision, by: units)).failure {
                throw Mismatch(failure)
              }
            }
          })
      }
      return cases
    } + [
      ConformanceCase(.precision, "bfloat16, emulated fragments have the bits of one chain") { engine in
        try await fragmentsAreOneChain(on: engine)
      }
    ]

  /// A case that is staged once for each of the device's units.
  private static func atPrecision(
    _ precision: Precision, _ title: String, small: Bool, within tolerance: Tolerance,
    stage: @escaping @Sendable (inout Workspace) async throws -> Tensor
  ) -> ConformanceCase {
    ConformanceCase(.precision, "\(precision.rawValue), \(title)", small: small) { engine in
      for units in units(of: engine, precision) {
        try await compareWithReference(engine.multiplying(at: precision, by: units)) { workspace in
          [ComparedOutput(try await stage(&workspace), within: tolerance, units.map { "\($0): element" } ?? "element")]
        }
      }
    }
  }

  /// What is tested on a device: its own choice, and what other devices have for its tiles.
  private static func units(of engine: Engine, _ precision: Precision) -> [ProductUnits?] {
    switch (engine.backend.tiles?.variant, precision) {
    case (.gpu, _): [nil, .emulated]
    case (.cpu, .bfloat16): [nil, .float32]
    default: [nil]
    }
  }

  private static func product(
    _ rows: VectorSet, _ rowRange: Range<Int>, _ columns: VectorSet, _ columnRange: Range<Int>, on engine: Engine
  ) async throws -> [Float] {
    func part(_ set: VectorSet, _ range: Range<Int>) -> VectorSet {
      var part = VectorSet(count: range.count, set.layout, .exact, seed: 0)
      part.fill { row, _, channel in Float(set.vector(range.lowerBound + row)[channel]) }
      return part
    }
    var workspace = Workspace(engine)
    let panels = try workspace.pack(try workspace.upload(part(columns, columnRange)), extent: .whole(columnRange.count))
    let out = try workspace.output(1, rowRange.count, columnRange.count)
    try workspace.append(
      PairwiseProduct(
        rows: try workspace.upload(part(rows, rowRange)), columns: panels, rowExtent: .whole(rowRange.count),
        columnExtent: .whole(columnRange.count), epilogue: StoredScores(into: out)))
    return Array(try await workspace.run(reading: out).prefix(rowRange.count * columnRange.count))
  }

  private static func partsHaveTheBitsOfTheWhole(_ precision: Precision, on engine: Engine) async throws {
    let rows = VectorSet(count: 70, .init(channels: 37), .uniform, seed: 1310)
    let columns = VectorSet(count: 67, .init(channels: 37), .uniform, seed: 1311)
    for units in units(of: engine, precision) {
      let engine = engine.multiplying(at: precision, by: units)
      let whole = try await product(rows, 0..<70, columns, 0..<67, on: engine)
      for (rowPart, columnPart) in [(33..<34, 0..<67), (5..<70, 50..<67)] {
        let part = try await product(rows, rowPart, columns, columnPart, on: engine)
        for (index, row) in rowPart.enumerated() {
          try compareBits(
            Array(part[index * columnPart.count..<(index + 1) * columnPart.count]),
            Array(whole[row * 67 + columnPart.lowerBound..<row * 67 + columnPart.upperBound]), "row \(row)")
        }
      }
    }
  }

  private static func fragmentsAreOneChain(on engine: Engine) async throws {
    guard engine.backend.tiles?.variant == .gpu else { throw Skip(reason: "these tiles have no fragments") }
    let rows = VectorSet(count: 70, .init(channels: 83), .uniform, seed: 1312)
    let columns = VectorSet(count: 67, .init(channels: 83), .uniform, seed: 1313)
    try compareBits(
      try await product(
        rows, 0..<70, columns, 0..<67, on: engine.multiplying(at: .bfloat16, by: .emulated)),
      try await product(rows, 0..<70, columns, 0..<67, on: engine.multiplying(at: .bfloat16, by: .float32)),
      "emulated fragments and float32 units")
  }
}

extension Precision {
  /// The most that a sum of so many products may be off, in relation to the sum of absolute products.
  ///
  /// A number of bfloat16 has 8 bits: it is off by 2⁻⁸ of the number at most, and a product of two by twice that. What
  /// three products leave out of one is 3 · 2⁻¹⁶ of it at most. These errors have either sign: in sums of many products
  /// they grow with the root of the number. 3e-6 is left for what float32 sums are rounded by.
  fileprivate func limit(products: Int) -> Double {
    switch self {
    case .float32: 2e-7
    case .bfloat16x3: min(3 * 0x1p-16, max(3e-6, 5e-5 / Double(products).squareRoot()))
    case .bfloat16: 1e-2
    }
  }

  fileprivate func tolerance(products: Int) -> Tolerance {
    Tolerance(absolute: 0, relative: limit(products: products))
  }
}
