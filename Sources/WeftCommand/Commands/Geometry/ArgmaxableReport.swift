import Foundation
import Geometry

/// What a person, or a program, is told at the end of a run.
struct ArgmaxableReport {
  /// Classes listed in a text; JSON has all.
  private static let shown = 40

  private let layer: ArgmaxableLayer
  private let summary: ArgmaxableSummary
  private let seconds: Double
  private let device: String

  init(_ layer: ArgmaxableLayer, _ summary: ArgmaxableSummary, seconds: Double, device: String) {
    (self.layer, self.summary, self.seconds, self.device) = (layer, summary, seconds, device)
  }

  // MARK: Text

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
      return "ahead by at most " + String(format: "%.2g", bound) + " of the vector's length"
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

  // MARK: JSON

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("file")
    writer.string(layer.file)
    writer.name("tensor")
    writer.string(layer.tensor)
    writer.name("bias")
    if let bias = layer.biasTensor { writer.string(bias) } else { writer.null() }
    writer.name("box")
    if let box = layer.box { writer.number(box) } else { writer.null() }
    writer.name("classes")
    writer.integer(layer.classes.count)
    writer.name("dimension")
    writer.integer(layer.classes.dimension)
    writer.name("counts")
    writer.beginObject()
    for verdict in Verdict.allCases {
      writer.name(verdict.rawValue)
      writer.integer(summary.count(verdict))
    }
    writer.endObject()
    for verdict in [Verdict.unargmaxable, .tied, .undecided] {
      writer.name(verdict.rawValue)
      writer.beginArray()
      for proof in summary.proofs(verdict) { write(proof, to: &writer) }
      writer.endArray()
    }
    writer.name("seconds")
    writer.number(seconds)
    writer.name("processor_seconds")
    writer.number(processorSeconds())
    writer.name("device")
    writer.string(device)
    writer.endObject()
    writer.newline()
    return writer.string
  }

  private func write(_ proof: ClassProof, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("class")
    writer.integer(proof.index)
    if let word = layer.word(proof.index) {
      writer.name("word")
      writer.string(word)
    }
    switch proof.claim {
    case .argmaxable: break
    case .unargmaxable(let combination): write(combination, to: &writer)
    case .tied(let other, let together):
      writer.name("with")
      writer.integer(other)
      switch together {
      case .above:
        writer.name("together_argmaxable")
        writer.boolean(true)
      case .below(let combination):
        writer.name("together_argmaxable")
        writer.boolean(false)
        write(combination, to: &writer)
      case .unsaid: break
      }
    case .undecided(_, let bound):
      writer.name("bound")
      writer.number(bound)
    }
    writer.endObject()
  }

  private func write(_ combination: Combination, to writer: inout JSONWriter) {
    writer.name("below")
    writer.beginArray()
    for index in combination.classes { writer.integer(index) }
    writer.endArray()
  }
}
