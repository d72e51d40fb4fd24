internal import Engine
internal import Geometry

extension ConformanceFamily { static let topK: ConformanceFamily = "topK" }

/// The best columns of every row: ties, duplicates, chunks, lists longer than what there is.
extension ConformanceKit {
  static let topKCases: [ConformanceCase] = {
    var cases = [
      exact("one of one", small: true, rows: 1, columns: 1, channels: 1, k: 1, seed: 1101),
      exact("one row", small: true, rows: 1, columns: 67, channels: 2, k: 3, chunks: 2, seed: 1102),
      exact("two tiles", small: true, rows: 9, columns: 5, channels: 3, k: 2, seed: 1103),
      exact("more than there is", small: true, rows: 3, columns: 2, channels: 3, k: 5, seed: 1104),
      exact("itself excluded", small: true, rows: 4, columns: 4, channels: 2, k: 3, excludesOwn: true, seed: 1105),
    ]
    // Row counts at which fused kernels have failed elsewhere.
    for (index, count) in [1, 2, 255, 256, 257, 512].enumerated() {
      let seed = 1110 + UInt64(index)
      cases.append(
        exact("all pairs", rows: count, columns: count, channels: 5, k: min(10, count), excludesOwn: true, seed: seed))
      cases.append(exact("all pairs", rows: count, columns: count, channels: 4, k: 1, chunks: 3, seed: seed))
    }
    for count in [47, 48, 49, 63, 64, 65, 127, 128, 129] {
      cases.append(exact("size", rows: 10, columns: count, channels: 3, k: 7, chunks: 2, seed: 1120))
      cases.append(exact("size", rows: count, columns: 70, channels: 3, k: 2, excludesOwn: true, seed: 1121))
      cases.append(rounded("size", rows: 10, columns: 3 * count, channels: count, k: 4, seed: 1122))
    }
    // Long lists are sorted by merging, in rounds whose number changes at powers of two.
    for k in [1, 2, 3, 7, 8, 9, 63, 64, 65, 511, 513, 1024] {
      cases.append(exact("lists", rows: 9, columns: 1300, channels: 3, k: k, chunks: 5, seed: 1123))
      cases.append(rounded("lists", rows: 67, columns: 1300, channels: 17, k: k, seed: 1124))
    }
    cases += [
      exact("64 chunks", rows: 70, columns: 4200, channels: 2, k: 20, chunks: 64, seed: 1125),
      changed("all columns equal", small: true, seed: 1130) { problem in
        problem.columns.fill { _, _, channel in Float(channel) / 8 }
        problem.terms = problem.terms.map { _ in 0.25 }
      },
      changed("each column twice", seed: 1131) { problem in
        let kept = problem.columns
        problem.columns.fill { row, _, channel in Float(kept.vector(row / 2)[channel]) }
        for j in problem.terms.indices { problem.terms[j] = problem.terms[j / 2 * 2] }
      },
      changed("ever better columns", seed: 1132) { problem in
        problem.terms = problem.terms.indices.map { Float($0) }
      },
      changed("negative values", seed: 1133) { problem in problem.terms = problem.terms.map { $0 - 100 } },
      changed("columns switched off", seed: 1134) { problem in
        for j in problem.terms.indices where j % 10 != 3 { problem.terms[j] = -.infinity }
      },
      changed("another's column excluded", seed: 1135) { problem in
        problem.excluded = problem.excluded.indices.map { Int32($0 * 7 % problem.columns.count) }
      },
      chunksDoNotMatter,
    ]
    return cases
  }()

  private static func exact(
    _ title: String, small: Bool = false, rows: Int, columns: Int, channels: Int, k: Int, chunks: Int = 1,
    excludesOwn: Bool = false, seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(
      .topK, "\(title), \(k) of \(columns) for \(rows) rows, \(chunks) chunks", small: small
    ) { engine in
      let problem = TopKProblem(
        rows: rows, columns: columns, channels: channels, k: k, chunks: chunks, before: 3, excludesOwn: excludesOwn,
        .exact, seed: seed)
      try await problem.checkExactly(on: engine)
    }
  }

  private static func rounded(
    _ title: String, rows: Int, columns: Int, channels: Int, k: Int, seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.topK, "\(title), rounded, \(k) of \(columns) for \(rows) rows") { engine in
      let problem = TopKProblem(
        rows: rows, columns: columns, channels: channels, k: k, scale: 1, chunks: 2, excludesOwn: true, .uniform,
        seed: seed)
      try await problem.checkWithinRounding(on: engine)
    }
  }

  private static func changed(
    _ title: String, small: Bool = false, seed: UInt64, change: @escaping @Sendable (inout TopKProblem) -> Void
  ) -> ConformanceCase {
    ConformanceCase(.topK, title, small: small) { engine in
      var problem = TopKProblem(
        rows: 21, columns: 200, channels: 3, k: 30, chunks: 2, excludesOwn: true, .exact, seed: seed)
      change(&problem)
      try await problem.checkExactly(on: engine)
    }
  }

  /// The same bits however columns are cut, also where values carry rounding errors.
  private static let chunksDoNotMatter = ConformanceCase(.topK, "chunks do not matter") { engine in
    var problem = TopKProblem(rows: 40, columns: 1000, channels: 33, k: 12, .uniform, seed: 1140)
    let whole = try await problem.run(on: engine)
    for chunks in [2, 3, 8, 21] {
      problem.chunks = chunks
      let cut = try await problem.run(on: engine)
      try compareBits(cut.values, whole.values, "values of \(chunks) chunks")
      guard cut.indices == whole.indices else { throw Mismatch("\(chunks) chunks give other columns") }
    }
  }
}

