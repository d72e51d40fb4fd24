internal import Engine

extension ConformanceFamily { static let convolution: ConformanceFamily = "convolution" }

/// Convolutions: windows, strides, edges, pairs of tensors, and what is done to the sums.
extension ConformanceKit {
  static let convolutionCases: [ConformanceCase] = {
    typealias Problem = ConvolutionProblem
    var cases: [ConformanceCase] = []
    // Every way of compiling the kernel, tiny.
    for activation in [Activation.none, .silu] {
      for residual in DenseProblem.Residual.allCases {
        for (small, isShifted) in [(true, residual != .separate), (false, residual == .separate)] {
          cases.append(
            convolution(
              small: small,
              Problem(
                images: 2, height: 3, width: 2, inputs: 3, outputs: 5, isShifted: isShifted, activation: activation,
                residual: residual, scale: 0.75, seed: 1101)))
        }
      }
    }
    // Every way of walking over an image, tiny and then across the tiles' edges.
    for (small, inputs, second, outputs) in [(true, 2, 1, 3), (false, 17, 0, 50), (false, 20, 33, 130)] {
      for (height, width) in small ? [(4, 3)] : [(9, 7), (6, 16)] {
        func add(_ change: (inout Problem) -> Void) {
          var problem = Problem(
            images: 2, height: height, width: width, inputs: inputs, second: second, outputs: outputs, seed: 1102)
          change(&problem)
          cases.append(convolution(small: small, problem))
        }
        add { _ in }
        add { $0.size = 1 }
        add { $0.stride = 2 }
        add {
          $0.size = 1
          $0.stride = 2
        }
        add {
          $0.stride = 2
          $0.padding = .after
        }
        add { $0.upsamples = true }
      }
    }
    // Images of one pixel, line or column: windows that are mostly edge.
    for (height, width) in [(1, 1), (1, 9), (9, 1), (2, 2)] {
      cases.append(
        convolution(Problem(images: 3, height: height, width: width, inputs: 5, outputs: 7, draw: .exact, seed: 1103)))
    }
    for outputs in [1, 8, 16, 24, 32, 40, 48, 64, 65, 72, 80, 96, 97] {
      cases.append(
        convolution(Problem(height: 4, width: 3, inputs: 6, second: 3, outputs: outputs, draw: .exact, seed: 1104)))
    }
    for inputs in [1, 15, 16, 63, 64, 65, 129] {
      cases.append(convolution(Problem(height: 3, width: 4, inputs: inputs, outputs: 4, seed: 1105)))
    }
    // Rows about the tiles' heights.
    for width in [31, 32, 33, 127, 128, 129] {
      cases.append(convolution(Problem(height: 1, width: width, inputs: 3, outputs: 6, draw: .exact, seed: 1106)))
    }
    return cases + transformedCases
  }()

  /// Transformed images, on devices that transform them; the definition is that of windows as they are.
  private static let transformedCases: [ConformanceCase] = {
    typealias Problem = ConvolutionProblem
    var cases: [ConformanceCase] = []
    func add(small: Bool = false, _ problem: Problem) {
      var problem = problem
      problem.transforms = true
      cases.append(convolution(small: small, problem))
    }
    for residual in DenseProblem.Residual.allCases {
      for small in [true, false] {
        add(
          small: small,
          Problem(
            images: 2, height: 4, width: small ? 2 : 6, inputs: 3, second: 2, outputs: 5, isShifted: small,
            activation: small ? .silu : .none, residual: residual, scale: 0.75, seed: 1111))
      }
    }
    // Images that are all edge, and tiles about the height of a work-item's: 32.
    for (images, height, width) in [(1, 2, 2), (3, 2, 8), (3, 8, 2), (1, 2, 62), (1, 2, 64), (1, 2, 66), (5, 6, 10)] {
      add(Problem(images: images, height: height, width: width, inputs: 5, outputs: 7, draw: .exact, seed: 1112))
    }
    // Panels and their vectors; more panels than a work-item has.
    for outputs in [1, 16, 17, 32, 33, 47, 48, 49, 96, 97, 144, 145, 300] {
      add(Problem(height: 4, width: 6, inputs: 6, second: 3, outputs: outputs, draw: .exact, seed: 1113))
    }
    // Channels about a vector and about those transformed at a time, in one tensor and in two.
    for (inputs, second) in [(1, 0), (15, 0), (16, 0), (17, 1), (127, 0), (128, 0), (129, 0), (128, 128), (130, 257)] {
      add(Problem(height: 4, width: 4, inputs: inputs, second: second, outputs: 20, seed: 1114))
    }
    add(Problem(images: 2, height: 16, width: 14, inputs: 200, second: 33, outputs: 130, isShifted: true, seed: 1115))
    return cases
  }()

  private static func convolution(small: Bool = false, _ problem: ConvolutionProblem) -> ConformanceCase {
    ConformanceCase(.convolution, problem.title, small: small, within: problem.tolerance) { workspace in
      [try await problem.stage(in: &workspace)]
    }
  }
}

/// One convolution.
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
  var transforms = false
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
    if transforms { parts.append("transformed") }
    if isShifted { parts.append("shift") }
    if activation != .none { parts.append("\(activation)") }
    if residual != .none { parts.append(residual.rawValue) }
    if scale != 1 { parts.append("scale \(scale)") }
    return parts.joined(separator: ", ")
  }

  var grid: PixelGrid { PixelGrid(images: images, height: height, width: width) }

  var tolerance: Tolerance { draw.tolerance(channels: (inputs + second) * size * size + 2) }

  func stage(in workspace: inout Workspace) async throws -> Tensor {
    let input = PixelSet(grid, channels: inputs, and: second, draw, seed: seed)
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
    let shifts = VectorSet(images: images, channels: outputs, before: 3, after: 2, seed: seed ^ 0x77)

    let weights = try await workspace.engine.makeConvolutionWeights(
      kernels, bias: bias, outputs: outputs, inputs: all, size: size, upsamples: upsamples,
      transforms: transforms)
    let out =
      residual == .inPlace
      ? try workspace.output(over: residuals, result.rows, outputs) : try workspace.output(result.rows, outputs)
    var operation = Convolution(
      try input.stage(in: &workspace), grid: grid, weights: weights, stride: stride, padding: padding,
      activation: activation, scale: scale, into: out)
    if isShifted { operation.shift = try workspace.upload(shifts) }
    switch residual {
    case .none: break
    case .separate: operation.residual = try workspace.upload(residuals, result.rows, outputs)
    case .inPlace: operation.residual = out
    }
    guard operation.outputGrid == result else {
      throw Mismatch("the result is \(operation.outputGrid), not \(result)")
    }
    try workspace.append(operation)
    return out
  }
}
