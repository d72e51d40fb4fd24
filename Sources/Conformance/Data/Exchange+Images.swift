internal import Engine
internal import Logging

/// Operations on images; a token is an image, so that a sequence is some images of a batch.
extension Exchange {
  /// A convolution with SiLU.
  static func convolution(height: Int, width: Int, inputs: Int, outputs: Int) -> Exchange {
    Exchange(inputWidth: height * width * inputs) { sequences, backend in
      let (pixels, lengths) = joined(sequences, width: height * width * inputs)
      let grid = PixelGrid(images: lengths.reduce(0, +), height: height, width: width)
      var generator = SplitMix64(seed: 908)
      let weights = try await Engine(backend: backend, logger: Logger(label: "conformance")).makeConvolutionWeights(
        Draw.uniform(outputs * inputs * 9, &generator), bias: Draw.uniform(outputs, &generator), outputs: outputs,
        inputs: inputs, size: 3)
      var workspace = Workspace(backend)
      let out = try workspace.output(grid.rows, outputs)
      let input = PixelRows(try workspace.upload(pixels, grid.rows, inputs))
      try workspace.append(
        Convolution(input, grid: grid, weights: weights, activation: .silu, into: out.part))
      return cut(try await workspace.run(reading: out), into: lengths, width: grid.pixels * outputs)
    }
  }

  static func groupNormalization(height: Int, width: Int, channels: Int, groups: Int) -> Exchange {
    Exchange(inputWidth: height * width * channels) { sequences, backend in
      let (pixels, lengths) = joined(sequences, width: height * width * channels)
      let grid = PixelGrid(images: lengths.reduce(0, +), height: height, width: width)
      var generator = SplitMix64(seed: 909)
      var workspace = Workspace(backend)
      let out = try workspace.output(grid.rows, channels)
      try workspace.append(
        GroupNormalization(
          PixelRows(try workspace.upload(pixels, grid.rows, channels)), grid: grid, groups: groups,
          gain: try workspace.upload(Draw.uniform(channels, &generator), channels),
          bias: try workspace.upload(Draw.uniform(channels, &generator), channels), epsilon: 1e-6,
          activation: .silu, into: out.part))
      return cut(try await workspace.run(reading: out), into: lengths, width: grid.pixels * channels)
    }
  }
}