/// The best of one set of vectors for each of them: blocks and rounds, parts, ties between rows and columns.
extension ConformanceKit {
  static let symmetricTopKCases: [ConformanceCase] = {
    var cases = [
      exact(small: true, 1, channels: 2, k: 1),
      exact(small: true, 5, channels: 3, k: 7, parts: 3),
      exact(small: true, 52, channels: 2, k: 2, excludesOwn: true),
      // Two blocks, one of them nearly empty.
      exact(small: true, 193, channels: 1, k: 1, parts: 2, excludesOwn: true),
    ]
    for (index, count) in [2, 47, 48, 49, 191, 192, 255, 256, 257, 383, 384, 385, 512, 577, 1000].enumerated() {
      cases.append(
        exact(count, channels: 4, k: min(10, count), parts: 1 + index % 3, excludesOwn: index % 2 == 0))
    }
    for k in [1, 63, 64, 65, 800] { cases.append(exact(770, channels: 3, k: k, parts: 2)) }
    cases += [
      exact(400, channels: 3, k: 5, parts: 40),
      ConformanceCase(.topK, "mutual, all equal") { engine in
        var problem = TopKProblem(mutual: 400, channels: 2, k: 30, excludesOwn: true, .exact, seed: 1150)
        problem.rows.fill { _, _, channel in Float(channel) / 8 }
        problem.columns = problem.rows
        problem.terms = problem.terms.map { _ in 0.25 }
        try await problem.checkExactly(on: engine)
      },
      ConformanceCase(.topK, "mutual, others excluded and some switched off") { engine in
        var problem = TopKProblem(mutual: 300, channels: 3, k: 40, parts: 2, .exact, seed: 1151)
        problem.excluded = problem.excluded.indices.map { Int32($0 * 7 % 300) }
        for j in problem.terms.indices where j % 10 != 3 { problem.terms[j] = -.infinity }
        try await problem.checkExactly(on: engine)
      },
      sameBits,
    ]
    return cases
  }()

  private static func exact(
    small: Bool = false, _ count: Int, channels: Int, k: Int, parts: Int = 1, excludesOwn: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(
      .topK, "mutual, \(k) of \(count), \(parts) parts\(excludesOwn ? ", itself excluded" : "")", small: small
    ) { engine in
      let problem = TopKProblem(
        mutual: count, channels: channels, k: k, parts: parts, excludesOwn: excludesOwn, .exact,
        seed: 1160 + UInt64(count))
      try await problem.checkExactly(on: engine)
    }
  }

  /// What rows find among columns, to the bit, also where values carry rounding errors.
  private static let sameBits = ConformanceCase(.topK, "mutual, as among columns") { engine in
    for count in [50, 193, 600] {
      var problem = TopKProblem(mutual: count, channels: 33, k: 12, parts: 2, .uniform, seed: 1152)
      let mutual = try await problem.run(on: engine)
      problem.mutualParts = nil
      let plain = try await problem.run(on: engine)
      try compareBits(mutual.values, plain.values, "values")
      guard mutual.indices == plain.indices else { throw Mismatch("\(count) vectors find others among themselves") }
    }
  }
}

/// Rows and columns to choose from, and which column a row may not take.
struct TopKProblem: Sendable {
  var rows: VectorSet
  var columns: VectorSet
  var terms: [Float]
  var k: Int
  var scale: Float
  /// Into how many the columns are cut, if they have as many panels.
  var chunks: Int
  var excluded: [Int32]
  /// In how many parts the rows meet each other, if they are the columns, too; else nil.
  var mutualParts: Int?

  init(
    rows: Int, columns: Int, channels: Int, k: Int, scale: Float = 0.5, chunks: Int = 1, before: Int = 0,
    excludesOwn: Bool = false, _ draw: Draw, seed: UInt64
  ) {
    var generator = SplitMix64(seed: seed)
    let layout = VectorSet.Layout(channels: channels, before: before, after: before)
    self.rows = VectorSet(count: rows, layout, draw, seed: generator.next())
    self.columns = VectorSet(count: columns, layout, draw, seed: generator.next())
    terms = draw(columns, &generator)
    excluded = (0..<rows).map { excludesOwn ? Int32($0) : -1 }
    self.k = k
    self.scale = scale
    self.chunks = chunks
  }

