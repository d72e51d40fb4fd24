import ArgumentParser

/// What samples are drawn from.
struct SampleDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Points or images, or DIGITS; with --model the images that Γ of the analytic variance is estimated from.",
      valueName: "file.npy"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Scale data to -1 … 1 (range, usual for images), to variance 1 (unit, usual for points), or not.",
      valueName: "mode"))
  var normalize: Normalization.Mode?
}

extension Normalization.Mode: ExpressibleByArgument {}
