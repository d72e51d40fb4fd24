import Diffusion
import Foundation
import Weft

/// The part of `weft demo` that draws: handwritten digits from noise.
struct DigitsDemo {
  private static let count = 64
  private static let steps = 20

  let terminal: Terminal

  /// Draws a grid of digits into a PNG file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - engine: the device.
  /// - Throws: what the device or the file throws.
  func draw(to path: String, on engine: Engine) async throws {
    let data = try SampleData(SampleData.bundledName)
    let file = try OutputFile(path: path)
    file.removeWhenInterrupted()
    let denoiser = try await MixtureDenoiser(points: data.values, shape: data.shape, on: engine)
    var method = SamplingMethod.dpmSolver(steps: Self.steps)
    method.spacing = .karras
    let sampler = try Sampler(method, denoiser: denoiser, on: engine)

    let clock = ContinuousClock()
    let start = clock.now
    let samples = try await sampler.samples(count: Self.count)
    let seconds = (clock.now - start) / .seconds(1)
    let values = data.normalization.restore(samples.values)
    try file.write(try SamplePicture(data: data, title: "").png(values, frames: []))
    try file.commit()

    if terminal.colours != .none {
      let preview = BlockPicture(data.brightness(values), shape: data.shape, terminal: terminal)
      print(preview.render(rowLimit: 2))
    }
    print(
      String(
        format: "%d digits drawn from noise in %.2f s (%@, %d steps): \(path)", Self.count, seconds,
        method.name.rawValue, Self.steps))
    print("No network is behind this, but the exact denoiser of \(Quantity.grouped(data.count)) digits: it gives them")
    print("back. With a trained network in its place the same sampler draws new ones.")
  }
}
