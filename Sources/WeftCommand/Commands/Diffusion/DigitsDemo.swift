import Diffusion
import Foundation
import Weft

/// The part of `weft demo` that draws: handwritten digits from noise, by the bundled network.
struct DigitsDemo {
  private static let count = 64
  private static let steps = 20

  let terminal: Terminal

  /// Draws a grid of digits into a PNG file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - engine: the device.
  /// - Throws: what the device, the model or the file throws.
  func draw(to path: String, on engine: Engine) async throws {
    let files = try DiffusionModelFiles(directory: try BundledModels.directory(named: BundledModels.digits))
    let file = try OutputFile(path: path)
    let denoiser = try await NetworkDenoiser(files, on: engine)
    var method = SamplingMethod.dpmSolver(steps: Self.steps)
    files.scheduler.adapt(&method)
    let sampler = try Sampler(method, denoiser: denoiser, on: engine)

    let clock = ContinuousClock()
    let start = clock.now
    let samples = try await sampler.samples(count: Self.count)
    let seconds = (clock.now - start) / .seconds(1)
    let space = SampleSpace(files)
    let values = space.restore(samples.values)
    try file.write(try SamplePicture(space: space, title: "").file(values, frames: []))
    try file.commit()

    if terminal.colours != .none {
      let preview = BlockPicture(space.brightness(values), shape: space.shape, terminal: terminal)
      print(preview.render(rowLimit: 2))
    }
    print(
      String(
        format: "%d digits drawn from noise in %.2f s (%@, %@, %d steps): \(path)", Self.count, seconds,
        BundledModels.digits, method.name.rawValue, Self.steps))
    print("The network learned from 1,797 handwritten digits; these are its own.")
  }
}
