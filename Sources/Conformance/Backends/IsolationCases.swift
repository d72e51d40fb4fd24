internal import Diffusion
internal import Engine

/// A result does not depend on its neighbours: the same sequence gives the same bits alone and at any
/// place of any batch.
extension ConformanceKit {
  static let isolationCases: [ConformanceCase] = {
    let small: [(String, Exchange)] = [
      ("dense layer", .dense(inputs: 3, outputs: 5)),
      ("layer normalisation", .layerNormalization(width: 5)),
      ("attention", .attention(heads: 1, channels: 4)),
      ("scores", .scores(channels: 2)),
      ("typed cells", .cells(channels: 2)),
      ("posterior mean", .posteriorMean(components: 3, channels: 2)),
      ("convolution", .convolution(height: 2, width: 3, inputs: 2, outputs: 3)),
      ("group normalisation", .groupNormalization(height: 2, width: 2, channels: 4, groups: 2)),
    ]
    let large: [(String, Exchange)] = [
      ("dense layer", .dense(inputs: 33, outputs: 97)),
      ("layer normalisation", .layerNormalization(width: 385)),
      ("attention", .attention(heads: 2, channels: 20)),
      ("attention, head size 64", .attention(heads: 1, channels: 64)),
      ("scores", .scores(channels: 64)),
      ("typed cells", .cells(channels: 32)),
      ("posterior mean", .posteriorMean(components: 300, channels: 20)),
      ("convolution", .convolution(height: 3, width: 5, inputs: 7, outputs: 50)),
      ("group normalisation", .groupNormalization(height: 3, width: 3, channels: 70, groups: 7)),
    ]
    let places = [[], [5], [-5], [1, -64, 3], [129, 7, -1], [2, -2, 50, 49]]
    return small.map { isolation("\($0.0), small", small: true, $0.1, length: 5, batches: [[3, -1]]) }
      + large.map { isolation($0.0, $0.1, length: 49, batches: places) }
      + large.map { isolation("\($0.0), 130 tokens", $0.1, length: 130, batches: [[1, -3], [48, -129]]) }
      + large.map { isolation("\($0.0), 1 token", $0.1, length: 1, batches: [[7], [-65], [8, -8]]) }
  }()

  /// Compares a sequence's result alone with the same in each of `batches`: the lengths of its neighbours, negative for
  /// those that follow it.
  private static func isolation(
    _ title: String, small: Bool = false, _ exchange: Exchange, length: Int, batches: [[Int]]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { engine in
      var generator = SplitMix64(seed: 910 + UInt64(length))
      func sequence(_ length: Int) -> [Float] {
        Draw.uniform(length * exchange.inputWidth, &generator)
      }
      let subject = sequence(length)
      guard let alone = try await exchange.run([subject], engine).first else {
        throw Mismatch("the sequence has no result")
      }
      for batch in batches {
        let before = batch.filter { $0 > 0 }.map(sequence)
        let after = batch.filter { $0 < 0 }.map { sequence(-$0) }
        let results = try await exchange.run(before + [subject] + after, engine)
        try compareBits(
          results[before.count], alone, "the sequence of \(length) among neighbours of \(batch)")
      }
    }
  }
}

/// The same work gives the same bits when it is repeated, and when other work runs beside it.
extension ConformanceKit {
  static let repetitionCases: [ConformanceCase] = [
    repetition("repeated runs, small", small: true, length: 4, exchanges: tinyExchanges),
    repetition("repeated runs", small: false, length: 65, exchanges: exchanges),
    concurrency("concurrent runs, small", small: true, tasks: 4, rounds: 1, exchanges: tinyExchanges),
    concurrency("concurrent runs", small: false, tasks: 24, rounds: 3, exchanges: exchanges),
  ]

  private static let tinyExchanges: [Exchange] = [
    .dense(inputs: 3, outputs: 5), .attention(heads: 1, channels: 4), .cells(channels: 2),
    .posteriorMean(components: 3, channels: 2),
  ]
  private static let exchanges: [Exchange] = [
    .dense(inputs: 33, outputs: 97), .attention(heads: 2, channels: 20), .cells(channels: 32),
    .scores(channels: 16), .layerNormalization(width: 100), .posteriorMean(components: 70, channels: 17),
  ]

