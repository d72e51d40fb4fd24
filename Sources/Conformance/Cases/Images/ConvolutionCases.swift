internal import Engine

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
    return cases
  }()

  private static func convolution(small: Bool = false, _ problem: ConvolutionProblem) -> ConformanceCase {
    ConformanceCase(.convolution, problem.title, small: small) { backend in try await problem.check(on: backend) }
  }
}
