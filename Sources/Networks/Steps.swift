package import Engine

// The steps that families of networks share: each is written by one function, which returns what the step computes. A
// family that needs another operation adds a function of its own.

extension GraphWriter {
  /// A linear layer on each row.
  ///
  /// - Parameters:
  ///   - layer: the layer.
  ///   - input: its input.
  ///   - activation: what is done to the sums.
  ///   - residual: added after the activation.
  /// - Returns: its output, with as many rows as its input.
  package mutating func linear(
    _ layer: LinearLayer, _ input: Value, activation: Activation = .none, residual: Value? = nil
  ) -> Value {
    let output = value(input.extent, layer.width)
    add(
      NetworkStep(
        "linear", reads: [input, residual], writes: [output], layers: [layer],
        multiplications: { Double($0.rows(of: input.extent)) * Double(layer.inputs * layer.width) }
      ) { pass throws(EngineError) in
        let source = pass.tensor(input)
        return DenseLayer(
          source, rows: source.rowCount, weights: try pass.weights(of: layer), activation: activation,
          residual: residual.map { pass.tensor($0) }, into: pass.tensor(output))
      })
    return output
  }

  /// A layer normalisation of each row.
  package mutating func normalized(_ layer: NormalizationLayer, _ input: Value) -> Value {
    let output = value(input.extent, input.channels)
    add(
      NetworkStep("layer normalisation", reads: [input], writes: [output], layers: [layer]) {
        pass throws(EngineError) in
        let source = pass.tensor(input)
        let weights = try pass.weights(of: layer)
        return LayerNormalization(
          source, rows: source.rowCount, gain: weights.gain, bias: weights.bias, epsilon: weights.epsilon,
          into: pass.tensor(output))
      })
    return output
  }

  /// Attention of each position to all others of its item: the keys are packed, then compared.
  ///
  /// - Parameters:
  ///   - projected: queries, keys and values side by side, a third of the channels each.
  ///   - positions: what attends to what.
  ///   - heads: they divide a third of the channels.
  /// - Returns: the sums of values, a third as wide as `projected`.
  package mutating func attention(_ projected: Value, among positions: Positions, heads: Int) -> Value {
    let width = projected.channels / 3
    let size = width / heads
    let keys = value(.keys(positions, heads: heads), width)
    let output = value(.positions(positions), width)
    /// Queries (0), keys (1) or values (2).
    @Sendable func slices(_ part: Int, _ pass: Pass) -> HeadSlices {
      HeadSlices(pass.tensor(projected), offset: part * width, headStride: size, heads: heads, channels: size)
    }
    add(
      NetworkStep("pack keys", reads: [projected], writes: [keys], sequences: positions) { pass throws(EngineError) in
        PackColumns(slices(1, pass), extent: .ragged(try pass.segments(of: positions)), into: try pass.panels(keys))
      })
    add(
      NetworkStep(
        "attention", reads: [projected, keys], writes: [output], sequences: positions,
        multiplications: { 2 * $0.pairs(of: positions) * Double(width) }
      ) { pass throws(EngineError) in
        Attention(
          queries: slices(0, pass), keys: try pass.panels(keys), values: slices(2, pass),
          segments: try pass.segments(of: positions), scale: 1 / Float(size).squareRoot(), into: pass.tensor(output))
      })
    return output
  }
}

// MARK: - Text

extension PassInput where Content == DeviceTokens {
  /// The tokens of a text network.
  package static var tokens: PassInput { PassInput("tokens") }
}

