@testable import Conformance
import Diffusion
import Engine
import Geometry
import Networks
import Testing
import TokenPairs

// How each golden's operation is staged.
extension OperationGolden {
  func stage(in workspace: inout Workspace) async throws -> [GoldenOutput] {
    switch operation {
    case "scores": try scores(in: &workspace)
    case "selection": try selection(in: &workspace)
    case "links": try links(in: &workspace)
    case "topK": try topK(in: &workspace)
    case "distances": try distances(in: &workspace)
    case "dense": try dense(in: &workspace)
    case "weightGradient": try weightGradient(in: &workspace)
    case "columnSum": try columnSum(in: &workspace)
    case "squareSum": try squareSum(in: &workspace)
    case "rowSquares": try rowSquares(in: &workspace)
    case "layerNormalization": try layerNormalization(in: &workspace)
    case "embeddingSum": try embeddingSum(in: &workspace)
    case "blendRows": try blendRows(in: &workspace)
    case "rotate": try rotate(in: &workspace)
    case "pack": try pack(in: &workspace)
    case "attention": try attention(in: &workspace)
    case "convolution": try await convolution(in: &workspace)
    case "groupNormalization": try groupNormalization(in: &workspace)
    case "pixelOrder": try pixelOrder(in: &workspace)
    case "timeEmbedding": try await timeEmbedding(in: &workspace)
    case "rowLoss": try rowLoss(in: &workspace)
    case "pairLoss": try pairLoss(in: &workspace)
    case "posteriorMean": try await posteriorMean(in: &workspace)
    case "denoise": try denoise(in: &workspace)
    case "noise": try noise(in: &workspace)
    case "langevin": try langevin(in: &workspace)
    case "sampleSum": try sampleSum(in: &workspace)
    case "quantile": try quantile(in: &workspace)
    default: throw Mismatch("no test stages the operation \(operation)")
    }
  }
}

// Products.
extension OperationGolden {
  /// Vectors that fill their rows.
  private func vectors(_ name: String, heads: Int, channels: Int, in workspace: inout Workspace) throws -> HeadSlices {
    let values = try input(name)
    let tensor = try workspace.upload(values, values.count / (heads * channels), heads * channels)
    return HeadSlices(tensor, headStride: channels, heads: heads, channels: channels)
  }

  private func scores(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (heads, channels) = (try int("heads"), try int("channels"))
    let (rowLengths, columnLengths) = (try list("rowLengths"), try list("columnLengths"))
    func extent(_ lengths: [Int]) throws -> Extent {
      lengths.count == 1 ? .whole(lengths[0]) : .ragged(try workspace.segments(lengths))
    }
    let columnExtent = try extent(columnLengths)
    let columns = try vectors("columns", heads: heads, channels: channels, in: &workspace)
    let (height, width) = (rowLengths.max() ?? 0, columnLengths.max() ?? 0)
    let out = try workspace.output(rowLengths.count * heads, height, width)
    try workspace.append(
      PairwiseProduct(
        rows: try vectors("rows", heads: heads, channels: channels, in: &workspace),
        columns: try workspace.pack(columns, extent: columnExtent), rowExtent: try extent(rowLengths),
        columnExtent: columnExtent, scale: try float("scale"), epilogue: StoredScores(into: out)))
    return [
      GoldenOutput("scores", out) { result in
        var values: [Double] = []
        for (segment, (rows, columns)) in zip(rowLengths, columnLengths).enumerated() {
          for matrix in segment * heads..<(segment + 1) * heads {
            for i in 0..<rows {
              values += result.floats[((matrix * height + i) * width)...].prefix(columns).map(Double.init)
            }
          }
        }
        return values
      }
    ]
  }

