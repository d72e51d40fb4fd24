import Pictures
import TokenPairs

/// Loss and F1 of a training against its epochs.
struct HistoryPlot {
  private let summary: TrainingSummary

  init(_ summary: TrainingSummary) { self.summary = summary }

  func svg() throws -> String {
    func curve(_ value: (TrainingEpoch) -> Double) -> [PlotPoint] {
      summary.epochs.map { PlotPoint(x: Double($0.epoch), y: value($0)) }
    }
    let best = PlotPoint(x: Double(summary.best.epoch), y: summary.best.scores.f1)
    let plot = Plot(panels: [
      PlotPanel(
        title: "Loss", x: .init("epoch"), y: .init("training data"),
        series: [.init("", colour: .blue, points: curve { $0.loss })]),
      PlotPanel(
        title: "F1", x: .init("epoch"), y: .init("development data"),
        series: [
          .init("F1", colour: .blue, points: curve { $0.scores.f1 }),
          .init("precision", colour: .green, points: curve { $0.scores.precision }),
          .init("recall", colour: .purple, points: curve { $0.scores.recall }),
          .init("the model", colour: .orange, dots: [best]),
        ]),
    ])
    return try plot.svg()
  }
}
