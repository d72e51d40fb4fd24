import Diffusion

/// A plan as JSON: every number in full precision, as it is computed.
enum PlanReport {
  static func json(_ plan: SamplingPlan, method: SamplingMethod, prediction: Prediction) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("sampler", method.name.rawValue)
    writer.member("prediction", prediction.rawValue)
    writer.member("initial_scale", plan.initialScale)
    writer.member("step_count", plan.stepCount)
    writer.member("evaluations", plan.evaluations)
    writer.member("registers", plan.registerCount)
    writer.member("result_register", plan.result)
    writer.name("steps")
    writer.beginArray()
    for instruction in plan.instructions {
      writer.beginObject()
      switch instruction {
      case .update(let update): write(update, to: &writer)
      case .langevin(let step): write(step, to: &writer)
      }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    writer.newline()
    return writer.string
  }

  private static func write(_ update: PlannedUpdate, to writer: inout JSONWriter) {
    writer.member("kind", "update")
    write(update.level, to: &writer)
    writer.member("alpha_bar_next", update.next.alphaBar)
    // Without a call of the network there is no output: the device gets zeros.
    let calls = update.evaluates ? 1.0 : 0.0
    let conversion = update.evaluates ? update.conversion : nil
    writer.member("p", conversion?.x0FromSample ?? 0)
    writer.member("q", conversion?.x0FromOutput ?? 0)
    writer.member("A", update.sample)
    writer.member("B0", update.x0 * calls)
    writer.member("E", update.epsilon * calls)
    writer.list("history", update.history.map(\.weight)) { $0.number($1) }
    writer.member("C", update.noise)
    write(update.evaluates ? update.clipping : .none, to: &writer)
    writer.member("epsilon_p", conversion?.epsilonFromSample ?? 0)
    writer.member("epsilon_q", conversion?.epsilonFromOutput ?? 0)
    writer.member("alpha_next", update.next.alpha)
    writer.member("sigma_next", update.next.sigma)
    writer.member("input_scale", update.inputScale)
    writer.name("evaluates")
    writer.boolean(update.evaluates)
    writer.name("finishes_step")
    writer.boolean(update.finishesStep)
    writer.member("input_register", update.input)
    writer.member("output_register", update.output)
    writer.list("history_registers", update.history.map(\.register)) { $0.integer($1) }
    for (name, register) in [("kept_x0", update.keptX0), ("kept_epsilon", update.keptEpsilon)] {
      guard let register else { continue }
      writer.member(name, register)
    }
    write(update.variance, to: &writer)
  }

  private static func write(_ step: PlannedLangevin, to writer: inout JSONWriter) {
    writer.member("kind", "langevin")
    write(step.level, to: &writer)
    writer.member("alpha_bar_next", step.level.alphaBar)
    writer.member("epsilon_p", step.conversion.epsilonFromSample)
    writer.member("epsilon_q", step.conversion.epsilonFromOutput)
    writer.member("signal_to_noise", step.signalToNoise)
    writer.member("factor", step.factor)
    writer.member("input_scale", step.inputScale)
    writer.member("register", step.register)
  }

  private static func write(_ level: NoiseLevel, to writer: inout JSONWriter) {
    writer.name("timestep")
    if let whole = Int(exactly: level.time) { writer.integer(whole) } else { writer.number(level.time) }
    writer.member("alpha_bar", level.alphaBar)
    writer.member("alpha", level.alpha)
    writer.member("sigma", level.sigma)
  }

  private static func write(_ clipping: Clipping, to writer: inout JSONWriter) {
    writer.name("clip")
    switch clipping {
    case .none: writer.null()
    case .fixed(let limit): writer.number(limit)
    case .dynamic(let ratio, let maximum):
      writer.beginObject()
      writer.member("ratio", ratio)
      writer.member("maximum", maximum)
      writer.endObject()
    }
  }

  /// Where the noise's variance is not C² alone.
  private static func write(_ variance: StepVariance, to writer: inout JSONWriter) {
    let (form, numbers): (String, [(String, Double)]) =
      switch variance {
      case .fixed: ("fixed", [])
      case .learnedRange(let small, let large): ("learned_range", [("log_small", small), ("log_large", large)])
      case .noiseResidual(let base, let gain, let ratio):
        ("noise_residual", [("base", base), ("gain", gain), ("ratio", ratio)])
      case .noiseSquare(let base, let gain, let ratio):
        ("noise_square", [("base", base), ("gain", gain), ("ratio", ratio)])
      }
    guard variance != .fixed else { return }
    writer.name("variance")
    writer.beginObject()
    writer.member("form", form)
    for (name, value) in numbers { writer.member(name, value) }
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, _ value: String) {
    self.name(name)
    string(value)
  }

  fileprivate mutating func member(_ name: String, _ value: Double) {
    self.name(name)
    number(value)
  }

  fileprivate mutating func member(_ name: String, _ value: Int) {
    self.name(name)
    integer(value)
  }

  fileprivate mutating func list<Value>(
    _ name: String, _ values: [Value], _ write: (inout JSONWriter, Value) -> Void
  ) {
    self.name(name)
    beginArray()
    for value in values { write(&self, value) }
    endArray()
  }
}