  private func selection(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (heads, channels, types) = (try int("heads"), try int("channels"), try int("types"))
    let lengths = try list("lengths")
    let extent = Extent.ragged(try workspace.segments(lengths))
    let keys = try vectors("keys", heads: heads, channels: channels, in: &workspace)
    let cells = try workspace.integerOutput(try int("capacity"), 4)
    let found = try workspace.upload(integers: [Int32](repeating: 0, count: 1 + lengths.count), 1 + lengths.count)
    var selection = CellSelection(
      thresholds: try workspace.upload(try input("thresholds"), lengths.count), triangular: try flag("triangular"),
      margin: try int("margin"), cells: cells, found: found)
    if types > 0 {
      let biases = try vectors("biases", heads: 1, channels: 2 * types, in: &workspace)
      let (panels, peaks) = try workspace.packWithPeaks(biases, extent: extent)
      selection.biases = TypeBiases(panels: panels, peaks: peaks, types: types, scale: try float("biasScale"))
    }
    try workspace.append(
      PairwiseProduct(
        rows: try vectors("queries", heads: heads, channels: channels, in: &workspace),
        columns: try workspace.pack(keys, extent: extent), rowExtent: extent, columnExtent: extent,
        scale: try float("scale"), epilogue: selection))
    return [GoldenOutput("counts", found), Self.entries("cells", cells, integers: 3)]
  }

  /// A list in any order, sorted; each entry's first words are integers, the others floats.
  private static func entries(_ name: String, _ list: Tensor, integers: Int) -> GoldenOutput {
    GoldenOutput(name, list) { result in
      let entries = stride(from: 0, to: result.count, by: 4).map { Array(result.integers[$0..<$0 + 4]) }
      return entries.filter { $0[0] != Poison.integer }.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { entry in
        entry[..<integers].map(Double.init)
          + entry[integers...].map { Double(Float(bitPattern: UInt32(bitPattern: $0))) }
      }
    }
  }

  private func links(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (heads, channels, predicates) = (try int("heads"), try int("channels"), try int("predicates"))
    func side(_ name: String) throws -> LinkScores {
      var scores = LinkScores(
        rows: try vectors(name + "Rows", heads: heads, channels: channels, in: &workspace),
        columns: try vectors(name + "Columns", heads: heads, channels: channels, in: &workspace))
      if has(name + "Biases") {
        let biases = try vectors(name + "Biases", heads: 1, channels: 2 * predicates, in: &workspace)
        scores.biases = .init(biases.tensor, predicates: predicates, scale: try float("biasScale"))
      }
      return scores
    }
    let hits = try workspace.integerOutput(try int("capacity"), 4)
    let found = try workspace.upload(integers: [0], 1)
    try workspace.append(
      PairLinks(
        head: try side("head"), tail: try side("tail"),
        pairs: try workspace.upload(integers: try words("pairs"), try int("pairs"), 4), pairCount: try int("pairs"),
        scale: try float("scale"), threshold: try float("threshold"), hits: hits, found: found))
    return [GoldenOutput("count", found), Self.entries("hits", hits, integers: 2)]
  }

  private func topK(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (channels, k) = (try int("channels"), try int("k"))
    let rows = try vectors("rows", heads: 1, channels: channels, in: &workspace)
    let terms = try vectors("terms", heads: 1, channels: 1, in: &workspace)
    let count = terms.tensor.rowCount
    let columns = try vectors("columns", heads: 1, channels: channels, in: &workspace)
    let rowCount = rows.tensor.rowCount
    let ranked = RankedColumns(
      count: count, panels: try workspace.pack(columns, extent: .whole(count)),
      terms: try workspace.pack(terms, extent: .whole(count)))
    let excluded = try workspace.upload(integers: try words("excluded"), rowCount)
    func lists() throws -> (scratch: Tensor, values: Tensor, indices: Tensor) {
      (
        try workspace.integerOutput(rowCount, TopK.room(for: k), 2), try workspace.output(rowCount, k),
        try workspace.integerOutput(rowCount, k)
      )
    }
    let plain = try lists()
    let best = TopK(
      rows, rowCount: rowCount, among: ranked, chunks: try workspace.segments([count]), excluded: excluded,
      scale: try float("scale"), k: k, lists: plain.scratch, values: plain.values, indices: plain.indices)
    for operation in best.operations { try workspace.append(operation) }
    let outputs = [GoldenOutput("values", plain.values), GoldenOutput("indices", plain.indices)]
    guard try input("rows") == input("columns") else { return outputs }
    let shared = try lists()
    let symmetric = SymmetricTopK(
      rows, columns: ranked, excluded: excluded, scale: try float("scale"), k: k, lists: shared.scratch,
      counts: try workspace.integerOutput(rowCount), worsts: try workspace.output(rowCount), values: shared.values,
      indices: shared.indices)
    for operation in symmetric.operations(SymmetricPart(0, of: 1)) { try workspace.append(operation) }
    return outputs + [GoldenOutput("values", shared.values), GoldenOutput("indices", shared.indices)]
  }