extension GraphWriter {
  /// The sum of each token's, its position's and the first segment's vectors.
  package mutating func embeddings(words: TableLayer, positions: TableLayer, types: TableLayer) -> Value {
    let output = value(.positions(.tokens), words.channels)
    add(
      NetworkStep(
        "embeddings", reads: [], writes: [output], layers: [words, positions, types]
      ) { pass throws(EngineError) in
        let tokens = try pass.input(.tokens)
        return EmbeddingSum(
          ids: tokens.ids, tokenPositions: tokens.positions, rows: tokens.count, words: try pass.weights(of: words),
          positions: try pass.weights(of: positions), types: try pass.weights(of: types), into: pass.tensor(output))
      })
    return output
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

/// Columns of a value with a row for each image.
package struct ImageColumns: Sendable, Hashable {
  package let value: Value
  package let range: Range<Int>

  func slices(_ pass: Pass) -> HeadSlices {
    HeadSlices(pass.tensor(value), offset: range.lowerBound, channels: range.count)
  }
}

extension GraphWriter {
  /// The sinusoids of the noise levels' times.
  package mutating func timeEmbedding(_ layer: FrequencyLayer) -> Value {
    let output = value(.items, layer.channels)
    add(
      NetworkStep("time embedding", reads: [], writes: [output], layers: [layer]) { pass throws(EngineError) in
        TimeEmbedding(
          of: try pass.input(.levels), samples: pass.batch.items, frequencies: try pass.weights(of: layer),
          into: pass.tensor(output))
      })
    return output
  }

  /// The samples as they come, in rows of pixels.
  package mutating func samples(_ positions: Positions, channels: Int) -> Value {
    let output = value(.positions(positions), channels)
    add(
      NetworkStep("pixel order", reads: [], writes: [output]) { pass throws(EngineError) in
        PixelOrder(
          .planesToPixels, of: try pass.input(.samples), grid: try pass.grid(of: output), channels: channels,
          inputScales: try pass.input(.levels), into: pass.tensor(output))
      })
    return output
  }

  /// The answer, in planes again.
  package mutating func answer(_ input: Value) {
    add(
      NetworkStep("pixel order", reads: [input], writes: []) { pass throws(EngineError) in
        PixelOrder(
          .pixelsToPlanes, of: pass.tensor(input), grid: try pass.grid(of: input), channels: input.channels,
          into: try pass.input(.answer))
      })
  }

  /// A convolution over images.
  ///
  /// - Parameters:
  ///   - layer: the layer.
  ///   - input: the images.
  ///   - second: images whose channels follow those of `input`.
  ///   - stride: 2 where the image is made half as large.
  ///   - padding: what lies around the images.
  ///   - shift: added to each channel of an image.
  ///   - residual: added to the sum; may be `output`.
  ///   - scale: what the sum is multiplied by at last.
  ///   - output: where the result goes.
  package mutating func convolution(
    _ layer: ConvolutionLayer, _ input: Value, _ second: Value? = nil, stride: Int = 1,
    padding: Convolution.Padding = .around, shift: ImageColumns? = nil, residual: Value? = nil, scale: Double = 1,
    into output: Value
  ) {
    var chosen = layer
    if case .positions(.pixels(let height, let width)) = input.extent, !layer.upsamples {
      chosen.transforms = Convolution.gainsByTransforms(
        PixelGrid(images: 1, height: height, width: width), inputs: layer.inputs, outputs: layer.outputs,
        size: layer.size, stride: stride, padding: padding)
    }
    add(
      NetworkStep(
        "convolution \(layer.size)×\(layer.size)", reads: [input, second, shift?.value, residual], writes: [output],
        layers: [chosen],
        multiplications: {
          Double($0.rows(of: output.extent)) * Double(layer.inputs * layer.outputs * layer.size * layer.size)
        }
      ) { [chosen] pass throws(EngineError) in
        Convolution(
          PixelRows(pass.tensor(input), second.map { pass.tensor($0) }), grid: try pass.grid(of: input),
          weights: try pass.weights(of: chosen), stride: stride, padding: padding,
          shift: shift.map { $0.slices(pass) },
          residual: residual.map { pass.tensor($0) }, scale: Float(scale), into: pass.tensor(output))
      })
  }

  /// A group normalisation of images.
  ///
  /// - Parameters:
  ///   - layer: the layer.
  ///   - groups: groups of its channels.
  ///   - input: the images.
  ///   - second: images whose channels follow those of `input`.
  ///   - modulation: for each channel what the normalised image is multiplied by, less one, then as many shifts.
  ///   - activation: what is done at last.
  /// - Returns: the normalised images.
  package mutating func groupNormalized(
    _ layer: NormalizationLayer, groups: Int, _ input: Value, _ second: Value? = nil, modulation: ImageColumns? = nil,
    activation: Activation
  ) -> Value {
    let output = value(input.extent, layer.channels)
    let pixels = BatchShape.images(1).rows(of: input.extent)
    let partials = value(.items, GroupNormalization.partialWidth(pixels: pixels, groups: groups))
    let parts = modulation.map { columns in
      let middle = columns.range.lowerBound + layer.channels
      return (
        factor: ImageColumns(value: columns.value, range: columns.range.lowerBound..<middle),
        shift: ImageColumns(value: columns.value, range: middle..<columns.range.upperBound)
      )
    }
    add(
      NetworkStep(
        "group normalisation", reads: [input, second, modulation?.value], writes: [output, partials], layers: [layer]
      ) { pass throws(EngineError) in
        let weights = try pass.weights(of: layer)
        return GroupNormalization(
          PixelRows(pass.tensor(input), second.map { pass.tensor($0) }), grid: try pass.grid(of: input),
          groups: groups, gain: weights.gain, bias: weights.bias, epsilon: weights.epsilon,
          modulation: parts.map {
            GroupNormalization.Modulation(factor: $0.factor.slices(pass), shift: $0.shift.slices(pass))
          }, activation: activation, partials: pass.tensor(partials), into: pass.tensor(output))
      })
    return output
  }
}
