import ArgumentParser

/// Γ, for the analytic variance.
struct GammaOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Γ for the analytic variance, as --save-gamma wrote it; estimated from the data if not given.",
      valueName: "file.json"))
  var gamma: String?

  @Option(help: ArgumentHelp("Keep the estimated Γ in this file.", valueName: "file.json"))
  var saveGamma: String?

  func validate() throws {
    if gamma?.isEmpty == true { throw ValidationError("--gamma needs the name of a .json file") }
    guard gamma == nil || saveGamma == nil else {
      throw ValidationError("--gamma is in a file: leave out --save-gamma")
    }
  }

  /// The options given.
  var given: [String] { (gamma != nil ? ["--gamma"] : []) + (saveGamma != nil ? ["--save-gamma"] : []) }
}