  private func distances(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let channels = try int("channels")
    let rows = try vectors("rows", heads: 1, channels: channels, in: &workspace)
    let columns = try vectors("columns", heads: 1, channels: channels, in: &workspace)
    let (rowCount, columnCount) = (rows.tensor.rowCount, columns.tensor.rowCount)
    let out = try workspace.output(rowCount, columnCount)
    let epilogue = StoredDistances(
      rowSquares: try workspace.upload(try input("rowSquares"), rowCount),
      columnSquares: try workspace.upload(try input("columnSquares"), columnCount), into: out)
    try workspace.append(
      PairwiseProduct(
        rows: rows, columns: try workspace.pack(columns, extent: .whole(columnCount)), rowExtent: .whole(rowCount),
        columnExtent: .whole(columnCount), epilogue: epilogue))
    return [GoldenOutput("out", out)]
  }
}

// Rows.
extension OperationGolden {
  private func dense(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, inputs, outputs) = (try int("rows"), try int("inputs"), try int("outputs"))
    let weights = try vectors("weights", heads: 1, channels: inputs, in: &workspace)
    let out = try workspace.output(rows, outputs)
    var layer = DenseLayer(
      try workspace.upload(try input("input"), rows, inputs), rows: rows,
      weights: DenseWeights(
        panels: try workspace.pack(weights, extent: .whole(outputs)),
        bias: try workspace.upload(try input("bias"), outputs), outputs: outputs),
      activation: try activation, into: out)
    if has("residual") { layer.residual = try workspace.upload(try input("residual"), rows, outputs) }
    try workspace.append(layer)
    return [GoldenOutput("out", out)]
  }

  private func weightGradient(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, inputs, outputs) = (try int("rows"), try int("inputs"), try int("outputs"))
    let input = try vectors("input", heads: 1, channels: inputs, in: &workspace)
    let out = try workspace.output(outputs, inputs)
    try workspace.append(
      WeightGradient(
        of: try vectors("gradient", heads: 1, channels: outputs, in: &workspace),
        input: try workspace.packTransposed(input, rows: rows), inputs: inputs, rows: rows, into: out))
    return [GoldenOutput("out", out)]
  }

  private func columnSum(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let out = try workspace.output(try int("columns"))
    let matrix = try vectors("matrix", heads: 1, channels: try int("columns"), in: &workspace)
    try workspace.append(ColumnSum(of: matrix, rows: try int("rows"), into: out))
    return [GoldenOutput("out", out)]
  }

  private func squareSum(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let values = try input("values")
    let out = try workspace.output(1)
    try workspace.append(SquareSum(of: try workspace.upload(values, values.count), into: out, slot: 0))
    return [GoldenOutput("out", out)]
  }

  private func rowSquares(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, channels) = (try int("rows"), try int("channels"))
    let out = try workspace.output(rows)
    try workspace.append(
      RowSquares(
        of: HeadSlices(try workspace.upload(try input("vectors"), rows, channels), channels: channels),
        rowCount: rows, into: out))
    return [GoldenOutput("out", out)]
  }

  private func layerNormalization(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, width) = (try int("rows"), try int("width"))
    let out = try workspace.output(rows, width)
    try workspace.append(
      LayerNormalization(
        try workspace.upload(try input("input"), rows, width), rows: rows,
        gain: try workspace.upload(try input("gain"), width), bias: try workspace.upload(try input("bias"), width),
        epsilon: try float("epsilon"), into: out))
    return [GoldenOutput("out", out)]
  }

  private func embeddingSum(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, width) = (try int("rows"), try int("width"))
    func table(_ name: String) throws -> Tensor {
      try vectors(name, heads: 1, channels: width, in: &workspace).tensor
    }
    let out = try workspace.output(rows, width)
    try workspace.append(
      EmbeddingSum(
        ids: try workspace.upload(integers: try words("ids"), rows),
        tokenPositions: try workspace.upload(integers: try words("places"), rows), rows: rows,
        words: try table("words"),
        positions: try table("positions"), types: try table("types"), into: out))
    return [GoldenOutput("out", out)]
  }

  private func blendRows(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, width) = (try int("rows"), try int("width"))
    let out = try workspace.output(rows, width)
    try workspace.append(
      BlendRows(
        of: try vectors("source", heads: 1, channels: width, in: &workspace).tensor,
        indices: try workspace.upload(integers: try words("indices"), rows, 2),
        weights: try workspace.upload(try input("weights"), rows), rows: rows, into: out))
    return [GoldenOutput("out", out)]
  }

  private func rotate(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, heads, channels) = (try int("rows"), try int("heads"), try int("channels"))
    let positions = try words("positions")
    let out = try workspace.output(rows, heads * channels)
    let table = try workspace.rotaryTable(positions: Int(positions.max() ?? 0) + 1, channels: channels)
    try workspace.append(
      RotateRows(
        try vectors("vectors", heads: heads, channels: channels, in: &workspace), rows: rows,
        positions: try workspace.upload(integers: positions, rows), rotary: table,
        into: HeadSlices(out, headStride: channels, heads: heads, channels: channels)))
    return [GoldenOutput("out", out)]
  }

  private func pack(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (lengths, heads, channels) = (try list("lengths"), try int("heads"), try int("channels"))
    let table =
      try flag("rotated") ? try workspace.rotaryTable(positions: lengths.max() ?? 0, channels: channels) : nil
    let source = try vectors("vectors", heads: heads, channels: channels, in: &workspace)
    let panels = try workspace.pack(source, extent: .ragged(try workspace.segments(lengths)), rotary: table)
    let width = panels.width
    return [
      GoldenOutput("columns", panels.tensor) { result in
        var values: [Double] = []
        var firstPanel = 0
        for length in lengths {
          for j in 0..<length {
            for row in 0..<heads * channels {
              let panel = (firstPanel + j / width) * heads * channels + row
              values.append(Double(result.floats[panel * width + j % width]))
            }
          }
          firstPanel += (length + width - 1) / width
        }
        return values
      }
    ]
  }

  private func attention(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (lengths, heads, channels) = (try list("lengths"), try int("heads"), try int("channels"))
    let segments = try workspace.segments(lengths)
    let keys = try vectors("keys", heads: heads, channels: channels, in: &workspace)
    let out = try workspace.output(lengths.reduce(0, +), heads * channels)
    try workspace.append(
      Attention(
        queries: try vectors("queries", heads: heads, channels: channels, in: &workspace),
        keys: try workspace.pack(keys, extent: .ragged(segments)),
        values: try vectors("values", heads: heads, channels: channels, in: &workspace), segments: segments,
        scale: try float("scale"), into: out))
    return [GoldenOutput("out", out)]
  }
}

