internal import ModelFiles

extension SchedulerConfiguration {
  static func solver(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) -> Solver {
    try checkUnsupported(kind, fields)
    switch kind {
    case .ddpm: return .ddpm(try variance(fields))
    case .ddim: return .ddim
    case .pndm: return .pndm(skipsWarmUp: try fields.bool("skip_prk_steps") ?? false)
    case .dpmSolver: return try dpmSolver(fields)
    case .euler: return .euler
    case .unipc: return try unipc(fields)
    case .scoreSDE: return .scoreSDE(try scoreSDE(fields))
    }
  }

  private static func variance(_ fields: JSONFields) throws(ModelFileError) -> DDPM.Variance {
    // The logarithm's root is the deviation, which is the same number.
    try fields.choice(
      "variance_type",
      of: [
        ("fixed_small", .small), ("fixed_small_log", .small), ("fixed_large", .large), ("learned_range", .learnedRange),
      ]) ?? .small
  }

  private static func dpmSolver(_ fields: JSONFields) throws(ModelFileError) -> Solver {
    let order = try fields.integer("solver_order", in: 1...3) ?? 2
    // deis is what diffusers takes for dpmsolver++.
    let isStochastic =
      try fields.choice(
        "algorithm_type", of: [("dpmsolver++", false), ("deis", false), ("sde-dpmsolver++", true)]) ?? false
    // What belongs to other solvers diffusers takes for midpoint.
    let variant: DPMSolverPlusPlus.Variant =
      try fields.choice(
        "solver_type",
        of: [
          ("midpoint", .midpoint), ("heun", .heun), ("logrho", .midpoint), ("bh1", .midpoint), ("bh2", .midpoint),
        ]) ?? .midpoint
    let lowersOrder = FinalOrder(
      withFewSteps: try fields.bool("lower_order_final") ?? true, always: try fields.bool("euler_at_final") ?? false)
    guard isStochastic else { return .dpmSolver(order: order, variant, lowersOrder: lowersOrder) }
    guard order <= 2 else {
      throw fields.error("solver_order", "\(order) is not supported with sde-dpmsolver++; 1 and 2 are")
    }
    guard variant == .midpoint else {
      throw fields.error("solver_type", "'heun' is not supported with sde-dpmsolver++; 'midpoint' is")
    }
    return .sdeDPMSolver(order: order, lowersOrder: lowersOrder)
  }

  private static func unipc(_ fields: JSONFields) throws(ModelFileError) -> Solver {
    let variant: UniPC.Variant =
      try fields.choice(
        "solver_type",
        of: [("bh1", .bh1), ("bh2", .bh2), ("midpoint", .bh2), ("heun", .bh2), ("logrho", .bh2)]) ?? .bh2
    return .unipc(
      order: try fields.integer("solver_order", in: 1...3) ?? 2, variant,
      uncorrected: Set(try fields.integers("disable_corrector", in: 0...1_000_000) ?? []),
      lowersOrder: try fields.bool("lower_order_final") ?? true)
  }

  static func scoreSDE(_ fields: JSONFields) throws(ModelFileError) -> ScoreSDE {
    let (lowest, highest) = (try fields.number("sigma_min") ?? 0.01, try fields.number("sigma_max") ?? 1348)
    guard lowest > 0, highest > lowest, highest <= 1e6 else {
      throw fields.error("sigma_max", "σ from \(lowest) to \(highest): both must be above 0, and rise")
    }
    let end = try fields.number("sampling_eps") ?? 1e-5
    guard end > 0, end < 1 else { throw fields.error("sampling_eps", "\(end) is not between 0 and 1") }
    let ratio = try fields.number("snr") ?? 0.15
    guard ratio > 0, ratio <= 1e3 else { throw fields.error("snr", "\(ratio) is not above 0") }
    return ScoreSDE(
      sigmas: lowest...highest, end: end, signalToNoise: ratio,
      correctorSteps: try fields.integer("correct_steps", in: 0...1_000) ?? 1)
  }

  /// Settings that no sampler here has, with the classes that have them there.
  private static func checkUnsupported(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) {
    guard kind.keepsTrace else { return }
    for name in ["use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting"] {
      if try fields.bool(name) == true { throw fields.error(name, "true is not supported") }
    }
    guard kind == .unipc else { return }
    if try fields.bool("predict_x0") == false { throw fields.error("predict_x0", "false is not supported") }
    for name in ["solver_p", "shift_terminal"] where fields[name] != nil {
      throw fields.error(name, "is not supported; it must be null")
    }
  }

  /// The settings of all classes: a file may have been made for one and serve another, which does not read them.
  private static let known: Set<String> = [
    "algorithm_type", "beta_end", "beta_schedule", "beta_start", "clip_sample", "clip_sample_range", "correct_steps",
    "disable_corrector", "dynamic_thresholding_ratio", "euler_at_final", "final_sigmas_type", "flow_shift",
    "interpolation_type", "lambda_min_clipped", "lower_order_final", "num_train_timesteps", "predict_x0",
    "prediction_type", "rescale_betas_zero_snr", "sample_max_value", "sampling_eps", "set_alpha_to_one",
    "shift_terminal",
    "sigma_max", "sigma_min", "skip_prk_steps", "snr", "solver_order", "solver_p", "solver_type", "steps_offset",
    "thresholding", "time_shift_type", "timestep_spacing", "timestep_type", "trained_betas", "use_beta_sigmas",
    "use_dynamic_shifting", "use_exponential_sigmas", "use_flow_sigmas", "use_karras_sigmas", "use_lu_lambdas",
    "variance_type",
  ]

  /// Refuses a setting that no class has, unless it is not there or not wanted.
  static func checkKnown(_ fields: JSONFields) throws(ModelFileError) {
    for member in fields.members where !known.contains(member.name) && !member.name.hasPrefix("_") {
      switch member.value {
      case .null, .bool(false): continue
      default: throw fields.error(member.name, "is not a setting of a scheduler that is known here")
      }
    }
  }
}

extension JSONFields {
  /// What a text stands for; nil if the field is absent or null.
  func choice<Value>(_ name: String, of choices: [(String, Value)]) throws(ModelFileError) -> Value? {
    guard let text = try string(name) else { return nil }
    guard let choice = choices.first(where: { $0.0 == text }) else {
      let known = choices.map(\.0).joined(separator: ", ")
      throw error(name, "\(text.quoted) is not supported; \(known) are")
    }
    return choice.1
  }

  /// An array of finite numbers; nil if absent or null.
  func numbers(_ name: String) throws(ModelFileError) -> [Double]? {
    guard let elements = try array(name) else { return nil }
    var numbers: [Double] = []
    for (index, element) in elements.enumerated() {
      switch element {
      case .integer(let value): numbers.append(Double(value))
      case .number(let value) where value.isFinite: numbers.append(value)
      default: throw error("\(name)[\(index)]", "a finite number expected")
      }
    }
    return numbers
  }
}
