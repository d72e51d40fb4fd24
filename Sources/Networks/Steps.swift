package import Engine

// The steps of graphs. Each is an operation with values in place of tensors and layers in place of weights.

/// A linear layer on each row.
package struct LinearStep: NetworkStep {
  package let layer: LinearLayer
  package let activation: Activation
  package let input: Value
  /// Added after the activation.
  package let residual: Value?
  package let output: Value

  package var title: String { "linear" }
  package var reads: [Value] { [input] + (residual.map { [$0] } ?? []) }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [layer] }

  package func multiplications(_ batch: BatchShape) -> Double {
    let rows =
      switch input.extent {
      case .items: batch.items
      case .positions(let positions), .keys(let positions, _): batch.rows(of: positions)
      }
    return Double(rows) * Double(layer.inputs * layer.width)
  }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    let source = pass.tensor(input)
    return .dense(
      DenseLayer(
        source, rows: source.rowCount, weights: try pass.weights(of: layer), activation: activation,
        residual: residual.map { pass.tensor($0) }, into: pass.tensor(output)))
  }
}

/// A layer normalisation of each row.
package struct LayerNormalizationStep: NetworkStep {
  package let layer: NormalizationLayer
  package let input: Value
  package let output: Value

  package var title: String { "layer normalisation" }
  package var reads: [Value] { [input] }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [layer] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    let source = pass.tensor(input)
    let weights = try pass.weights(of: layer)
    return .layerNormalization(
      LayerNormalization(
        source, rows: source.rowCount, gain: weights.gain, bias: weights.bias, epsilon: weights.epsilon,
        into: pass.tensor(output)))
  }
}

/// The shape of attention among the positions of each item.
package struct AttentionShape: Sendable, Hashable {
  package let positions: Positions
  package let heads: Int
  /// Channels of a head.
  package let size: Int
  /// `[rows, 3 · heads · size]`: queries, keys and values side by side.
  package let projected: Value

  /// Queries (0), keys (1) or values (2).
  func slices(_ part: Int, _ pass: Pass) -> HeadSlices {
    HeadSlices(
      pass.tensor(projected), offset: part * heads * size, headStride: size, heads: heads, channels: size)
  }
}

/// Lays the keys of attention out as columns of a product.
package struct PackKeysStep: NetworkStep {
  package let shape: AttentionShape
  package let keys: Value

  package var title: String { "pack keys" }
  package var reads: [Value] { [shape.projected] }
  package var writes: [Value] { [keys] }
  package var sequences: [Positions] { [shape.positions] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .pack(
      PackColumns(
        shape.slices(1, pass), extent: .ragged(try pass.segments(of: shape.positions)), into: try pass.panels(keys)))
  }
}

/// Attention of each position to all others of its item.
package struct AttentionStep: NetworkStep {
  package let shape: AttentionShape
  package let keys: Value
  package let output: Value

  package var title: String { "attention" }
  package var reads: [Value] { [shape.projected, keys] }
  package var writes: [Value] { [output] }
  package var sequences: [Positions] { [shape.positions] }

  package func multiplications(_ batch: BatchShape) -> Double {
    2 * batch.pairs(of: shape.positions) * Double(shape.heads * shape.size)
  }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .attention(
      Attention(
        queries: shape.slices(0, pass), keys: try pass.panels(keys), values: shape.slices(2, pass),
        segments: try pass.segments(of: shape.positions), scale: 1 / Float(shape.size).squareRoot(),
        into: pass.tensor(output)))
  }
}

extension GraphWriter {
  /// Adds a linear layer.
  /// - Returns: its output, with as many rows as its input.
  package mutating func linear(
    _ layer: LinearLayer, _ input: Value, activation: Activation = .none, residual: Value? = nil
  ) -> Value {
    let output = value(input.extent, layer.width)
    add(LinearStep(layer: layer, activation: activation, input: input, residual: residual, output: output))
    return output
  }

  /// Adds a layer normalisation.
  package mutating func normalized(_ input: Value, _ name: String, epsilon: Double) -> Value {
    let output = value(input.extent, input.channels)
    let layer = NormalizationLayer(name, channels: input.channels, epsilon: epsilon)
    add(LayerNormalizationStep(layer: layer, input: input, output: output))
    return output
  }

  /// Adds attention.
  ///
  /// - Parameters:
  ///   - projected: queries, keys and values side by side, a third of the channels each.
  ///   - positions: what attends to what.
  ///   - heads: they divide a third of the channels.
  /// - Returns: the sums of values, a third as wide as `projected`.
  package mutating func attention(_ projected: Value, among positions: Positions, heads: Int) -> Value {
    let width = projected.channels / 3
    let shape = AttentionShape(positions: positions, heads: heads, size: width / heads, projected: projected)
    let keys = value(.keys(positions, heads: heads), width)
    let output = value(.positions(positions), width)
    add(PackKeysStep(shape: shape, keys: keys))
    add(AttentionStep(shape: shape, keys: keys, output: output))
    return output
  }
}

// MARK: - Text

extension PassInput where Content == DeviceTokens {
  /// The tokens of a text network.
  package static var tokens: PassInput { PassInput("tokens") }
}

