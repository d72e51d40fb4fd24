import Engine
import Networks
import Testing

/// Each rule of the operations on images, broken once.
@Suite struct OperationValidationImageTests {
  typealias ConvolutionRule = BrokenRule<Convolution>

  /// 2 images of 4 × 3 pixels, 2 + 1 channels to 5.
  private static var convolution: Convolution {
    Convolution(
      PixelRows(shaped(.float32, 24, 2), shaped(.float32, 24, 1)), grid: PixelGrid(images: 2, height: 4, width: 3),
      weights: weights(), shift: HeadSlices(shaped(.float32, 2, 8), offset: 3, channels: 5),
      residual: shaped(.float32, 24, 5), into: shaped(.float32, 24, 5))
  }

  private static func weights(
    panels: Int = 2, channels: Int? = nil, size: Int = 3, inputs: Int = 3, bias: Int = 5, margin: Int = 3,
    _ form: ConvolutionWeights.Form = .taps
  ) -> ConvolutionWeights {
    let right =
      switch form {
      case .taps: size * size * inputs
      case .phases: 4 * inputs
      case .transformed: inputs
      }
    return ConvolutionWeights(
      panels: shapedPanels(panels, heads: form.heads, channels: channels ?? right), bias: shaped(.float32, bias),
      margin: shaped(.float32, margin), inputs: inputs, outputs: 5, size: size, form: form)
  }

  static let convolutionRules: [ConvolutionRule] = [
    .init("there are images", says: "0 images") { $0.grid.images = 0 },
    .init("images have lines", says: "-1 × 3") { $0.grid.height = -1 },
    .init("pixels can be counted", says: "pixels") { $0.grid.width = .max },
    .init("pixels lie within the input", says: "36 rows") { $0.grid.images = 3 },
    .init("input is floats", says: "float32") { $0.input.first = shaped(.int32, 24, 2) },
    .init("second input has all rows", says: "24 rows") { $0.input.second = shaped(.float32, 23, 1) },
    .init("second input is floats", says: "float32") { $0.input.second = shaped(.int32, 24, 1) },
    .init("channels are those of the weights", says: "pixels have 2 channels") { $0.input.second = nil },
    .init("windows are small", says: "not 5 × 5") { $0.weights = weights(size: 5) },
    .init("panels have all taps", says: "9 taps of 3") { $0.weights = weights(channels: 26) },
    .init("weights are complete", says: "2 panels") { $0.weights = weights(panels: 1) },
    .init("bias is complete", says: "bias needs 5") { $0.weights = weights(bias: 4) },
    .init("margin is complete", says: "margin needs 3") { $0.weights = weights(margin: 2) },
    .init("panels have all phases", says: "not 4 of 4 taps of 3") {
      $0.weights = ConvolutionWeights(
        panels: shapedPanels(2, channels: 27), bias: shaped(.float32, 5), margin: shaped(.float32, 3), inputs: 3,
        outputs: 5, size: 3, form: .phases)
    },
    .init("a window of one pixel sees no larger image", says: "windows of 3 × 3") {
      $0.weights = weights(size: 1, .phases)
    },
    .init("panels have all positions", says: "not 16 of 1 taps of 3") {
      $0.grid.width = 2
      $0.weights = weights(channels: 2, .transformed)
    },
    .init("a window of one pixel is not transformed", says: "windows of 3 × 3") {
      $0.weights = weights(size: 1, .transformed)
    },
    .init("transformed images have an even width", says: "even height and width") {
      $0.weights = weights(.transformed)
    },
    .init("transformed images have an even height", says: "even height and width") {
      $0.weights = weights(.transformed)
      $0.grid = PixelGrid(images: 2, height: 3, width: 4)
    },
    .init("transformed images take no stride", says: "stride 1") {
      $0.weights = weights(.transformed)
      $0.grid.width = 2
      $0.stride = 2
    },
    .init("transformed images have edges all around", says: "padding around") {
      $0.weights = weights(.transformed)
      $0.grid.width = 2
      $0.padding = .after
    },
    .init("stride is small", says: "stride is 1 or 2") { $0.stride = 3 },
    .init("stride is positive", says: "stride is 1 or 2") { $0.stride = 0 },
    .init("larger images take no stride", says: "made larger") {
      $0.weights = weights(.phases)
      $0.stride = 2
    },
    .init("the window fits", says: "2 images of 0") {
      $0.padding = .after
      $0.grid.height = 1
    },
    .init("result has room", says: "result needs 120") { $0.out = shaped(.float32, 23, 5) },
    .init("result is as wide as the outputs", says: "result has 6") { $0.out = shaped(.float32, 24, 6) },
    .init("result is floats", says: "result must be") { $0.out = shaped(.int32, 24, 5) },
    .init("result is not the input", says: "its own input") { $0.input.second = Tensor(like: $0.out, [24, 1]) },
    .init("shift has a row an image", says: "2 rows") { $0.shift = HeadSlices(shaped(.float32, 1, 5), channels: 5) },
    .init("shift has a number a channel", says: "an image brings 1 × 4") {
      $0.shift = HeadSlices(shaped(.float32, 2, 5), channels: 4)
    },
    .init("residual is complete", says: "residual needs 120") { $0.residual = shaped(.float32, 23, 5) },
    .init("scale is finite", says: "scale") { $0.scale = .infinity },
  ]

