import ArgumentParser
import Foundation

/// Where samples go.
struct SampleOutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A picture: images in a grid (.png), points of the plane over the data (.svg).", valueName: "grid.png"))
  var output: String?

  @Option(
    help: ArgumentHelp("The samples as float32, [count, …], in the data's units.", valueName: "out.npy"))
  var array: String?

  @Flag(
    help: """
      The picture shows the way from noise: up to 8 images as noise and at up to 10 moments after it, each brought to \
      unit variance, or the paths of points.
      """)
  var trajectory = false

  /// Refuses what cannot be written.
  func check() throws {
    guard output != nil || array != nil || isatty(STDOUT_FILENO) == 1 else {
      throw ValidationError("nowhere to put samples: give --output grid.png or --array out.npy")
    }
    guard !trajectory || output != nil else { throw ValidationError("--trajectory is a picture: give --output too") }
    // Which of the two it is depends on the data, which are read later.
    if output?.lowercased().hasSuffix(".svg") != true {
      try OutputName.check(output, "--output", isA: "png", also: ", and .svg files of points")
    }
    try OutputName.check(array, "--array", isA: "npy")
  }
}
