internal import Engine
internal import Foundation
internal import TokenPairs

/// Queries, keys, biases and labels of a batch, and the exact loss with its derivatives.
struct LossProblem: Sendable {
  let lengths: [Int]
  var kind: PairLoss.Kind
  var triangular: Bool
  var margin: Int
  let scale: Float = 0.25
  var queries: VectorSet
  var keys: VectorSet
  var biases: TypeBiasSet?
  var labels: [CellLabel] = []
  var backgrounds: [Float]
  var weight: Float = 0.5

  /// One head a type, or biases for `types` that share one.
  init(
    _ kind: PairLoss.Kind, lengths: [Int], _ layout: VectorSet.Layout, types: Int? = nil, triangular: Bool = true,
    margin: Int = 0, _ draw: Draw = .uniform, seed: UInt64
  ) {
    self.kind = kind
    self.lengths = lengths
    self.triangular = triangular
    self.margin = margin
    let tokens = lengths.reduce(0, +)
    queries = VectorSet(count: tokens, layout, draw, seed: seed &* 7)
    keys = VectorSet(count: tokens, layout, draw, seed: seed &* 7 &+ 1)
    biases = types.map { TypeBiasSet(types: $0, tokens: tokens, scale: 0.5, draw, seed: seed &* 7 &+ 2) }
    backgrounds = [Float](repeating: 0, count: types ?? layout.heads)
  }

  var types: Int { backgrounds.count }

  /// Labels some cells: hard ones, soft ones, and some that do not count; several in a row.
  mutating func label(share: Double, soft: Bool, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for segment in lengths.indices {
      for type in 0..<types {
        for start in 0..<lengths[segment] {
          for end in 0..<lengths[segment] where generator.uniform() < Float(2 * share - 1) {
            let value: Float = soft ? Float(generator.index(below: 5)) / 4 : 1
            labels.append(CellLabel(segment: segment, type: type, start: start, end: end, value: value))
          }
        }
      }
    }
  }

  /// The exact results.
  struct Expected {
    /// By segment and type.
    var losses: [Double]
    var queries: [Double?]
    var keys: [Double?]
    /// Empty without biases.
    var biases: [Double?]
  }

  /// Results, each element in its place of the tensors; nil where nothing may be written.
  func expected() -> Expected {
    let tokens = lengths.reduce(0, +)
    let vectorCount = (tokens + 1) * queries.layout.width
    var expected = Expected(
      losses: [], queries: .init(repeating: nil, count: vectorCount), keys: .init(repeating: nil, count: vectorCount),
      biases: .init(repeating: nil, count: biases == nil ? 0 : (tokens + 1) * 2 * types))
    var firstRow = 0
    let own = Dictionary(uniqueKeysWithValues: labels.map { (CellKey($0), Double($0.value)) })
    for (segment, length) in lengths.enumerated() {
      let rows = firstRow..<firstRow + length
      for row in rows { zero(&expected, row) }
      for type in 0..<types {
        let cells = cells(segment: segment, type: type, firstRow: firstRow, own)
        let (loss, slopes) = evaluate(cells)
        expected.losses.append(loss)
        for (cell, slope) in zip(cells, slopes) {
          add(slope, cell, type, firstRow, to: &expected)
        }
      }
      firstRow += length
    }
    return expected
  }

  private struct CellKey: Hashable {
    let segment, type, start, end: Int
    init(segment: Int, type: Int, start: Int, end: Int) {
      (self.segment, self.type, self.start, self.end) = (segment, type, start, end)
    }
    init(_ label: CellLabel) {
      self.init(segment: label.segment, type: label.type, start: label.start, end: label.end)
    }
  }

  private struct Cell {
    let start, end: Int
    let score, label: Double
  }

  private func cells(segment: Int, type: Int, firstRow: Int, _ own: [CellKey: Double]) -> [Cell] {
    let length = lengths[segment]
    let head = biases == nil ? type : 0
    var cells: [Cell] = []
    for start in margin..<max(margin, length - margin) {
      for end in (triangular ? start : margin)..<max(triangular ? start : margin, length - margin) {
        var score =
          Double(scale)
          * innerProduct(queries.vector(firstRow + start, head: head), keys.vector(firstRow + end, head: head))
        if let biases {
          score +=
            Double(biases.scale)
            * (biases.vectors.vector(firstRow + start)[type] + biases.vectors.vector(firstRow + end)[types + type])
        }
        let label = own[CellKey(segment: segment, type: type, start: start, end: end)] ?? Double(backgrounds[type])
        cells.append(Cell(start: start, end: end, score: score, label: label))
      }
    }
    return cells
  }