  /// Vectors that are compared with themselves.
  init(
    mutual count: Int, channels: Int, k: Int, parts: Int = 1, scale: Float = 0.5, excludesOwn: Bool = false,
    _ draw: Draw, seed: UInt64
  ) {
    self.init(
      rows: count, columns: count, channels: channels, k: k, scale: scale, before: 3, excludesOwn: excludesOwn, draw,
      seed: seed)
    columns = rows
    mutualParts = parts
  }

  /// Cut at panels, whatever their width is.
  func segments(panelWidth: Int) -> Segments {
    let panels = (columns.count + panelWidth - 1) / panelWidth
    let count = min(chunks, panels)
    return Segments(
      lengths: (0..<count).map { chunk in
        min(columns.count, panels * (chunk + 1) / count * panelWidth) - panels * chunk / count * panelWidth
      })
  }

  /// Asks the engine; checks the memory behind the results and the scratch.
  func run(on engine: Engine) async throws -> (values: [Float], indices: [Int32]) {
    var workspace = Workspace(engine)
    let count = rows.count
    let slices = try workspace.upload(rows)
    let extent = Extent.whole(columns.count)
    let ranked = RankedColumns(
      count: columns.count, panels: try workspace.pack(try workspace.upload(columns), extent: extent),
      terms: try workspace.pack(
        HeadSlices(try workspace.upload(terms + Poison.floats(1), columns.count + 1, 1), channels: 1), extent: extent))
    let table = try workspace.segments(
      mutualParts == nil ? segments(panelWidth: engine.panelWidth).lengths : [columns.count])
    let cut = table.segments.count
    let lists = try workspace.integerOutput(count * cut, TopK.room(for: k), 2)
    let indices = try workspace.integerOutput(count, k)
    let values = try workspace.output(count, k)
    let excluded = try workspace.upload(integers: excluded + [Poison.integer], count + 1)
    if let mutualParts {
      let best = SymmetricTopK(
        slices, columns: ranked, excluded: excluded, scale: scale, k: k, lists: lists,
        counts: try workspace.integerOutput(count), worsts: try workspace.output(count), values: values,
        indices: indices)
      for index in 0..<mutualParts {
        for operation in best.operations(SymmetricPart(index, of: mutualParts)) { try workspace.append(operation) }
      }
    } else {
      let best = TopK(
        slices, rowCount: count, among: ranked, chunks: table, excluded: excluded, scale: scale, k: k, lists: lists,
        values: values, indices: indices)
      for operation in best.operations { try workspace.append(operation) }
    }
    let downloads = try await workspace.run(reading: [lists, indices, values])
    let (foundIndices, foundValues) = (downloads[1].integers, downloads[2].floats)
    guard downloads[0].integers.suffix(2 * TopK.room(for: k)).allSatisfy({ $0 == Poison.integer }),
      foundIndices.suffix(k).allSatisfy({ $0 == Poison.integer }), foundValues.suffix(k).allSatisfy(Poison.isIntact)
    else { throw Mismatch("memory behind the lists was written") }
    return (Array(foundValues.dropLast(k)), Array(foundIndices.dropLast(k)))
  }

  /// Known to the bit: sums of exact draws.
  func checkExactly(on engine: Engine) async throws {
    let (values, indices) = try await run(on: engine)
    let expected = try await run(on: .reference)
    for at in indices.indices where values[at] != expected.values[at] || indices[at] != expected.indices[at] {
      throw Mismatch(
        "row \(at / k), place \(at % k): column \(indices[at]) of \(values[at]), expected \(expected.indices[at]) of \(expected.values[at])"
      )
    }
  }

  /// Known within rounding: the values are those of the columns named, and no better column is left out.
  func checkWithinRounding(on engine: Engine) async throws {
    let (values, indices) = try await run(on: engine)
    var everything = self
    everything.k = columns.count
    let ranked = try await everything.run(on: .reference)
    let tolerance = Tolerance.product(channels: rows.layout.channels)
    for row in 0..<rows.count {
      // All columns, best first; what the row may not take is at the end, without a column.
      let all = row * everything.k..<(row + 1) * everything.k
      let exact = Dictionary(
        uniqueKeysWithValues: all.filter { ranked.indices[$0] >= 0 }.map {
          (ranked.indices[$0], Double(ranked.values[$0]))
        })
      let places = row * k..<(row + 1) * k
      guard Set(indices[places]).count == k else { throw Mismatch("row \(row) has a column twice") }
      for (r, at) in places.enumerated() {
        guard let value = exact[indices[at]] else {
          throw Mismatch("row \(row), place \(r): column \(indices[at]) cannot be taken")
        }
        let slack = tolerance.allows(value)
        let best = Double(ranked.values[all.lowerBound + r])
        guard abs(Double(values[at]) - value) <= slack, abs(value - best) <= 2 * slack,
          r == 0 || values[at] < values[at - 1] || (values[at] == values[at - 1] && indices[at] > indices[at - 1])
        else {
          throw Mismatch(
            "row \(row), place \(r): column \(indices[at]) of \(values[at]), which has \(value); "
              + "expected a value of \(best)")
        }
      }
    }
  }
}