  @Test(arguments: convolutionRules) func convolution(_ rule: ConvolutionRule) {
    expectRefusal(of: rule, in: Self.convolution) { $0 }
  }

  /// Sizes by hand: the window's places in a padded line.
  @Test func resultsHaveTheirSizes() {
    func places(_ size: Int, _ change: (inout Convolution) -> Void) -> Int {
      var convolution = Self.convolution
      convolution.grid.height = size
      change(&convolution)
      return convolution.outputGrid.height
    }
    #expect(places(7) { _ in } == 7)
    #expect(places(7) { $0.stride = 2 } == 4)
    #expect(places(8) { $0.stride = 2 } == 4)
    #expect(places(7) { ($0.stride, $0.padding) = (2, .after) } == 3)
    #expect(places(8) { ($0.stride, $0.padding) = (2, .after) } == 4)
    #expect(places(7) { $0.weights = Self.weights(.phases) } == 14)
    #expect(places(7) { $0.weights = Self.weights(size: 1) } == 7)
    #expect(places(1) { $0.padding = .after } == 0)
  }

  typealias GroupRule = BrokenRule<GroupNormalization>

  private static var normalization: GroupNormalization {
    GroupNormalization(
      PixelRows(shaped(.float32, 12, 2), shaped(.float32, 12, 4)), grid: PixelGrid(images: 2, height: 2, width: 3),
      groups: 3, gain: shaped(.float32, 6), bias: shaped(.float32, 6), epsilon: 0,
      modulation: .init(
        factor: HeadSlices(shaped(.float32, 2, 12), channels: 6),
        shift: HeadSlices(shaped(.float32, 2, 12), offset: 6, channels: 6)),
      partials: shaped(.float32, 2, 6), into: shaped(.float32, 12, 6))
  }

  static let groupRules: [GroupRule] = [
    .init("there are images", says: "0 images") { $0.grid.images = 0 },
    .init("input has all rows", says: "12 rows") { $0.input.first = shaped(.float32, 11, 2) },
    .init("groups divide the channels", says: "6 channels do not form 4") { $0.groups = 4 },
    .init("there are groups", says: "form 0 groups") { $0.groups = 0 },
    .init("gain is complete", says: "gain needs 6") { $0.gain = shaped(.float32, 5) },
    .init("bias is complete", says: "bias needs 6") { $0.bias = shaped(.float32, 5) },
    .init("epsilon is not negative", says: "epsilon") { $0.epsilon = -1 },
    .init("epsilon is a number", says: "epsilon") { $0.epsilon = .nan },
    .init("factor has a number a channel", says: "an image brings 1 × 5") {
      $0.modulation?.factor = HeadSlices(shaped(.float32, 2, 12), channels: 5)
    },
    .init("shift has a row an image", says: "2 rows") {
      $0.modulation?.shift = HeadSlices(shaped(.float32, 1, 6), channels: 6)
    },
    .init("result has room", says: "result needs 72") { $0.out = shaped(.float32, 11, 6) },
    .init("result is as wide as the pixels", says: "result has 5") { $0.out = shaped(.float32, 12, 5) },
    .init("result is not the input", says: "its own input") { $0.input.first = Tensor(like: $0.out, [12, 2]) },
    .init("scratch has room", says: "scratch of statistics needs 12") { $0.partials = shaped(.float32, 2, 5) },
    .init("scratch is not the result", says: "its own input") { $0.partials = Tensor(like: $0.out, [2, 6]) },
    .init("scratch is not the gain", says: "its own input") { $0.gain = Tensor(like: $0.partials, [12]) },
  ]