// Images.
extension OperationGolden {
  private var grid: PixelGrid {
    get throws { PixelGrid(images: try int("images"), height: try int("height"), width: try int("width")) }
  }

  private func pixels(in workspace: inout Workspace) throws -> PixelRows {
    let first = try vectors("pixels", heads: 1, channels: try int("inputs"), in: &workspace)
    let second = has("second") ? try vectors("second", heads: 1, channels: try int("second"), in: &workspace) : nil
    return PixelRows(first.tensor, second?.tensor)
  }

  private func convolution(in workspace: inout Workspace) async throws -> [GoldenOutput] {
    let outputs = try int("outputs")
    let weights = try await workspace.engine.makeConvolutionWeights(
      try input("kernels"), bias: try input("bias"), outputs: outputs, inputs: try int("inputs") + int("second"),
      size: try int("size"), upsamples: try flag("upsamples"))
    let result = PixelGrid(images: try int("images"), height: try int("outHeight"), width: try int("outWidth"))
    let out = try workspace.output(result.rows, outputs)
    var operation = Convolution(
      try pixels(in: &workspace), grid: try grid, weights: weights, stride: try int("stride"),
      padding: try flag("after") ? .after : .around, activation: try activation, scale: try float("scale"), into: out)
    if has("shift") { operation.shift = try vectors("shift", heads: 1, channels: outputs, in: &workspace) }
    if has("residual") { operation.residual = try workspace.upload(try input("residual"), result.rows, outputs) }
    #expect(operation.outputGrid == result)
    try workspace.append(operation)
    return [GoldenOutput("out", out)]
  }

