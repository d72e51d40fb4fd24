import ArgumentParser
import Weft

/// Γ, for the analytic variance.
struct GammaOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Γ for the analytic variance, as --save-gamma wrote it; estimated from the data if not given.",
      valueName: "file.json"))
  var gamma: String?

  @Option(help: ArgumentHelp("Keep the estimated Γ in this file.", valueName: "file.json"))
  var saveGamma: String?

  @Option(
    help: ArgumentHelp(
      "Limit the noise of the step before the last so that it moves a pixel by this many levels of 255 on average, pixels being -1 … 1; 1 or 2 for samples of few steps.",
      valueName: "levels"))
  var noiseCap: Double?

  func validate() throws {
    if let noiseCap, !(noiseCap >= 0 && noiseCap <= 255) {
      throw ValidationError("--noise-cap is \(noiseCap): it must lie between 0 and 255 levels")
    }
    if gamma?.isEmpty == true { throw ValidationError("--gamma needs the name of a .json file") }
    guard gamma == nil || saveGamma == nil else {
      throw ValidationError("--gamma is in a file: leave out --save-gamma")
    }
  }

  /// The options given.
  var given: [String] {
    (gamma != nil ? ["--gamma"] : []) + (saveGamma != nil ? ["--save-gamma"] : [])
      + (noiseCap != nil ? ["--noise-cap"] : [])
  }

  /// What the variance of the step before the last is limited to.
  var varianceCap: Double? { noiseCap.map { AnalyticDPM.pixelCap(levels: $0) } }
}
