import Foundation
import Geometry

/// What a person, or a program, is told at the end of a run.
struct ArgmaxableReport {
  /// Classes listed in a text; JSON has all.
  private static let shown = 40

  let layer: ArgmaxableLayer
  let summary: ArgmaxableSummary
  let seconds: Double
  let device: String

  init(_ layer: ArgmaxableLayer, _ summary: ArgmaxableSummary, seconds: Double, device: String) {
    (self.layer, self.summary, self.seconds, self.device) = (layer, summary, seconds, device)
  }

  func text(on terminal: Terminal) -> String {
    var text = "\(layer.tensor): \(Quantity.grouped(layer.classes.count)) classes of dimension "
    text += "\(layer.classes.dimension)" + (layer.biasTensor.map { ", biases \($0)" } ?? "")
    text += (layer.box.map { ", hidden vectors within ±\($0)" } ?? "") + "\n\n"
    var table = TextTable([.text(""), .number(""), .text("")])
    for verdict in Verdict.allCases where verdict == .argmaxable || summary.count(verdict) > 0 {
      table.addRow([verdict.rawValue, Quantity.grouped(summary.count(verdict)), Self.meaning(verdict)])
    }
    text += table.render(on: terminal)
    for verdict in [Verdict.unargmaxable, .tied, .undecided] { text += list(verdict, on: terminal) }
    if summary.others.isEmpty { text += "\nEvery class can be predicted.\n" }
    let spent = "\(Quantity.short(seconds)) s, \(Quantity.short(processorSeconds())) s of processors' time"
    return text + "\n\(spent), on \(device)\n"
  }

  private static func meaning(_ verdict: Verdict) -> String {
    switch verdict {
    case .argmaxable: "predicted for some hidden vector"
    case .unargmaxable: "never predicted, whatever the hidden vector"
    case .tied: "never alone at the top: another class always scores the same"
    case .undecided: "not proven either way"
    }
  }

  private func list(_ verdict: Verdict, on terminal: Terminal) -> String {
    let proofs = summary.proofs(verdict)
    guard !proofs.isEmpty else { return "" }
    let title =
      switch verdict {
      case .unargmaxable: "Never predicted"
      case .tied: "Tied"
      default: "Undecided"
      }
    var columns = [TextTable.Column.number("class")]
    if layer.hasWords { columns.append(.text("word")) }
    var table = TextTable(columns + [.text("why")])
    for proof in proofs.prefix(Self.shown) {
      table.addRow(["\(proof.index)"] + (layer.word(proof.index).map { [$0] } ?? []) + [reason(proof)])
    }
    let more = proofs.count - Self.shown
    let rest = more > 0 ? "and \(Quantity.grouped(more)) more: --json lists all\n" : ""
    return "\n" + Style.bold.apply(to: title, colours: terminal.colours) + "\n" + table.render(on: terminal) + rest
  }

  private func reason(_ proof: ClassProof) -> String {
    switch proof.claim {
    case .argmaxable: return ""
    case .unargmaxable(let combination): return "below \(described(combination))"
    case .tied(let other, let together):
      let same = "the same as \(layer.name(other))"
      switch together {
      case .above: return same + "; together they can be at the top"
      case .below(let combination): return same + "; together below \(described(combination))"
      case .unsaid: return same
      }
    case .undecided(_, let bound):
      let hasBias = layer.classes.decidingBias != nil
      let length = !hasBias ? " · ‖h‖" : layer.box == nil ? " · ‖(h, 1)‖" : ""
      return "ahead by at most " + String(format: "%.2g", bound) + length
    }
  }

  /// The heaviest classes of a combination.
  private func described(_ combination: Combination) -> String {
    let heaviest = zip(combination.weights, combination.classes).sorted { ($1.0, $0.1) < ($0.0, $1.1) }
    let names = heaviest.prefix(3).map { layer.name($0.1) }.joined(separator: ", ")
    let count = combination.classes.count
    // In a box a single class can be ahead everywhere without having the same vector.
    if count == 1 { return layer.box == nil ? "\(names), the same with more bias" : names }
    return "an average of " + (count > 3 ? "\(count) classes: \(names), …" : names)
  }
}
