import Foundation
import Geometry
import TokenPairs

/// What a run found: how many classes have which verdict, and the proofs of those that cannot win.
struct ArgmaxableSummary {
  private(set) var counts: [Verdict: Int] = [:]
  /// Proofs of all classes that are not argmaxable.
  private(set) var others: [ClassProof] = []
  private var seen: Set<Int> = []

  /// - Returns: whether the class is new, or was undecided so far.
  mutating func add(_ proof: ClassProof) -> Bool {
    if !seen.insert(proof.index).inserted {
      guard let place = others.firstIndex(where: { $0.index == proof.index && $0.verdict == .undecided }) else {
        return false
      }
      others.remove(at: place)
      counts[.undecided, default: 0] -= 1
    }
    counts[proof.verdict, default: 0] += 1
    if proof.verdict != .argmaxable { others.append(proof) }
    return true
  }

  func has(_ index: Int) -> Bool { seen.contains(index) }
  func count(_ verdict: Verdict) -> Int { counts[verdict] ?? 0 }
  var total: Int { seen.count }

  /// The classes of a verdict, in order.
  func proofs(_ verdict: Verdict) -> [ClassProof] {
    others.filter { $0.verdict == verdict }.sorted { $0.index < $1.index }
  }

  /// For a progress bar.
  var remark: String {
    Verdict.allCases.map { "\(Quantity.grouped(count($0))) \($0.rawValue)" }.joined(separator: ", ")
  }

  /// The counts as a member `counts`, verdicts in their order.
  func encodeCounts(in fields: inout KeyedEncodingContainer<FieldName>) throws {
    var counts = fields.nestedContainer(keyedBy: FieldName.self, forKey: "counts")
    for verdict in Verdict.allCases { try counts.encode(count(verdict), forKey: FieldName(verdict.rawValue)) }
  }
}

/// The result of a search for the classes that can never win.
struct ArgmaxableReport: Report {
  /// Classes listed in a text; JSON has all.
  private static let shown = 40

  let layer: ArgmaxableLayer
  let summary: ArgmaxableSummary
  let seconds: Double
  let processorSeconds: Double
  let device: String

  /// One object, with every class that is not argmaxable.
  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(layer.file, forKey: "file")
    try fields.encode(layer.tensor, forKey: "tensor")
    try fields.encode(layer.biasTensor, forKey: "bias")
    try fields.encode(layer.box, forKey: "box")
    try fields.encode(layer.classes.count, forKey: "classes")
    try fields.encode(layer.classes.dimension, forKey: "dimension")
    try summary.encodeCounts(in: &fields)
    for verdict in [Verdict.unargmaxable, .tied, .undecided] {
      let classes = summary.proofs(verdict).map { ReportedClass(proof: $0, word: layer.word($0.index)) }
      try fields.encode(classes, forKey: FieldName(verdict.rawValue))
    }
    try fields.encode(seconds, forKey: "seconds")
    try fields.encode(processorSeconds, forKey: "processor_seconds")
    try fields.encode(device, forKey: "device")
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
    let spent = "\(Quantity.short(seconds)) s, \(Quantity.short(processorSeconds)) s of processors' time"
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
      if bound == .greatestFiniteMagnitude { return "no bound is known" }
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

/// A class that is not argmaxable, as JSON has it.
private struct ReportedClass: Encodable {
  let proof: ClassProof
  let word: String?

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(proof.index, forKey: "class")
    try fields.encodeIfPresent(word, forKey: "word")
    switch proof.claim {
    case .argmaxable: break
    case .unargmaxable(let combination): try fields.encode(combination.classes, forKey: "below")
    case .tied(let other, let together):
      try fields.encode(other, forKey: "with")
      switch together {
      case .above: try fields.encode(true, forKey: "together_argmaxable")
      case .below(let combination):
        try fields.encode(false, forKey: "together_argmaxable")
        try fields.encode(combination.classes, forKey: "below")
      case .unsaid: break
      }
    case .undecided(_, let bound): try fields.encode(bound, forKey: "bound")
    }
  }
}

/// The result of checking a file of proofs.
struct ArgmaxableVerificationReport: Report {
  let summary: ArgmaxableSummary
  let faults: [String]
  /// Classes without a proof that holds.
  let missing: [Int]

  var holds: Bool { faults.isEmpty && missing.isEmpty }

  /// How many proofs hold; faults are noted beside it.
  func text(on terminal: Terminal) -> String {
    let undecided = summary.count(.undecided)
    let proven = summary.total - undecided
    let counts = Verdict.allCases.filter { $0 != .undecided && summary.count($0) > 0 }
      .map { "\(Quantity.grouped(summary.count($0))) \($0.rawValue)" }.joined(separator: ", ")
    return "\(Quantity.grouped(proven)) \(proven == 1 ? "proof holds" : "proofs hold")"
      + (counts.isEmpty ? "" : ": \(counts)")
      + (undecided == 0
        ? "" : "; \(Quantity.grouped(undecided)) undecided, of which nothing is proven but the bounds") + "\n"
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(holds, forKey: "holds")
    try summary.encodeCounts(in: &fields)
    try fields.encode(faults, forKey: "faults")
    try fields.encode(missing, forKey: "missing")
  }
}
