import ArgumentParser
import Diffusion
import Foundation
import Pictures

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

/// Samples as a picture: images in a grid, as PNG, or points of the plane over their data, as SVG.
struct SamplePicture {
  /// Samples followed on their way, and moments shown of it after the noise they start from.
  static let imageTrajectory = (samples: 8, moments: 10)
  static let pointTrajectory = (samples: 60, moments: 50)

  let space: SampleSpace
  let title: String
  /// Points that plots show below the samples, in their own units.
  var data: [Float] = []

  /// The ending of the name of a file with a picture of such samples.
  static func format(of data: SampleSpace) -> String { data.kind == .points ? "svg" : "png" }

  /// Refuses what has no picture, before anything is computed.
  /// - Throws: `PictureError` if the picture would be too large.
  static func check(_ data: SampleSpace, samples: Int, isTrajectory: Bool) throws {
    guard data.kind == .images, data.shape.count >= 2 else { return }
    let (height, width) = (data.shape[data.shape.count - 2], data.shape[data.shape.count - 1])
    if isTrajectory {
      _ = try GridLayout(
        rows: min(samples, imageTrajectory.samples), columns: imageTrajectory.moments + 1, imageWidth: width,
        imageHeight: height)
    } else {
      _ = try GridLayout(count: samples, imageWidth: width, imageHeight: height)
    }
  }

  /// - Parameters:
  ///   - samples: all samples, in their own units.
  ///   - frames: the first samples on their way, in their own units; empty for the samples alone.
  /// - Returns: the file, in ``format(of:)``.
  /// - Throws: `PictureError` if there is too much of it.
  func file(_ samples: [Float], frames: [[Float]]) throws -> [UInt8] {
    switch space.kind {
    case .images:
      if frames.isEmpty { return try ImageGrid.picture(of: batch(samples)).png() }
      return try ImageGrid.trajectories(frames.map { try batch($0) }).png()
    case .points:
      let moments = frames.map { PlotPoint.points($0) }
      let paths = (moments.first ?? []).indices.map { index in moments.map { $0[index] } }
      let series: [PlotPanel.Series] = [
        .init("data", colour: .background, cloud: PlotPoint.points(data)),
        .init(paths.isEmpty ? "" : "paths", colour: .orange, paths: paths),
        .init("samples", colour: .blue, cloud: PlotPoint.points(samples)),
      ]
      return Array(try Plot(title: title, panels: [PlotPanel(plane: ("x", "y"), series: series)]).svg().utf8)
    }
  }

  private func batch(_ values: [Float]) throws -> ImageBatch {
    try ImageBatch(space.brightness(values), shape: [values.count / space.elements] + space.shape)
  }
}
