internal import Engine
internal import Foundation
internal import Logging

/// One convolution and its exact result.
struct ConvolutionProblem: Sendable {
  var images = 1
  var height: Int
  var width: Int
  var inputs: Int
  /// Channels of a second tensor.
  var second = 0
  var outputs: Int
  var size = 3
  var stride = 1
  var padding = Convolution.Padding.around
  var upsamples = false
  var isShifted = false
  var activation = Activation.none
  var residual = DenseProblem.Residual.none
  var scale: Float = 1
  var draw = Draw.uniform
  var seed: UInt64

  var title: String {
    var parts = [
      "\(images) × \(height) × \(width) × \(inputs)" + (second > 0 ? "+\(second)" : "") + " -> \(outputs)",
      "\(size) × \(size)",
    ]
    if stride > 1 { parts.append("stride \(stride)") }
    if padding == .after { parts.append("padding after") }
    if upsamples { parts.append("made larger") }
    if isShifted { parts.append("shift") }
    if activation != .none { parts.append("\(activation)") }
    if residual != .none { parts.append(residual.rawValue) }
    if scale != 1 { parts.append("scale \(scale)") }
    return parts.joined(separator: ", ")
  }

  var grid: PixelGrid { PixelGrid(images: images, height: height, width: width) }

  func check(on backend: any Backend) async throws {
    let input = ImageProblem(grid, channels: inputs, and: second, draw, seed: seed)
    var generator = SplitMix64(seed: seed ^ 0x55)
    let all = inputs + second
    let kernels = draw(outputs * all * size * size, &generator)
    let bias = draw(outputs, &generator)
    let larger = upsamples ? 2 : 1
    let ends = padding == .around ? 2 * (size / 2) : 1
    let result = PixelGrid(
      images: images, height: (height * larger + ends - size) / stride + 1,
      width: (width * larger + ends - size) / stride + 1)
    let residuals = draw(result.rows * outputs, &generator)
    let shifts = ImageNumbers(images: images, channels: outputs, before: 3, after: 2, seed: seed ^ 0x77)

    let engine = Engine(backend: backend, logger: Logger(label: "conformance"))
    let weights = try await engine.makeConvolutionWeights(
      kernels, bias: bias, outputs: outputs, inputs: all, size: size, upsamples: upsamples)
    var workspace = Workspace(backend)
    let out = try workspace.output(result.rows, outputs)
    var operation = Convolution(
      try input.stage(in: &workspace), grid: grid, weights: weights, stride: stride, padding: padding,
      activation: activation, scale: scale, into: out.part)
    if isShifted { operation.shift = try shifts.stage(in: &workspace) }
    switch residual {
    case .none: break
    case .separate: operation.residual = try workspace.upload(residuals, result.rows, outputs)
    case .inPlace:
      try workspace.write(residuals, over: out.part)
      operation.residual = out.part
    }
    guard operation.outputGrid == result else {
      throw Mismatch("the result is \(operation.outputGrid), not \(result)")
    }
    try workspace.append(operation)
    let got = try await workspace.run(reading: out)

    var expected: [Double?] = []
    for image in 0..<images {
      let padded = input.planes[image].map { enlarged($0) }
      let shift = shifts.set.vector(image)
      for y in 0..<result.height {
        for x in 0..<result.width {
          for o in 0..<outputs {
            var sum = Double(bias[o]) + (isShifted ? shift[o] : 0)
            for c in 0..<all {
              for i in 0..<size {
                for j in 0..<size {
                  sum +=
                    padded[c][y * stride + i][x * stride + j]
                    * Double(kernels[((o * all + c) * size + i) * size + j])
                }
              }
            }
            if activation == .silu { sum = silu(sum) }
            if residual != .none { sum += Double(residuals[expected.count]) }
            expected.append(Double(scale) * sum)
          }
        }
      }
    }
    var tolerance = Tolerance.product(channels: all * size * size + 2)
    if case .exact = draw { tolerance = .exact }
    try compare(got, with: expected, shape: [result.rows, outputs], within: tolerance)
  }

  /// A plane as the window meets it: each pixel repeated if asked for, zeros around.
  private func enlarged(_ plane: [[Double]]) -> [[Double]] {
    let times = upsamples ? 2 : 1
    let before = padding == .around ? size / 2 : 0
    let after = padding == .around ? size / 2 : 1
    func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
    let lines = plane.flatMap { line in
      let wide = zeros(before) + line.flatMap { [Double](repeating: $0, count: times) } + zeros(after)
      return [[Double]](repeating: wide, count: times)
    }
    let empty = zeros(width * times + before + after)
    return [[Double]](repeating: empty, count: before) + lines + [[Double]](repeating: empty, count: after)
  }
}