  private static func repetition(
    _ title: String, small: Bool, length: Int, exchanges: [Exchange]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { engine in
      for (index, exchange) in exchanges.enumerated() {
        var generator = SplitMix64(seed: 920 + UInt64(index))
        let batch = [length, 2].map { Draw.uniform($0 * exchange.inputWidth, &generator) }
        let first = try await exchange.run(batch, engine)
        for run in 1...(small ? 1 : 3) {
          let again = try await exchange.run(batch, engine)
          try compareBits(
            again.flatMap { $0 }, first.flatMap { $0 }, "repetition \(run) of work \(index)")
        }
      }
    }
  }

  /// Tasks of different shapes, all at once, each compared with what it gave alone.
  private static func concurrency(
    _ title: String, small: Bool, tasks: Int, rounds: Int, exchanges: [Exchange]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { engine in
      var work: [(exchange: Exchange, batch: [[Float]], alone: [Float])] = []
      for index in 0..<tasks {
        let exchange = exchanges[index % exchanges.count]
        var generator = SplitMix64(seed: 940 + UInt64(index))
        let lengths = small ? [2 + index % 3] : [1 + 7 * index, 30, 1 + index]
        let batch = lengths.map { Draw.uniform($0 * exchange.inputWidth, &generator) }
        let alone = try await exchange.run(batch, engine).flatMap { $0 }
        work.append((exchange, batch, alone))
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, (exchange, batch, alone)) in work.enumerated() {
          group.addTask {
            for _ in 0..<rounds {
              let result = try await exchange.run(batch, engine).flatMap { $0 }
              try compareBits(result, alone, "task \(index) among \(tasks)")
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}

/// An operation seen as a function of one ragged batch: vectors of all sequences in, one result a
/// sequence out. What the isolation cases compare.
struct Exchange: Sendable {
  /// Elements a token brings.
  let inputWidth: Int
  /// The batch's sequences, each `[tokens, inputWidth]`, to each sequence's result.
  let run: @Sendable (_ sequences: [[Float]], Engine) async throws -> [[Float]]

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
    Exchange(inputWidth: inputs) { sequences, engine in
      let (rows, lengths) = joined(sequences, width: inputs)
      var generator = SplitMix64(seed: 901)
      let weights = VectorSet(count: outputs, .init(channels: inputs), .uniform, seed: 902)
      let count = lengths.reduce(0, +)
      var workspace = Workspace(engine)
      let layerWeights = try workspace.denseWeights(
        weights, bias: Draw.uniform(outputs, &generator))
      let out = try workspace.output(count, outputs)
      try workspace.append(
        DenseLayer(
          try workspace.upload(rows, count, inputs), rows: count, weights: layerWeights,
          activation: .gelu, into: out))
      return cut(try await workspace.run(reading: out), into: lengths, width: outputs)
    }
  }

  static func layerNormalization(width: Int) -> Exchange {
    Exchange(inputWidth: width) { sequences, engine in
      let (rows, lengths) = joined(sequences, width: width)
      var generator = SplitMix64(seed: 903)
      let count = lengths.reduce(0, +)
      var workspace = Workspace(engine)
      let out = try workspace.output(count, width)
      try workspace.append(
        LayerNormalization(
          try workspace.upload(rows, count, width), rows: count,
          gain: try workspace.upload(Draw.uniform(width, &generator), width),
          bias: try workspace.upload(Draw.uniform(width, &generator), width), epsilon: 1e-6,
          into: out))
      return cut(try await workspace.run(reading: out), into: lengths, width: width)
    }
  }

  /// Attention with queries, keys and values side by side.
  static func attention(heads: Int, channels: Int) -> Exchange {
    let part = heads * channels
    return Exchange(inputWidth: 3 * part) { sequences, engine in
      let (rows, lengths) = joined(sequences, width: 3 * part)
      var problem = AttentionProblem(
        lengths: lengths, heads: heads, channels: channels, scale: 2, seed: 904)
      func element(_ row: Int, _ index: Int, _ head: Int, _ channel: Int) -> Float {
        rows[(row * 3 + index) * part + head * channels + channel]
      }
      problem.queries.fill { element($0, 0, $1, $2) }
      problem.keys.fill { element($0, 1, $1, $2) }
      problem.values.fill { element($0, 2, $1, $2) }
      var workspace = Workspace(engine)
      let out = try problem.stage(in: &workspace)
      return cut(try await workspace.run(reading: out), into: lengths, width: part)
    }
  }

  /// The exact denoiser of a mixture of two variances; each sample brings a noise level of its own.
  static func posteriorMean(components: Int, channels: Int) -> Exchange {
    Exchange(inputWidth: channels + 1) { sequences, engine in
      let width = channels + 1
      let (rows, lengths) = joined(sequences, width: width)
      let count = rows.count / width
      let sigmas = (0..<count).map { 0.01 + rows[$0 * width + channels] * rows[$0 * width + channels] }
      var problem = MixtureProblem(
        rows: count,
        groups: [.init(components: components, variance: 0.3), .init(components: components, variance: 0.1)],
        channels: channels, levels: sigmas.map { (alpha: 1 - $0 / 2, sigma: $0) }, seed: 907)
      problem.samples.fill { row, _, channel in rows[row * width + channel] }
      var workspace = Workspace(engine)
      let out = try problem.stage(in: &workspace)
      return cut(try await workspace.run(reading: out), into: lengths, width: channels)
    }
  }

  /// All scores of each sequence against itself, its columns rotated by position.
  static func scores(channels: Int) -> Exchange {
    Exchange(inputWidth: channels) { sequences, engine in
      let (rows, lengths) = joined(sequences, width: channels)
      let longest = lengths.reduce(0, max)
      var workspace = Workspace(engine)
      let segments = Extent.ragged(try workspace.segments(lengths))
      let source = HeadSlices(
        try workspace.upload(rows, rows.count / channels, channels), channels: channels)
      let table = try workspace.rotaryTable(positions: longest, channels: channels)
      let panels = try workspace.pack(source, extent: segments, rotary: table)
      let out = try workspace.output(lengths.count, longest, longest)
      try workspace.append(
        PairwiseProduct(
          rows: source, columns: panels, rowExtent: segments, columnExtent: segments,
          scale: 0.3, epilogue: StoredScores(into: out)))
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
    Exchange(inputWidth: channels + 4) { sequences, engine in
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
      let cells = try await query.run(on: engine, capacity: capacity).cells
      return lengths.indices.map { segment in
        cells.filter { $0.matrix / 2 == segment }.flatMap {
          [Float($0.matrix % 2), Float($0.row), Float($0.column), $0.score]
        }
      }
    }
  }
}

/// Operations on images; a token is an image, so that a sequence is some images of a batch.
extension Exchange {
  /// A convolution with SiLU.
  static func convolution(height: Int, width: Int, inputs: Int, outputs: Int) -> Exchange {
    Exchange(inputWidth: height * width * inputs) { sequences, engine in
      let (pixels, lengths) = joined(sequences, width: height * width * inputs)
      let grid = PixelGrid(images: lengths.reduce(0, +), height: height, width: width)
      var generator = SplitMix64(seed: 908)
      let weights = try await engine.makeConvolutionWeights(
        Draw.uniform(outputs * inputs * 9, &generator), bias: Draw.uniform(outputs, &generator), outputs: outputs,
        inputs: inputs, size: 3)
      var workspace = Workspace(engine)
      let out = try workspace.output(grid.rows, outputs)
      let input = PixelRows(try workspace.upload(pixels, grid.rows, inputs))
      try workspace.append(
        Convolution(input, grid: grid, weights: weights, activation: .silu, into: out))
      return cut(try await workspace.run(reading: out), into: lengths, width: grid.pixels * outputs)
    }
  }

  static func groupNormalization(height: Int, width: Int, channels: Int, groups: Int) -> Exchange {
    Exchange(inputWidth: height * width * channels) { sequences, engine in
      let (pixels, lengths) = joined(sequences, width: height * width * channels)
      let grid = PixelGrid(images: lengths.reduce(0, +), height: height, width: width)
      var generator = SplitMix64(seed: 909)
      var workspace = Workspace(engine)
      let out = try workspace.output(grid.rows, channels)
      try workspace.append(
        GroupNormalization(
          PixelRows(try workspace.upload(pixels, grid.rows, channels)), grid: grid, groups: groups,
          gain: try workspace.upload(Draw.uniform(channels, &generator), channels),
          bias: try workspace.upload(Draw.uniform(channels, &generator), channels), epsilon: 1e-6,
          activation: .silu,
          partials: try workspace.output(
            grid.images, GroupNormalization.partialWidth(pixels: grid.pixels, groups: groups)), into: out))
      return cut(try await workspace.run(reading: out), into: lengths, width: grid.pixels * channels)
    }
  }
}
