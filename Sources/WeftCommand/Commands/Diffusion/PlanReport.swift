import Diffusion
import Foundation

/// What `weft schedule` shows of a plan: as JSON every number in full precision, as a table four digits.
struct PlanReport: Report {
  let sampler: SamplerName
  let prediction: Prediction
  let plan: SamplingPlan
  /// With the analytic variance, how the variance of x0 given x is limited.
  let varianceLimit: VarianceLimit?

  /// A limit; without a value none.
  struct VarianceLimit {
    let value: Double?
  }

  func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: FieldName.self)
    try members.encode(sampler.rawValue, forKey: "sampler")
    try members.encode(prediction.rawValue, forKey: "prediction")
    try members.encode(plan.initialScale, forKey: "initial_scale")
    try members.encode(plan.stepCount, forKey: "step_count")
    try members.encode(plan.evaluations, forKey: "evaluations")
    try members.encode(plan.registerCount, forKey: "registers")
    try members.encode(plan.result, forKey: "result_register")
    // A member that is null says that there is no limit.
    if let varianceLimit { try members.encode(varianceLimit.value, forKey: "variance_limit") }
    try members.encode(plan.instructions.map(Step.init), forKey: "steps")
  }

  /// A row for each instruction.
  func text(on terminal: Terminal) -> String { PlanTable.render(plan, varianceLimit, on: terminal) }
}

// MARK: JSON

private typealias Members = KeyedEncodingContainer<FieldName>

/// One instruction of a plan.
private struct Step: Encodable {
  let instruction: SamplingPlan.Instruction

  func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: FieldName.self)
    switch instruction {
    case .update(let update): try encode(update, to: &members)
    case .langevin(let step): try encode(step, to: &members)
    }
  }

  private func encode(_ update: PlannedUpdate, to members: inout Members) throws {
    try members.encode("update", forKey: "kind")
    try encode(update.level, to: &members)
    try members.encode(update.next.alphaBar, forKey: "alpha_bar_next")
    // Without a call of the network there is no output: the device gets zeros.
    let calls = update.evaluates ? 1.0 : 0.0
    let conversion = update.evaluates ? update.conversion : nil
    try members.encode(conversion?.x0FromSample ?? 0, forKey: "p")
    try members.encode(conversion?.x0FromOutput ?? 0, forKey: "q")
    try members.encode(update.sample, forKey: "A")
    try members.encode(update.x0 * calls, forKey: "B0")
    try members.encode(update.epsilon * calls, forKey: "E")
    try members.encode(update.history.map(\.weight), forKey: "history")
    try members.encode(update.noise, forKey: "C")
    try encode(update.evaluates ? update.clipping : .none, to: &members)
    try members.encode(conversion?.epsilonFromSample ?? 0, forKey: "epsilon_p")
    try members.encode(conversion?.epsilonFromOutput ?? 0, forKey: "epsilon_q")
    try members.encode(update.next.alpha, forKey: "alpha_next")
    try members.encode(update.next.sigma, forKey: "sigma_next")
    try members.encode(update.inputScale, forKey: "input_scale")
    try members.encode(update.evaluates, forKey: "evaluates")
    try members.encode(update.finishesStep, forKey: "finishes_step")
    try members.encode(update.input, forKey: "input_register")
    try members.encode(update.output, forKey: "output_register")
    try members.encode(update.history.map(\.register), forKey: "history_registers")
    try members.encodeIfPresent(update.keptX0, forKey: "kept_x0")
    try members.encodeIfPresent(update.keptEpsilon, forKey: "kept_epsilon")
    try encode(update.variance, to: &members)
  }

  private func encode(_ step: PlannedLangevin, to members: inout Members) throws {
    try members.encode("langevin", forKey: "kind")
    try encode(step.level, to: &members)
    try members.encode(step.level.alphaBar, forKey: "alpha_bar_next")
    try members.encode(step.conversion.epsilonFromSample, forKey: "epsilon_p")
    try members.encode(step.conversion.epsilonFromOutput, forKey: "epsilon_q")
    try members.encode(step.signalToNoise, forKey: "signal_to_noise")
    try members.encode(step.factor, forKey: "factor")
    try members.encode(step.inputScale, forKey: "input_scale")
    try members.encode(step.register, forKey: "register")
  }

  private func encode(_ level: NoiseLevel, to members: inout Members) throws {
    if let whole = Int(exactly: level.time) {
      try members.encode(whole, forKey: "timestep")
    } else {
      try members.encode(level.time, forKey: "timestep")
    }
    try members.encode(level.alphaBar, forKey: "alpha_bar")
    try members.encode(level.alpha, forKey: "alpha")
    try members.encode(level.sigma, forKey: "sigma")
  }

  private func encode(_ clipping: Clipping, to members: inout Members) throws {
    switch clipping {
    case .none: try members.encodeNil(forKey: "clip")
    case .fixed(let limit): try members.encode(limit, forKey: "clip")
    case .dynamic(let ratio, let maximum):
      var threshold = members.nestedContainer(keyedBy: FieldName.self, forKey: "clip")
      try threshold.encode(ratio, forKey: "ratio")
      try threshold.encode(maximum, forKey: "maximum")
    }
  }

  /// Where the noise's variance is not C² alone.
  private func encode(_ variance: StepVariance, to members: inout Members) throws {
    let (form, numbers): (String, [(FieldName, Double)]) =
      switch variance {
      case .fixed: ("fixed", [])
      case .learnedRange(let small, let large): ("learned_range", [("log_small", small), ("log_large", large)])
      case .noiseResidual(let base, let gain, let ratio):
        ("noise_residual", [("base", base), ("gain", gain), ("ratio", ratio)])
      case .noiseSquare(let base, let gain, let ratio):
        ("noise_square", [("base", base), ("gain", gain), ("ratio", ratio)])
      }
    guard variance != .fixed else { return }
    var object = members.nestedContainer(keyedBy: FieldName.self, forKey: "variance")
    try object.encode(form, forKey: "form")
    for (name, value) in numbers { try object.encode(value, forKey: name) }
  }
}

// MARK: Table

/// A plan as a table for people; columns that say nothing are left out.
private enum PlanTable {
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

  static func render(
    _ plan: SamplingPlan, _ limit: PlanReport.VarianceLimit?, on terminal: Terminal
  ) -> String {
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
    return table.render(on: terminal) + summary(plan, limit)
  }

  private static func summary(_ plan: SamplingPlan, _ limit: PlanReport.VarianceLimit?) -> String {
    let start = plan.initialScale == 1 ? "noise of variance 1" : "noise times \(text(plan.initialScale))"
    return "\n\(counted(plan.stepCount, "step")), \(counted(plan.evaluations, "evaluation")), from \(start)"
      + "\(clipping(plan))\(limit.map(variance) ?? "")\n"
  }

  private static func clipping(_ plan: SamplingPlan) -> String {
    switch plan.updates.first(where: \.evaluates)?.clipping {
    case .fixed(let limit): "; x0 limited to ±\(text(limit))"
    case .dynamic(let ratio, let maximum): "; x0 limited to its \(text(ratio)) quantile, 1 to \(text(maximum))"
    case .some(.none), nil: ""
    }
  }

  private static func variance(_ limit: PlanReport.VarianceLimit) -> String {
    guard let value = limit.value else { return "; the variance of x0 not limited" }
    return "; the variance of x0 limited to \(text(value))"
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