  private func groupNormalization(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let channels = try int("inputs") + int("second")
    let out = try workspace.output(try grid.rows, channels)
    var operation = GroupNormalization(
      try pixels(in: &workspace), grid: try grid, groups: try int("groups"),
      gain: try workspace.upload(try input("gain"), channels), bias: try workspace.upload(try input("bias"), channels),
      epsilon: try float("epsilon"), activation: try activation,
      partials: try workspace.output(
        try grid.images, GroupNormalization.partialWidth(pixels: try grid.pixels, groups: try int("groups"))),
      into: out)
    if has("factor") {
      operation.modulation = .init(
        factor: try vectors("factor", heads: 1, channels: channels, in: &workspace),
        shift: try vectors("shift", heads: 1, channels: channels, in: &workspace))
    }
    try workspace.append(operation)
    return [GoldenOutput("out", out)]
  }

  private func pixelOrder(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let channels = try int("channels")
    let out = try workspace.output(try grid.rows, channels)
    var operation = PixelOrder(
      try flag("toPixels") ? .planesToPixels : .pixelsToPlanes,
      of: try workspace.upload(try input("source"), try grid.rows * channels), grid: try grid, channels: channels,
      into: out)
    if has("scales") {
      operation.inputScales = try levels(try input("scales").map { [.inputScale: $0] }, in: &workspace)
    }
    try workspace.append(operation)
    return [GoldenOutput("out", out)]
  }

  /// A row of coefficients for each sample.
  private func levels(
    _ rows: [[CoefficientColumn: Float]], perSample: Bool = true, in workspace: inout Workspace
  ) throws -> CoefficientRows {
    let table = rows.flatMap { columns in
      var row = CoefficientRow()
      for (column, value) in columns { row[column] = value }
      return row.elements
    }
    return CoefficientRows(try workspace.upload(table, rows.count, CoefficientRow.width), perSample: perSample)
  }

  private func timeEmbedding(in workspace: inout Workspace) async throws -> [GoldenOutput] {
    let (times, channels) = (try input("times"), try int("channels"))
    let cosineFirst = try flag("cosineFirst")
    let frequencies =
      has("turns")
      ? try await workspace.engine.makeTimeFrequencies(
        turns: try input("turns").map(Double.init), channels: channels, cosineFirst: cosineFirst, ofLogarithm: true)
      : try await workspace.engine.makeTimeFrequencies(
        channels: channels, shift: try number("shift"), cosineFirst: cosineFirst)
    let out = try workspace.output(times.count, channels)
    try workspace.append(
      TimeEmbedding(
        of: try levels(times.map { [.time: $0] }, in: &workspace), samples: times.count, frequencies: frequencies,
        into: out))
    return [GoldenOutput("out", out)]
  }
}

