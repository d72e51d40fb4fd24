import Diffusion
import Foundation

/// A plan as a table for people; columns that say nothing are left out.
enum PlanTable {
  private struct Column {
    let title: String
    /// A cell for an update; nil for an empty one.
    let cell: (PlannedUpdate) -> String?
    var isText = false
    var isOptional = true
  }

  private static var columns: [Column] {
    [
      Column(title: "p", cell: { $0.evaluates ? text($0.conversion.x0FromSample) : nil }, isOptional: false),
      Column(title: "q", cell: { $0.evaluates ? text($0.conversion.x0FromOutput) : nil }, isOptional: false),
      Column(title: "A", cell: { text($0.sample) }, isOptional: false),
      Column(title: "B0", cell: { $0.x0 != 0 && $0.evaluates ? text($0.x0) : nil }),
      Column(title: "E", cell: { $0.epsilon != 0 && $0.evaluates ? text($0.epsilon) : nil }),
      Column(
        title: "history", cell: { $0.history.isEmpty ? nil : $0.history.map { text($0.weight) }.joined(separator: " ") }
      ),
      Column(title: "C", cell: { $0.noise != 0 ? text($0.noise) : nil }),
      Column(title: "", cell: { remark($0) }, isText: true),
    ]
  }

  static func render(_ plan: SamplingPlan, on terminal: Terminal) -> String {
    let updates = plan.updates
    let hasCorrector = updates.count < plan.instructions.count
    let columns = columns.filter { column in
      !column.isOptional || (column.isText && hasCorrector) || updates.contains { column.cell($0) != nil }
    }
    var table = TextTable(
      [.number("step"), .number("t"), .number("ᾱ"), .number("ᾱ'")]
        + columns.map { $0.isText ? .text($0.title) : .number($0.title) })
    var step = 1
    for instruction in plan.instructions {
      switch instruction {
      case .update(let update):
        table.addRow(
          ["\(step)", text(update.level.time), text(update.level.alphaBar), text(update.next.alphaBar)]
            + columns.map { $0.cell(update) ?? "" })
        if update.finishesStep { step += 1 }
      case .langevin(let corrector):
        let remark = "corrector, signal-to-noise \(text(corrector.signalToNoise))"
        table.addRow(
          ["\(step)", text(corrector.level.time), text(corrector.level.alphaBar), text(corrector.level.alphaBar)]
            + columns.map { $0.isText ? remark : "" })
      }
    }
    return table.render(on: terminal) + summary(plan)
  }

  private static func summary(_ plan: SamplingPlan) -> String {
    let start = plan.initialScale == 1 ? "noise of variance 1" : "noise times \(text(plan.initialScale))"
    return "\n\(counted(plan.stepCount, "step")), \(counted(plan.evaluations, "evaluation")), from \(start)"
      + "\(clipping(plan))\n"
  }

  private static func clipping(_ plan: SamplingPlan) -> String {
    switch plan.updates.first(where: \.evaluates)?.clipping {
    case .fixed(let limit): "; x0 limited to ±\(text(limit))"
    case .dynamic(let ratio, let maximum): "; x0 limited to its \(text(ratio)) quantile, 1 to \(text(maximum))"
    case .some(.none), nil: ""
    }
  }

  private static func remark(_ update: PlannedUpdate) -> String? {
    let variance: String? =
      switch update.variance {
      case .fixed: nil
      case .learnedRange: "variance learned"
      case .noiseResidual, .noiseSquare: "variance per pixel"
      }
    let remarks = [
      update.evaluates ? nil : "no evaluation", update.finishesStep ? nil : "on the way", variance,
    ]
    let text = remarks.compactMap { $0 }.joined(separator: ", ")
    return text.isEmpty ? nil : text
  }

  private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  /// Four digits that count.
  private static func text(_ value: Double) -> String {
    guard let whole = Int(exactly: value), abs(whole) < 100_000 else { return String(format: "%.4g", value) }
    return "\(whole)"
  }
}
