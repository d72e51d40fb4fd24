internal import Diffusion
internal import Engine

/// An operation seen as a function of one ragged batch: vectors of all sequences in, one result a
/// sequence out. What the isolation cases compare.
struct Exchange: Sendable {
  /// Elements a token brings.
  let inputWidth: Int
  /// The batch's sequences, each `[tokens, inputWidth]`, to each sequence's result.
  let run: @Sendable (_ sequences: [[Float]], any Backend) async throws -> [[Float]]

  /// A result `[tokens, width]`, cut into the sequences' parts.
  static func cut(_ result: [Float], into lengths: [Int], width: Int) -> [[Float]] {
    var parts: [[Float]] = []
    var first = 0
    for length in lengths {
      parts.append(Array(result[first * width..<(first + length) * width]))
      first += length
    }
    return parts
  }

  /// The batch's rows, and the number of tokens of each sequence.
  static func joined(_ sequences: [[Float]], width: Int) -> (rows: [Float], lengths: [Int]) {
    (sequences.flatMap { $0 }, sequences.map { $0.count / width })
  }
}

extension Exchange {
  /// A dense layer with GELU.
  static func dense(inputs: Int, outputs: Int) -> Exchange {
    Exchange(inputWidth: inputs) { sequences, backend in
      let (rows, lengths) = joined(sequences, width: inputs)
      var generator = SplitMix64(seed: 901)
      let weights = VectorSet(count: outputs, .init(channels: inputs), .uniform, seed: 902)
      let count = lengths.reduce(0, +)
      var workspace = Workspace(backend)
      let layerWeights = try workspace.denseWeights(
        weights, bias: Draw.uniform(outputs, &generator))
      let out = try workspace.output(count, outputs)
      try workspace.append(
        DenseLayer(
          try workspace.upload(rows, count, inputs), rows: count, weights: layerWeights,
          activation: .gelu, into: out.part))
      return cut(try await workspace.run(reading: out), into: lengths, width: outputs)
    }
  }

  static func layerNormalization(width: Int) -> Exchange {
    Exchange(inputWidth: width) { sequences, backend in
      let (rows, lengths) = joined(sequences, width: width)
      var generator = SplitMix64(seed: 903)
      let count = lengths.reduce(0, +)
      var workspace = Workspace(backend)
      let out = try workspace.output(count, width)
      try workspace.append(
        LayerNormalization(
          try workspace.upload(rows, count, width), rows: count,
          gain: try workspace.upload(Draw.uniform(width, &generator), width),
          bias: try workspace.upload(Draw.uniform(width, &generator), width), epsilon: 1e-6,
          into: out.part))
      return cut(try await workspace.run(reading: out), into: lengths, width: width)
    }
  }

  /// Attention with queries, keys and values side by side.
  static func attention(heads: Int, channels: Int) -> Exchange {
    let part = heads * channels
    return Exchange(inputWidth: 3 * part) { sequences, backend in
      let (rows, lengths) = joined(sequences, width: 3 * part)
      var problem = AttentionProblem(
        lengths: lengths, heads: heads, channels: channels, scale: 2, seed: 904)
      func element(_ row: Int, _ index: Int, _ head: Int, _ channel: Int) -> Float {
        rows[(row * 3 + index) * part + head * channels + channel]
      }
      problem.queries.fill { element($0, 0, $1, $2) }
      problem.keys.fill { element($0, 1, $1, $2) }
      problem.values.fill { element($0, 2, $1, $2) }
      var workspace = Workspace(backend)
      let out = try problem.stage(in: &workspace)
      return cut(try await workspace.run(reading: out), into: lengths, width: part)
    }
  }

  /// The exact denoiser of a mixture of two variances; each sample brings a noise level of its own.
  static func posteriorMean(components: Int, channels: Int) -> Exchange {
    Exchange(inputWidth: channels + 1) { sequences, backend in
      let width = channels + 1
      let (rows, lengths) = joined(sequences, width: width)
      let count = rows.count / width
      let sigmas = (0..<count).map { 0.01 + rows[$0 * width + channels] * rows[$0 * width + channels] }
      var problem = MixtureProblem(
        rows: count,
        groups: [.init(components: components, variance: 0.3), .init(components: components, variance: 0.1)],
        channels: channels, levels: sigmas.map { (alpha: 1 - $0 / 2, sigma: $0) }, seed: 907)
      problem.samples.fill { row, _, channel in rows[row * width + channel] }
      var workspace = Workspace(backend)
      let out = try problem.stage(in: &workspace)
      return cut(try await workspace.run(reading: out), into: lengths, width: channels)
    }
  }

  /// All scores of each sequence against itself, its columns rotated by position.
  static func scores(channels: Int) -> Exchange {
    Exchange(inputWidth: channels) { sequences, backend in
      let (rows, lengths) = joined(sequences, width: channels)
      let longest = lengths.reduce(0, max)
      var workspace = Workspace(backend)
      let segments = Extent.ragged(try workspace.segments(lengths))
      let source = HeadSlices(
        try workspace.upload(rows, rows.count / channels, channels), channels: channels)
      let table = try workspace.rotaryTable(positions: longest, channels: channels)
      let panels = try workspace.pack(source, extent: segments, rotary: table)
      let out = try workspace.output(lengths.count, longest, longest)
      try workspace.append(
        PairwiseProduct(
          rows: source, columns: panels, rowExtent: segments, columnExtent: segments,
          scale: 0.3, epilogue: StoredScores(into: out.part)))
      let result = try await workspace.run(reading: out)
      return lengths.enumerated().map { segment, length in
        (0..<length).flatMap { i in
          result[((segment * longest + i) * longest)...].prefix(length)
        }
      }
    }
  }

  /// The cells of each sequence that pass, of two types: row, column, type and score, sorted.
  static func cells(channels: Int) -> Exchange {
    Exchange(inputWidth: channels + 4) { sequences, backend in
      let width = channels + 4
      let (rows, lengths) = joined(sequences, width: width)
      var problem = PairwiseProblem(
        lengths: lengths, rowLayout: .init(channels: channels), scale: 0.3, seed: 905)
      problem.rows.fill { row, _, channel in rows[row * width + channel] }
      problem.columns.fill { row, _, channel in rows[row * width + channels - 1 - channel] }
      var biases = TypeBiasSet(
        types: 2, tokens: lengths.reduce(0, +), scale: 0.4, .uniform, seed: 906)
      biases.vectors.fill { row, _, channel in rows[row * width + channels + channel] }
      let query = SelectionQuery(
        problem: problem, biases: biases, threshold: 0.2, triangular: true, margin: 1)
      let capacity = lengths.reduce(0) { $0 + $1 * ($1 + 1) }
      let cells = try await query.run(on: backend, capacity: capacity).cells
      return lengths.indices.map { segment in
        cells.filter { $0.matrix / 2 == segment }.flatMap {
          [Float($0.matrix % 2), Float($0.row), Float($0.column), $0.score]
        }
      }
    }
  }
}
