package import ModelFiles

/// A U-Net as a list of steps over values, without a device, weights or a number of images: what memory is planned from,
/// what says which tensors a checkpoint must hold, and what a pass follows.
package struct UNetGraph: Sendable, Hashable {
  /// Something that a pass computes.
  struct Value: Sendable, Hashable {
    enum Extent: Sendable, Hashable {
      /// `[images · pixels of a level, channels]`
      case pixels(level: Int)
      /// `[images, channels]`
      case images
      /// The keys of a level's attention, as panels of so many heads.
      case keys(level: Int, heads: Int)
    }

    let extent: Extent
    /// Of all heads together, for keys.
    let channels: Int
  }

  /// Where a value stands in `values`.
  typealias Place = Int

  /// Linear layers on the same input, side by side in one product.
  struct Linear: Sendable, Hashable {
    let names: [String]
    let inputs: Int
    /// Of each layer.
    let outputs: [Int]

    var width: Int { outputs.reduce(0, +) }
  }

  /// A convolution's weights.
  struct Window: Sendable, Hashable {
    let name: String
    let inputs: Int
    let outputs: Int
    /// 1 or 3.
    let size: Int
    /// Whether the image is made twice as large before.
    var upsamples = false
    /// Whether it is stored as a linear layer, `[outputs, inputs]`.
    var isLinear = false
  }

  struct Convolving: Sendable, Hashable {
    let window: Window
    /// Of the input.
    let level: Int
    var halves = false
    let input: Place
    /// Its channels follow those of `input`.
    var second: Place?
    /// Columns of the projected time that are added.
    var shift: Range<Int>?
    var residual: Place?
    var scale = 1.0
    let output: Place
  }

  struct Normalizing: Sendable, Hashable {
    let name: String
    let level: Int
    let groups: Int
    let channels: Int
    let input: Place
    var second: Place?
    /// Columns of the projected time: factors, and as many shifts.
    var modulation: Range<Int>?
    let activates: Bool
    let output: Place
  }

  struct Attending: Sendable, Hashable {
    let level: Int
    let heads: Int
    let size: Int
    /// Queries, keys and values side by side.
    let projected: Place
    let keys: Place
    let output: Place
  }

  enum Step: Sendable, Hashable {
    /// The sinusoids of the noise levels' times.
    case embedTimes(output: Place)
    case linear(Linear, activates: Bool, input: Place, output: Place)
    /// The samples as they come, in rows of pixels.
    case readSamples(output: Place)
    case convolve(Convolving)
    case normalize(Normalizing)
    case packKeys(Attending)
    case attend(Attending)
    /// The answer, in planes again.
    case writeAnswer(input: Place)
  }

  package let configuration: UNetConfiguration
  let values: [Value]
  let steps: [Step]
  /// The value that holds every block's projection of the time.
  let times: Place

  /// The list of steps of a network of this shape.
  package init(_ configuration: UNetConfiguration) {
    var builder = UNetGraphBuilder(configuration)
    builder.build()
    self.configuration = configuration
    values = builder.values
    steps = builder.steps
    times = builder.times
  }

  /// Rows and columns of an image at a level.
  func size(ofLevel level: Int) -> (height: Int, width: Int) {
    (configuration.height >> level, configuration.width >> level)
  }

  /// Pixels of an image at a level.
  func pixels(ofLevel level: Int) -> Int { size(ofLevel: level).height * size(ofLevel: level).width }
}

extension UNetGraph.Step {
  /// The values that are read, but for those that are written too.
  func reads(times: UNetGraph.Place) -> [UNetGraph.Place] {
    switch self {
    case .embedTimes, .readSamples: []
    case .linear(_, _, let input, _), .writeAnswer(let input): [input]
    case .convolve(let step):
      [step.input, step.second, step.shift == nil ? nil : times, step.residual].compactMap { $0 }
    case .normalize(let step): [step.input, step.second, step.modulation == nil ? nil : times].compactMap { $0 }
    case .packKeys(let step): [step.projected]
    case .attend(let step): [step.projected, step.keys]
    }
  }

  /// The value that is written; nil for the last step, whose result is the caller's.
  var writes: UNetGraph.Place? {
    switch self {
    case .embedTimes(let output), .linear(_, _, _, let output), .readSamples(let output): output
    case .convolve(let step): step.output
    case .normalize(let step): step.output
    case .packKeys(let step): step.keys
    case .attend(let step): step.output
    case .writeAnswer: nil
    }
  }
}
