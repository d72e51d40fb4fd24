import Diffusion
import Foundation
import Weft

extension GammaTable {
  /// Γ at the noisy levels of a grid; a terminal is told, for it takes a while. The seed is its own: Γ is the data's,
  /// whichever samples are drawn.
  static func estimate(
    _ denoiser: some Denoiser, over data: [Float], of grid: TimeGrid, draws: Int, on engine: Engine
  ) async throws -> GammaTable {
    let levels = Array(grid.levels.dropLast())
    if Terminal(describing: STDERR_FILENO).canRedraw { note("weft: estimating Γ at \(levels.count) levels …") }
    return try await estimate(denoiser, over: data, levels: levels, draws: draws, seed: 0, on: engine)
  }
}