// Losses.
extension OperationGolden {
  private func rowLoss(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (rows, classes) = (try int("rows"), try int("classes"))
    let losses = try workspace.output(rows)
    let gradient = try workspace.output(rows, classes)
    try workspace.append(
      RowLoss(
        try workspace.upload(try input("logits"), rows, classes),
        labels: try workspace.upload(try input("labels"), rows, classes), rows: rows, classes: classes, losses: losses,
        gradient: gradient))
    return [GoldenOutput("losses", losses), GoldenOutput("gradient", gradient)]
  }

  private func pairLoss(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (heads, channels, types) = (try int("heads"), try int("channels"), try int("types"))
    let lengths = try list("lengths")
    let (tokens, width) = (lengths.reduce(0, +), heads * channels)
    func gradients() throws -> HeadSlices {
      HeadSlices(try workspace.output(tokens, width), headStride: channels, heads: heads, channels: channels)
    }
    let (queryGradients, keyGradients) = (try gradients(), try gradients())
    let biasGradients = types > 0 ? try workspace.output(tokens, 2 * types) : nil
    let biases = try biasGradients.map {
      PairLossPass.Biases(
        try vectors("biases", heads: 1, channels: 2 * types, in: &workspace).tensor, types: types,
        scale: try float("biasScale"), gradients: $0)
    }
    let cells = try list("labels")
    let labels = try input("labelValues").enumerated().map { index, value in
      CellLabel(
        segment: cells[4 * index], type: cells[4 * index + 1], start: cells[4 * index + 2], end: cells[4 * index + 3],
        value: value)
    }
    let pass = PairLossPass(
      try flag("binary") ? .binary : .zlpr,
      queries: try vectors("queries", heads: heads, channels: channels, in: &workspace),
      keys: try vectors("keys", heads: heads, channels: channels, in: &workspace),
      segments: try workspace.segments(lengths), scale: try float("scale"), triangular: try flag("triangular"),
      margin: try int("margin"), biases: biases, labels: labels, backgrounds: try input("backgrounds"),
      weight: try float("weight"), gradients: (queryGradients, keyGradients))
    let totals = try pass.append(to: &workspace.submission, on: workspace.engine)
    let losses = GoldenOutput("losses", totals) { result in
      stride(from: 0, to: result.count, by: PairLoss.totalWidth).map { Double(result.floats[$0]) }
    }
    return [
      losses, GoldenOutput("queryGradients", queryGradients.tensor), GoldenOutput("keyGradients", keyGradients.tensor),
    ] + (biasGradients.map { [GoldenOutput("biasGradients", $0)] } ?? [])
  }
}

// Diffusion.
extension OperationGolden {
  private func posteriorMean(in workspace: inout Workspace) async throws -> [GoldenOutput] {
    let (channels, rows) = (try int("channels"), try int("rows"))
    let variances = try input("variances")
    let mixture = try await workspace.engine.makeMixture(
      means: try Vectors(try input("means"), dimension: channels),
      groups: zip(try list("groups"), variances).map { MixtureGroup(components: $0, variance: $1) },
      logWeights: try input("logWeights"))
    let pairs = try input("levels")
    let noise = try levels(
      stride(from: 0, to: pairs.count, by: 2).map { [.alpha: pairs[$0], .sigma: pairs[$0 + 1]] },
      perSample: try flag("perSample"), in: &workspace)
    let out = try workspace.output(rows, channels)
    let mean = PosteriorMean(
      try vectors("samples", heads: 1, channels: channels, in: &workspace), rows: rows, mixture: mixture, levels: noise,
      partials: try workspace.engine.makePartials(rows: rows, of: mixture), into: out)
    for operation in mean.operations { try workspace.append(operation) }
    return [GoldenOutput("out", out)]
  }

  private var batch: SampleBatch {
    get throws { SampleBatch(samples: try int("samples"), elements: try int("elements")) }
  }

  private func row(in workspace: inout Workspace) throws -> CoefficientRows {
    CoefficientRows(try workspace.upload(try coefficients.elements, 1, CoefficientRow.width))
  }

