import ArgumentParser
import Diffusion

/// What is done to a predicted clean sample.
struct ClippingOptions: ParsableArguments {
  /// The most that a dynamic threshold may be where `--clip` does not say.
  private static let usualMaximum = 1000.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Limit each predicted clean sample to ± this.", valueName: "limit"))
  var clip: Double?

  @Flag(help: "Do not limit predicted clean samples.")
  var noClip = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Limit each to ± the quantile of its own absolute values, at least 1 and at most --clip, and divide by it.",
      valueName: "ratio"))
  var threshold: Double?

  func validate() throws {
    if noClip, clip != nil || threshold != nil {
      throw ValidationError("--no-clip leaves nothing for --clip or --threshold to say")
    }
    if let clip, !(clip > 0 && clip <= 1e6) {
      throw ValidationError("--clip is \(clip): it must be above 0 and at most 1000000")
    }
    if let threshold, !(threshold > 0 && threshold <= 1) {
      throw ValidationError("--threshold is \(threshold): it must be above 0 and at most 1")
    }
    if threshold != nil, let clip, clip < 1 {
      throw ValidationError("--clip is \(clip): with --threshold it must be at least 1")
    }
  }

  /// The options given that limit something; that nothing is limited may be said of every sampler.
  var given: [String] { (clip != nil ? ["--clip"] : []) + (threshold != nil ? ["--threshold"] : []) }

  /// What the options say.
  /// - Parameter usual: what is done where they say nothing.
  /// - Returns: what is done.
  func clipping(usual: Clipping) -> Clipping {
    if noClip { return .none }
    if let threshold { return .dynamic(ratio: threshold, maximum: clip ?? Self.usualMaximum) }
    return clip.map { .fixed(limit: $0) } ?? usual
  }
}