  @Test(arguments: groupRules) func groupNormalization(_ rule: GroupRule) {
    expectRefusal(of: rule, in: Self.normalization) { $0 }
  }

  typealias OrderRule = BrokenRule<PixelOrder>

  private static var order: PixelOrder {
    PixelOrder(
      .planesToPixels, of: shaped(.float32, 36), grid: PixelGrid(images: 2, height: 2, width: 3), channels: 3,
      inputScales: CoefficientRows(shaped(.float32, 2, 32), perSample: true), into: shaped(.float32, 36))
  }

  static let orderRules: [OrderRule] = [
    .init("there are images", says: "0 images") { $0.grid.images = 0 },
    .init("there are channels", says: "0 channels") { $0.channels = 0 },
    .init("source is complete", says: "source needs 36") { $0.source = shaped(.float32, 35) },
    .init("source is floats", says: "source must be") { $0.source = shaped(.int32, 36) },
    .init("result has room", says: "result needs 36") { $0.out = shaped(.float32, 35) },
    .init("result is not the source", says: "its own input") { $0.source = $0.out },
    .init("scales have a row an image", says: "2 samples") {
      $0.inputScales = CoefficientRows(shaped(.float32, 1, 32), perSample: true)
    },
  ]

  @Test(arguments: orderRules) func pixelOrder(_ rule: OrderRule) {
    expectRefusal(of: rule, in: Self.order) { $0 }
  }

  typealias TimeRule = BrokenRule<TimeEmbedding>

  private static var embedding: TimeEmbedding {
    TimeEmbedding(
      of: CoefficientRows(shaped(.float32, 2, 32), perSample: true), samples: 2,
      frequencies: TimeFrequencies(tensor: shaped(.float32, 2, 3), channels: 7), into: shaped(.float32, 2, 7))
  }

  static let timeRules: [TimeRule] = [
    .init("there are samples", says: "0 samples") { $0.samples = 0 },
    .init("samples have rows", says: "3 samples") { $0.samples = 3 },
    .init("there are channels", says: "0 channels") {
      $0.frequencies = TimeFrequencies(tensor: shaped(.float32, 2, 3), channels: 0)
    },
    .init("frequencies are complete", says: "4 numbers") {
      $0.frequencies = TimeFrequencies(tensor: shaped(.float32, 2, 2), channels: 7)
    },
    .init("frequencies are floats", says: "frequencies must be") {
      $0.frequencies = TimeFrequencies(tensor: shaped(.int32, 2, 3), channels: 7)
    },
    .init("result is as wide as the embedding", says: "result has 6") { $0.out = shaped(.float32, 2, 6) },
    .init("result has room", says: "result needs 14") { $0.out = shaped(.float32, 1, 7) },
  ]

  @Test(arguments: timeRules) func timeEmbedding(_ rule: TimeRule) {
    expectRefusal(of: rule, in: Self.embedding) { $0 }
  }
}

extension Tensor {
  /// Another view of a tensor's memory.
  fileprivate init(like other: Tensor, _ shape: [Int]) {
    self.init(storage: other.storage, elementType: .float32, shape: shape)
  }
}