  /// The loss of one type of a segment, and its derivative by each score.
  private func evaluate(_ cells: [Cell]) -> (loss: Double, slopes: [Double]) {
    switch kind {
    case .binary:
      let loss = cells.reduce(0) {
        $0 + max($1.score, 0) + log1p(exp(-abs($1.score))) - $1.label * $1.score
      }
      return (loss, cells.map { 1 / (1 + exp(-$0.score)) - $0.label })
    case .zlpr:
      func logarithm(_ terms: [(weight: Double, exponent: Double)]) -> Double {
        let largest = terms.reduce(0) { $1.weight > 0 ? max($0, $1.exponent) : $0 }
        let rest = terms.reduce(exp(-largest)) { $1.weight > 0 ? $0 + $1.weight * exp($1.exponent - largest) : $0 }
        // Where all terms are small, 1 hides them.
        return largest > 0
          ? largest + log(rest) : log1p(terms.reduce(0) { $0 + ($1.weight > 0 ? $1.weight * exp($1.exponent) : 0) })
      }
      let negative = logarithm(cells.map { (1 - $0.label, $0.score) })
      let positive = logarithm(cells.map { ($0.label, -$0.score) })
      return (
        negative + positive,
        cells.map { cell in
          (cell.label < 1 ? (1 - cell.label) * exp(cell.score - negative) : 0)
            - (cell.label > 0 ? cell.label * exp(-cell.score - positive) : 0)
        }
      )
    }
  }

  private func zero(_ expected: inout Expected, _ row: Int) {
    for head in 0..<queries.layout.heads {
      for channel in 0..<queries.layout.channels {
        expected.queries[at(row, head, channel)] = 0
        expected.keys[at(row, head, channel)] = 0
      }
    }
    if biases != nil { for channel in 0..<2 * types { expected.biases[row * 2 * types + channel] = 0 } }
  }

  private func add(_ slope: Double, _ cell: Cell, _ type: Int, _ firstRow: Int, to expected: inout Expected) {
    let head = biases == nil ? type : 0
    let (start, end) = (firstRow + cell.start, firstRow + cell.end)
    let factor = Double(weight) * Double(scale) * slope
    let (query, key) = (queries.vector(start, head: head), keys.vector(end, head: head))
    for channel in 0..<queries.layout.channels {
      expected.queries[at(start, head, channel)]? += factor * key[channel]
      expected.keys[at(end, head, channel)]? += factor * query[channel]
    }
    guard let biases else { return }
    expected.biases[start * 2 * types + type]? += Double(weight) * Double(biases.scale) * slope
    expected.biases[end * 2 * types + types + type]? += Double(weight) * Double(biases.scale) * slope
  }

  private func at(_ row: Int, _ head: Int, _ channel: Int) -> Int {
    let layout = queries.layout
    return row * layout.width + layout.before + head * layout.headStride + channel
  }

  /// What a backend makes of it.
  struct Results {
    var totals: [Float]
    var queries: [Float]
    var keys: [Float]
    var biases: [Float]

    /// By segment and type.
    var losses: [Float] { stride(from: 0, to: totals.count, by: PairLoss.totalWidth).map { totals[$0] } }
  }

  /// Asks the backend for the loss and all derivatives, guards included.
  func run(on backend: any Backend) async throws -> Results {
    var workspace = Workspace(backend)
    let tokens = lengths.reduce(0, +)
    let segments = try workspace.segments(lengths)
    let width = queries.layout.width
    let outputs = [try workspace.output(tokens, width), try workspace.output(tokens, width)]
    var passBiases: PairLossPass.Biases?
    var biasOutput: Guarded?
    if let biases {
      let output = try workspace.output(tokens, 2 * types)
      passBiases = PairLossPass.Biases(
        try workspace.upload(biases.vectors).tensor, types: types, scale: biases.scale, gradients: output.part)
      biasOutput = output
    }
    let pass = PairLossPass(
      kind, queries: try workspace.upload(queries), keys: try workspace.upload(keys), segments: segments,
      scale: scale, triangular: triangular, margin: margin, biases: passBiases, labels: labels,
      backgrounds: backgrounds, weight: weight,
      gradients: (queries.slices(in: outputs[0].part), keys.slices(in: outputs[1].part)))
    let totals = try workspace.append(pass)
    for tensor in [totals] + outputs.map(\.whole) + [biasOutput?.whole].compactMap({ $0 }) {
      try workspace.download(tensor)
    }
    let downloads = try await workspace.run().map(\.floats)
    return Results(
      totals: downloads[0], queries: downloads[1], keys: downloads[2], biases: downloads.count > 3 ? downloads[3] : [])
  }

  /// Compares what the backend makes of it with the exact results.
  func check(on backend: any Backend) async throws {
    let (expected, got) = (expected(), try await run(on: backend))
    let largest = expected.losses.reduce(0) { max($0, abs($1)) }
    let cells = Double(lengths.reduce(0, max))
    // Sums of n² terms in float32; scores err by 1e-6, and the slopes with them.
    try compare(
      got.losses, with: expected.losses, shape: [lengths.count, types],
      within: Tolerance(absolute: 2e-6 * max(1, largest), relative: 1e-5), "loss")
    let tolerance = Tolerance(absolute: 2e-6 * max(1, cells / 16), relative: 2e-5)
    let shape = [lengths.reduce(0, +), queries.layout.width]
    try compare(got.queries, with: expected.queries, shape: shape, within: tolerance, "derivative by query")
    try compare(got.keys, with: expected.keys, shape: shape, within: tolerance, "derivative by key")
    try compare(
      got.biases, with: expected.biases, shape: [shape[0], 2 * types], within: tolerance, "derivative by bias")
  }
}
