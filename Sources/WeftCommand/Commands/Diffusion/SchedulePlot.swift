import Diffusion
import Foundation
import Pictures

/// ᾱ and the signal-to-noise ratio over time, with the levels that a sampler visits.
struct SchedulePlot {
  /// More vertical lines than this would be a grey area.
  private static let markLimit = 60
  private static let resolution = 400

  let method: SamplingMethod
  let grid: TimeGrid

  func svg() throws -> String {
    let visited = grid.levels.filter { $0.sigma > 0 && $0.time.isFinite }
    let marks = visited.count <= Self.markLimit ? visited.map(\.time) : []
    let curve = curve
    func panel(_ title: String, _ y: PlotPanel.Axis, _ value: @escaping (NoiseLevel) -> Double) -> PlotPanel {
      func points(_ levels: [NoiseLevel]) -> [PlotPoint] {
        levels.map { PlotPoint(x: $0.time, y: value($0)) }
          .filter { $0.y.isFinite && (y.scale == .linear || $0.y > 1e-100) }
      }
      return PlotPanel(
        title: title, x: .init(timeName), y: y,
        series: [
          .init("schedule", colour: .blue, points: points(curve)),
          .init("visited", colour: .orange, dots: points(visited)),
        ], marks: marks)
    }
    let plot = Plot(
      title: title,
      panels: [
        panel("Signal kept, ᾱ", .init("ᾱ")) { $0.alphaBar },
        panel("Signal-to-noise ratio", .init("ᾱ / (1 - ᾱ)", scale: .logarithmic)) {
          $0.alpha * $0.alpha / ($0.sigma * $0.sigma)
        },
      ])
    return try plot.svg()
  }

  private var title: String {
    "\(method.name.rawValue): \(grid.steps) \(grid.steps == 1 ? "step" : "steps")"
  }

  private var timeName: String {
    switch method.schedule {
    case .discrete: "timestep"
    case .continuous: "t"
    case nil: "1000 σ"
    }
  }

  /// All levels of the schedule, or enough of them.
  private var curve: [NoiseLevel] {
    let shares = (0...Self.resolution).map { Double($0) / Double(Self.resolution) }
    switch method.schedule {
    case .discrete(let schedule):
      let last = Double(schedule.count - 1)
      return Set(shares.map { Int($0 * last) }).sorted()
        .map { NoiseLevel(time: Double($0), alphaBar: schedule.alphasBar[$0]) }
    case .continuous(let schedule):
      let first = min(grid.levels.map(\.time).min() ?? 0, 1e-3)
      return shares.map { schedule.level(at: first + $0 * (1 - first)) }
    case nil:
      return shares.dropFirst().map { NoiseLevel(time: 1000 * $0, alpha: 1 - $0, sigma: $0) }
    }
  }
}
