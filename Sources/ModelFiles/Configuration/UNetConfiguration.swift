/// The shape of an unconditional diffusion U-Net, `UNet2DModel` in Hugging Face diffusers.
package struct UNetConfiguration: Hashable, Sendable {
  /// How a block's time embedding acts on its features.
  package enum TimeShift: String, Hashable, Sendable, CaseIterable {
    /// It is added before the second normalisation.
    case added = "default"
    /// It scales and shifts what the second normalisation gives: `y = norm(h) · (1 + s) + b`.
    case scaleAndShift = "scale_shift"
  }

  /// One resolution, on the way down and on the way up.
  package struct Level: Hashable, Sendable {
    /// Channels of its features.
    package let channels: Int
    /// Whether each block on the way down is followed by attention.
    package let hasAttentionDown: Bool
    /// Whether each block on the way up is.
    package let hasAttentionUp: Bool
  }

  /// The two blocks between the ways down and up.
  package struct Middle: Hashable, Sendable {
    /// Whether attention stands between them.
    package let hasAttention: Bool
    /// Groups of the attention's normalisation; nil if it has none.
    package let attentionGroups: Int?
    /// What each block's and the attention's sum with its input is divided by.
    package let scaleFactor: Double
  }

  /// Rows and columns of an image.
  package let height: Int
  package let width: Int
  /// Channels of an image, and of the answer.
  package let inputChannels: Int
  package let outputChannels: Int
  /// From the highest resolution to the lowest; each has half the rows and columns of the one before.
  package let levels: [Level]
  /// Blocks of a level on the way down; there is one more on the way up.
  package let blocksPerLevel: Int
  /// Nil if there is nothing between the two ways.
  package let middle: Middle?
  /// Zeros around the image where its resolution is halved: 1 on all sides, or 0 and one row and column more at the end.
  package let downsamplePadding: Int
  /// Channels of an attention head; all of them if nil.
  package let headSize: Int?
  /// Groups of the normalisations.
  package let groups: Int
  /// Added to the variance by normalisations.
  package let epsilon: Double
  /// How the time embedding acts.
  package let timeShift: TimeShift
  /// Width of the time embedding; sinusoids are as many as the first level's channels.
  package let timeWidth: Int
  /// `freq_shift` of `exp(-ln(10⁴) i / (half - shift))`.
  package let frequencyShift: Double
  /// Whether cosines stand before sines.
  package let startsWithCosine: Bool

  /// Numbers in an image.
  package var imageElements: Int { inputChannels * height * width }

  /// Heads of attention over some channels, and what each of them holds. Channels that no head takes are left out of
  /// queries, keys and values.
  package func heads(of channels: Int) -> (count: Int, size: Int) {
    let size = headSize ?? channels
    return (channels / size, size)
  }
}

extension UNetConfiguration {
  /// google/ddpm-cifar10-32's shape, for measuring without its weights.
  package static let cifar = UNetConfiguration(
    side: 32, channels: [128, 256, 256, 256], attentionLevels: [1])
  /// google/ddpm-celebahq-256's shape.
  package static let celebA = UNetConfiguration(
    side: 256, channels: [128, 128, 256, 256, 512, 512], attentionLevels: [4])

  /// A network for colour images as Ho et al. (2020) have it.
  private init(side: Int, channels: [Int], attentionLevels: Set<Int>) {
    (height, width, inputChannels, outputChannels) = (side, side, 3, 3)
    levels = channels.enumerated().map { index, channels in
      let attends = attentionLevels.contains(index)
      return Level(channels: channels, hasAttentionDown: attends, hasAttentionUp: attends)
    }
    blocksPerLevel = 2
    middle = Middle(hasAttention: true, attentionGroups: 32, scaleFactor: 1)
    downsamplePadding = 0
    headSize = nil
    groups = 32
    epsilon = 1e-6
    timeShift = .added
    timeWidth = 4 * channels[0]
    frequencyShift = 1
    startsWithCosine = false
  }
}