  private func source(_ stream: NoiseSource.Stream, in workspace: inout Workspace) throws -> NoiseSource {
    let seed = UInt64(try number("seed"))
    let words = try list("identities").flatMap { SampleIdentity(seed: seed, sample: UInt32($0)).words }
    return NoiseSource(try workspace.upload(integers: words, words.count / 4, 4), step: try int("step"), stream: stream)
  }

  /// A tensor of samples, as many elements each as there are.
  private func samples(_ name: String, in workspace: inout Workspace) throws -> Tensor {
    let values = try input(name)
    return try workspace.upload(values, try int("samples"), values.count / int("samples"))
  }

  private func denoise(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (batch, evaluated) = (try batch, try flag("evaluated"))
    let next = try workspace.output(batch.samples, batch.elements)
    var step = DenoiseStep(
      batch, try row(in: &workspace), x: try samples("x", in: &workspace),
      output: evaluated ? try samples("output", in: &workspace) : nil, outputWidth: 2 * batch.elements, into: next)
    let history = try input("history")
    for term in 0..<(try int("history")) {
      let values = Array(history[term * batch.count..<(term + 1) * batch.count])
      step.history.append(try workspace.upload(values, batch.samples, batch.elements))
    }
    switch try int("clip") {
    case 1: step.clip = .fixed
    case 2: step.clip = .thresholds(try workspace.upload(try input("thresholds"), batch.samples))
    default: break
    }
    if try flag("noise") { step.noise = try source(.step, in: &workspace) }
    step.variance = [.fixed, .learnedRange, .noiseResidual, .noiseSquare][try list("variance")[0]]
    guard evaluated else {
      try workspace.append(step)
      return [GoldenOutput("next", next)]
    }
    let (x0, epsilon) = (
      try workspace.output(batch.samples, batch.elements), try workspace.output(batch.samples, batch.elements)
    )
    (step.keptX0, step.keptEpsilon) = (x0, epsilon)
    try workspace.append(step)
    return [GoldenOutput("next", next), GoldenOutput("x0", x0), GoldenOutput("epsilon", epsilon)]
  }

  private func noise(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let batch = try batch
    let out = try workspace.output(over: try input("start"), batch.samples, batch.elements)
    try workspace.append(
      NoiseDraw(
        batch, try row(in: &workspace), try source(.initial, in: &workspace),
        base: try flag("based") ? PerSample(try samples("base", in: &workspace), isShared: false) : nil,
        mask: try flag("masked") ? PerSample(try samples("mask", in: &workspace), isShared: false) : nil, into: out))
    return [GoldenOutput("out", out)]
  }

  private func langevin(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let batch = try batch
    let x = try workspace.output(over: try input("x"), batch.samples, batch.elements)
    try workspace.append(
      LangevinStep(
        batch, try row(in: &workspace), x: x, output: try samples("output", in: &workspace),
        noise: try source(.corrector, in: &workspace), signalToNoise: try float("signalToNoise"),
        factor: try float("factor")))
    return [GoldenOutput("x", x)]
  }

  private func sampleSum(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let (a, b) = (try samples("a", in: &workspace), try samples("b", in: &workspace))
    let summand: SampleSum.Summand =
      try flag("scaled")
      ? .scaledError(
        try samples("error", in: &workspace), from: a, to: b, absolute: try float("absoluteTolerance"),
        relative: try float("relativeTolerance")) : .product(a, b)
    let out = try workspace.output(try int("samples"))
    try workspace.append(SampleSum(try batch, of: summand, into: out))
    return [GoldenOutput("out", out)]
  }

  private func quantile(in workspace: inout Workspace) throws -> [GoldenOutput] {
    let out = try workspace.output(try int("samples"))
    try workspace.append(
      AbsoluteQuantile(
        try batch, try row(in: &workspace), x: try samples("x", in: &workspace),
        output: try samples("output", in: &workspace), ratio: try number("ratio"), into: out))
    return [GoldenOutput("out", out)]
  }
}
