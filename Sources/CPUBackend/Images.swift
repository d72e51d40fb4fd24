internal import Engine
internal import Foundation

/// The channels of pixels, whichever tensor they lie in.
private struct PixelReader {
  private let first: UnsafeMutableBufferPointer<Float>
  private let second: UnsafeMutableBufferPointer<Float>?
  private let widths: (Int, Int)

  init(_ rows: PixelRows) throws(EngineError) {
    first = try CPUBackend.floats(rows.first)
    second = try rows.second.map { (tensor) throws(EngineError) in try CPUBackend.floats(tensor) }
    widths = (rows.first.width, rows.second?.width ?? 0)
  }

  func callAsFunction(_ row: Int, _ channel: Int) -> Double {
    if channel < widths.0 { return Double(first[row * widths.0 + channel]) }
    guard let second else { return 0 }
    return Double(second[row * widths.1 + channel - widths.0])
  }
}

extension CPUBackend {
  static func convolution(_ operation: Convolution) throws(EngineError) {
    let weights = operation.weights
    let (from, to) = (operation.grid, operation.outputGrid)
    let input = try PixelReader(operation.input)
    let columns = try VectorReader(weights.panels)
    let bias = try floats(weights.bias)
    let shift = try operation.shift.map { (slices) throws(EngineError) in try VectorReader(slices) }
    let residual = try operation.residual.map { (tensor) throws(EngineError) in try floats(tensor) }
    let out = try floats(operation.out)
    let spread = weights.upsamples ? 2 : 1
    let channels = weights.panels.channels
    let kernels = (0..<weights.phases).map { phase in
      (0..<weights.outputs).map { columns.vector(start: 0, index: $0, head: phase, channels: channels) }
    }
    for row in 0..<to.rows {
      let (image, y, x) = (row / to.pixels, row % to.pixels / to.width, row % to.width)
      // Where the result is spread, neighbours are of different phases.
      let (p, q) = (y % spread, x % spread)
      var window = [Double](repeating: 0, count: channels)
      for tap in 0..<weights.window * weights.window {
        let i = y / spread * operation.stride + tap / weights.window - (operation.before - p)
        let j = x / spread * operation.stride + tap % weights.window - (operation.before - q)
        guard (0..<from.height).contains(i), (0..<from.width).contains(j) else { continue }
        let pixel = image * from.pixels + i * from.width + j
        for c in 0..<weights.inputs { window[tap * weights.inputs + c] = input(pixel, c) }
      }
      let shifts = shift?.vector(start: image, index: 0, head: 0, channels: weights.outputs)
      for o in 0..<weights.outputs {
        var value = activate(
          dot(window, kernels[2 * p + q][o]) + Double(bias[o]) + (shifts?[o] ?? 0), operation.activation)
        if let residual { value += Double(residual[row * weights.outputs + o]) }
        out[row * weights.outputs + o] = Float(Double(operation.scale) * value)
      }
    }
  }

  static func groupNormalization(_ operation: GroupNormalization) throws(EngineError) {
    let (grid, channels) = (operation.grid, operation.input.channels)
    let input = try PixelReader(operation.input)
    let gain = try floats(operation.gain)
    let bias = try floats(operation.bias)
    let modulation = try operation.modulation.map { (pair) throws(EngineError) in
      (factor: try VectorReader(pair.factor), shift: try VectorReader(pair.shift))
    }
    let out = try floats(operation.out)
    let size = channels / operation.groups
    for image in 0..<grid.images {
      let rows = image * grid.pixels..<(image + 1) * grid.pixels
      let factors = modulation?.factor.vector(start: image, index: 0, head: 0, channels: channels)
      let shifts = modulation?.shift.vector(start: image, index: 0, head: 0, channels: channels)
      for group in 0..<operation.groups {
        let members = group * size..<(group + 1) * size
        let count = Double(grid.pixels * size)
        var mean = 0.0
        for row in rows { for c in members { mean += input(row, c) / count } }
        var variance = 0.0
        for row in rows { for c in members { variance += (input(row, c) - mean) * (input(row, c) - mean) / count } }
        let scale = 1 / (variance + Double(operation.epsilon)).squareRoot()
        for row in rows {
          for c in members {
            var value = (input(row, c) - mean) * scale * Double(gain[c]) + Double(bias[c])
            if let factors, let shifts { value = value * (1 + factors[c]) + shifts[c] }
            out[row * channels + c] = Float(activate(value, operation.activation))
          }
        }
      }
    }
  }

  static func pixelOrder(_ operation: PixelOrder) throws(EngineError) {
    let source = try floats(operation.source)
    let out = try floats(operation.out)
    let scales = try operation.inputScales.map { (rows) throws(EngineError) in try CoefficientReader(rows) }
    let (pixels, channels) = (operation.grid.pixels, operation.channels)
    for image in 0..<operation.grid.images {
      let scale = scales?.row(of: image)(.inputScale) ?? 1
      for pixel in 0..<pixels {
        for c in 0..<channels {
          let plane = (image * channels + c) * pixels + pixel
          let place = (image * pixels + pixel) * channels + c
          switch operation.direction {
          case .planesToPixels: out[place] = Float(scale * Double(source[plane]))
          case .pixelsToPlanes: out[plane] = Float(scale * Double(source[place]))
          }
        }
      }
    }
  }

  static func timeEmbedding(_ operation: TimeEmbedding) throws(EngineError) {
    let levels = try CoefficientReader(operation.levels)
    let frequencies = operation.frequencies
    let turns = try floats(frequencies.tensor)
    let out = try floats(operation.out)
    let (channels, half) = (frequencies.channels, frequencies.half)
    for sample in 0..<operation.samples {
      let time = levels.row(of: sample)(.time)
      for i in 0..<half {
        let angle = (frequencies.ofLogarithm ? log(time) : time) * (Double(turns[i]) + Double(turns[half + i]))
        let (s, c) = (sin(2 * .pi * angle), cos(2 * .pi * angle))
        out[sample * channels + i] = Float(frequencies.cosineFirst ? c : s)
        out[sample * channels + half + i] = Float(frequencies.cosineFirst ? s : c)
      }
      if channels > 2 * half { out[sample * channels + 2 * half] = 0 }
    }
  }
}
