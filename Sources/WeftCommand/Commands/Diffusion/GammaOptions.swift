import ArgumentParser
import Diffusion
import Foundation
import ModelFiles
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

/// Files of Γ, as `GammaTable.json` writes them.
enum GammaFile {
  /// - Throws: `InputError` if the file cannot be read; `ModelFileError` if it holds something else.
  static func read(_ path: String) throws -> GammaTable {
    guard let file = FileDescriptor(opening: path, flags: O_RDONLY) else {
      throw InputError(path: path, reason: lastErrorText())
    }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = part.withUnsafeMutableBytes { file.read(into: $0) }
      guard count >= 0 else { throw InputError(path: path, reason: lastErrorText()) }
      if count == 0 { break }
      bytes += part[..<count]
    }
    do { return try GammaTable(json: String(decoding: bytes, as: UTF8.self)) } catch {
      throw ModelFileError(file: path, problem: error.message)
    }
  }
}

/// Images that Γ of a network is estimated over: of its size, or enlarged to it.
struct GammaData {
  private let data: SampleData
  private let source: (height: Int, width: Int)
  private let target: (height: Int, width: Int)

  /// - Parameters:
  ///   - name: a NumPy file of images, or DIGITS.
  ///   - shape: channels, rows and columns of the network's images.
  /// - Throws: `ModelFileError` if the file cannot be read or does not fit.
  init(_ name: String, shape: [Int]) throws {
    data = try SampleData(name)
    let channels = data.shape.count == 3 ? data.shape[0] : 1
    guard data.space.kind == .images, channels == shape[0] else {
      throw ModelFileError(
        file: name, problem: "samples of shape \(data.shape), where images of \(shape[0]) channels are expected")
    }
    source = (data.shape[data.shape.count - 2], data.shape[data.shape.count - 1])
    target = (shape[1], shape[2])
    guard target.height.isMultiple(of: source.height), target.width.isMultiple(of: source.width),
      target.height / source.height == target.width / source.width
    else {
      throw ModelFileError(
        file: name,
        problem: "images of \(source.height) × \(source.width) pixels, where the network's have "
          + "\(target.height) × \(target.width)")
    }
  }

  /// The images as the network has them: the data's range becomes that of `space`.
  func values(in space: SampleSpace) -> [Float] {
    let bright = data.space.brightness(data.space.restore(data.values))
    let values = space.normalization.apply(bright.map { ($0 + 1) / 2 })
    return source == target ? values : BilinearResize(from: source, to: target).apply(values)
  }
}

extension GammaTable {
  /// Γ at the noisy levels of a grid; a terminal is told, because it takes a while. The seed is always the same: Γ
  /// belongs to the data, whichever samples are drawn.
  static func estimate(
    _ denoiser: some Denoiser, over data: [Float], of grid: TimeGrid, draws: Int, on engine: Engine
  ) async throws -> GammaTable {
    let levels = Array(grid.levels.dropLast())
    if Terminal(describing: STDERR_FILENO).canRedraw { note("weft: estimating Γ at \(levels.count) levels …") }
    return try await estimate(denoiser, over: data, levels: levels, draws: draws, seed: 0, on: engine)
  }
}