/// The sum of a token's, its position's and the first segment's vectors.
package struct EmbeddingStep: NetworkStep {
  package let words: TableLayer
  package let positions: TableLayer
  package let types: TableLayer
  package let output: Value

  package var title: String { "embeddings" }
  package var reads: [Value] { [] }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [words, positions, types] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    let tokens = try pass.input(.tokens)
    return .embeddingSum(
      EmbeddingSum(
        ids: tokens.ids, tokenPositions: tokens.positions, rows: tokens.count, words: try pass.weights(of: words),
        positions: try pass.weights(of: positions), types: try pass.weights(of: types), into: pass.tensor(output)))
  }
}

// MARK: - Images

extension PassInput where Content == Tensor {
  /// `[images, channels · height · width]`, plane by plane: what an image network reads.
  package static var samples: PassInput { PassInput("samples") }
  /// `[images, …]`, likewise: where its answer goes.
  package static var answer: PassInput { PassInput("answer") }
}

extension PassInput where Content == CoefficientRows {
  /// Each image's time, and what the image is multiplied by before.
  package static var levels: PassInput { PassInput("levels") }
}

/// The sinusoids of the noise levels' times.
package struct TimeEmbeddingStep: NetworkStep {
  package let layer: FrequencyLayer
  package let output: Value

  package var title: String { "time embedding" }
  package var reads: [Value] { [] }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [layer] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .timeEmbedding(
      TimeEmbedding(
        of: try pass.input(.levels), samples: pass.batch.items, frequencies: try pass.weights(of: layer),
        into: pass.tensor(output)))
  }
}

/// The samples as they come, in rows of pixels.
package struct ReadSamplesStep: NetworkStep {
  package let output: Value

  package var title: String { "pixel order" }
  package var reads: [Value] { [] }
  package var writes: [Value] { [output] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .pixelOrder(
      PixelOrder(
        .planesToPixels, of: try pass.input(.samples), grid: try pass.grid(of: output), channels: output.channels,
        inputScales: try pass.input(.levels), into: pass.tensor(output)))
  }
}

/// The answer, in planes again.
package struct WriteAnswerStep: NetworkStep {
  package let input: Value

  package var title: String { "pixel order" }
  package var reads: [Value] { [input] }
  package var writes: [Value] { [] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .pixelOrder(
      PixelOrder(
        .pixelsToPlanes, of: pass.tensor(input), grid: try pass.grid(of: input), channels: input.channels,
        into: try pass.input(.answer)))
  }
}

/// Columns of a value with a row for each image.
package struct ImageColumns: Sendable, Hashable {
  package let value: Value
  package let range: Range<Int>

  func slices(_ pass: Pass) -> HeadSlices {
    HeadSlices(pass.tensor(value), offset: range.lowerBound, channels: range.count)
  }

  /// The columns before a number of them, and those from there on.
  func split(at count: Int) -> (ImageColumns, ImageColumns) {
    let middle = range.lowerBound + count
    return (
      ImageColumns(value: value, range: range.lowerBound..<middle),
      ImageColumns(value: value, range: middle..<range.upperBound)
    )
  }
}

/// A convolution over images.
package struct ConvolutionStep: NetworkStep {
  package let layer: ConvolutionLayer
  package let input: Value
  /// Its channels follow those of `input`.
  package var second: Value?
  /// Whether the image is made half as large.
  package var halves = false
  package var padding = Convolution.Padding.around
  /// Added to each channel of an image.
  package var shift: ImageColumns?
  package var residual: Value?
  /// What the sum is multiplied by at last.
  package var scale = 1.0
  package let output: Value

  package var title: String { "convolution \(layer.size)×\(layer.size)" }
  package var reads: [Value] { [input, second, shift?.value, residual].compactMap { $0 } }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [layer] }

  package func multiplications(_ batch: BatchShape) -> Double {
    guard case .positions(let positions) = output.extent else { return 0 }
    return Double(batch.rows(of: positions)) * Double(layer.inputs * layer.outputs * layer.size * layer.size)
  }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    .convolution(
      Convolution(
        PixelRows(pass.tensor(input), second.map { pass.tensor($0) }), grid: try pass.grid(of: input),
        weights: try pass.weights(of: layer), stride: halves ? 2 : 1, padding: padding,
        shift: shift.map { $0.slices(pass) }, residual: residual.map { pass.tensor($0) }, scale: Float(scale),
        into: pass.tensor(output)))
  }
}

/// A group normalisation of images.
package struct GroupNormalizationStep: NetworkStep {
  package let layer: NormalizationLayer
  package let groups: Int
  package let input: Value
  /// Its channels follow those of `input`.
  package var second: Value?
  /// What the normalised image is multiplied by, less one, and as many shifts.
  package var modulation: ImageColumns?
  package let activation: Activation
  package let output: Value

  package var title: String { "group normalisation" }
  package var reads: [Value] { [input, second, modulation?.value].compactMap { $0 } }
  package var writes: [Value] { [output] }
  package var layers: [any NetworkLayer] { [layer] }

  package func operation(in pass: Pass) throws(EngineError) -> Operation {
    let weights = try pass.weights(of: layer)
    let modulation = modulation.map { columns in
      let (factor, shift) = columns.split(at: layer.channels)
      return GroupNormalization.Modulation(factor: factor.slices(pass), shift: shift.slices(pass))
    }
    return .groupNormalization(
      GroupNormalization(
        PixelRows(pass.tensor(input), second.map { pass.tensor($0) }), grid: try pass.grid(of: input), groups: groups,
        gain: weights.gain, bias: weights.bias, epsilon: weights.epsilon, modulation: modulation,
        activation: activation, into: pass.tensor(output)))
  }
}
