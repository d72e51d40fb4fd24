import ArgumentParser
import Diffusion
import Engine
import Foundation
import ModelFiles

/// The files of a run, opened before anything is computed and complete or not there at its end.
struct SampleTargets {
  private let space: SampleSpace
  private let data: [Float]
  private let picture: OutputFile?
  private let array: OutputFile?
  private let gamma: OutputFile?

  /// - Parameters:
  ///   - command: where they go.
  ///   - space: what the samples are.
  ///   - data: points that plots show too, in the sampler's size.
  /// - Throws: `OutputError` if one cannot be written.
  init(_ command: SampleCommand, space: SampleSpace, data: [Float] = []) throws {
    self.space = space
    self.data = data
    picture = try command.output.output.map { try Self.open($0) }
    array = try command.output.array.map { try Self.open($0) }
    gamma = try command.gamma.saveGamma.map { try Self.open($0) }
  }

  /// Refuses what does not fit the data, before a device is opened.
  static func check(_ command: SampleCommand, _ data: SampleSpace, samples count: Int) throws {
    try checkMemory(count, data)
    if data.kind == .points, data.shape != [2], command.output.output != nil {
      throw ValidationError("--output: only points of 2 dimensions have a picture, not \(data.shape[0]): use --array")
    }
    if let path = command.output.output {
      try OutputName.check(
        path, "--output", isA: SamplePicture.format(of: data),
        also: data.kind == .points ? " of points: they are drawn as a vector graphic" : " of images")
      try SamplePicture.check(data, samples: count, isTrajectory: command.output.trajectory)
    }
    if command.output.output == nil && command.output.array == nil {
      guard data.kind == .images, data.shape[data.shape.count - 1] <= Terminal(describing: STDOUT_FILENO).width else {
        throw ValidationError("the terminal cannot show these samples: give --output picture.png or --array out.npy")
      }
    }
  }

  /// Samples are held as they are, in the data's units, and as the bytes of a file: more than the machine has would end
  /// the run after all its work.
  private static func checkMemory(_ count: Int, _ data: SampleSpace) throws {
    let bytes = 3 * MemoryLayout<Float>.size
    let (numbers, overflow) = count.multipliedReportingOverflow(by: data.elements)
    let limit = min(Int(clamping: ProcessInfo.processInfo.physicalMemory) / bytes, 1 << 31)
    guard overflow || numbers > limit else { return }
    guard limit >= data.elements else {
      throw EngineError(.exhausted, "a sample of shape \(data.shape) does not fit in this machine's memory")
    }
    throw ValidationError(
      "--count is \(count): that many samples of shape \(data.shape) do not fit in this machine's memory; "
        + "\(limit / data.elements) would")
  }

  /// Writes all files, or shows the samples if there are none.
  ///
  /// - Parameters:
  ///   - samples: in the sampler's size.
  ///   - frames: the first samples on their way, likewise; empty if they were not followed.
  ///   - title: of a plot.
  ///   - table: Γ, to be kept.
  /// - Throws: `OutputError` or `PictureError` if a file cannot be written.
  func finish(_ samples: SampleSet, frames: [[Float]] = [], title: String, gamma table: GammaTable? = nil) throws {
    let values = space.restore(samples.values)
    try array?.write(NumPyWriter.file(values, shape: [samples.count] + samples.shape))
    try gamma?.write(Array((table?.json ?? "").utf8))
    if let picture {
      let way = frames.map { space.restore($0) }
      let points = space.kind == .points ? space.restore(data) : []
      try picture.write(try SamplePicture(space: space, title: title, data: points).file(values, frames: way))
    }
    for file in [picture, array, gamma] { try file?.commit() }
    guard picture == nil && array == nil else { return }
    let terminal = Terminal(describing: STDOUT_FILENO)
    let preview = BlockPicture(space.brightness(values), shape: space.shape, terminal: terminal)
    print(preview.render(rowLimit: 4), terminator: "")
  }

  private static func open(_ path: String) throws -> OutputFile {
    let file = try OutputFile(path: path)
    file.removeWhenInterrupted()
    return file
  }
}
