package import ModelFiles

extension SchedulerConfiguration {
  /// Reads `scheduler_config.json`. A field that is absent has the default of its class; one that asks for what Weft does
  /// not do is refused by its name, also one that no class has.
  /// - Throws: `ModelFileError` naming the field that is missing, out of bounds or unsupported.
  package init(file: String) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    guard let name = try fields.string("_class_name") else { throw fields.error("_class_name", "is missing") }
    guard let kind = Kind(rawValue: name) else {
      let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw fields.error(
        "_class_name",
        "\(name.quoted) is not supported; \(known) are: name one that has the same noise there, and choose with --sampler"
      )
    }
    try self.init(kind, fields)
  }

  private init(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) {
    try Self.checkKnown(fields)
    self.kind = kind
    let isScore = kind == .scoreSDE
    trainingTimesteps =
      try fields.integer("num_train_timesteps", in: 1...1_000_000) ?? (isScore ? 2000 : 1000)
    if isScore {
      (schedule, prediction, clipping, sigmaRange) = (nil, .score, .none, nil)
      (spacing, stepsOffset, final, usedTimesteps) = (.linspace, 0, .clean, trainingTimesteps)
      (isLogLinear, tellsLogSigma) = (false, false)
      solver = .scoreSDE(try Self.scoreSDE(fields))
      return
    }
    let schedule = try Self.schedule(kind, fields, count: trainingTimesteps)
    self.schedule = schedule
    prediction =
      try fields.choice(
        "prediction_type", of: [("epsilon", .epsilon), ("sample", .sample), ("v_prediction", .vPrediction)]) ?? .epsilon
    clipping = try Self.clipping(kind, fields)
    let usual: Spacing = kind == .ddpm || kind == .ddim || kind == .pndm ? .leading : .linspace
    spacing = try fields.choice("timestep_spacing", of: Spacing.allCases.map { ($0.rawValue, $0) }) ?? usual
    stepsOffset = try fields.integer("steps_offset", in: 0...trainingTimesteps - 1) ?? 0
    final = try Self.final(kind, fields)
    sigmaRange = try Self.sigmaRange(kind, fields)
    usedTimesteps = try Self.usedTimesteps(kind, fields, schedule)
    let hasSigmas = kind == .euler
    let isLogLinear = try fields.choice("interpolation_type", of: [("linear", false), ("log_linear", true)]) ?? false
    self.isLogLinear = hasSigmas && isLogLinear
    let isContinuous = try fields.choice("timestep_type", of: [("discrete", false), ("continuous", true)]) ?? false
    tellsLogSigma = hasSigmas && isContinuous && prediction == .vPrediction
    solver = try Self.solver(kind, fields)
    guard spacing != .trailing || usedTimesteps == trainingTimesteps else {
      throw fields.error("lambda_min_clipped", "with timestep_spacing trailing it is not supported")
    }
  }

  private static func schedule(
    _ kind: Kind, _ fields: JSONFields, count: Int
  ) throws(ModelFileError) -> NoiseSchedule {
    let start = try fields.number("beta_start") ?? 1e-4
    let end = try fields.number("beta_end") ?? 0.02
    let name = try fields.string("beta_schedule") ?? "linear"
    let betas = try fields.numbers("trained_betas")
    let isRescaled = try fields.bool("rescale_betas_zero_snr") ?? false
    let rescales = kind != .pndm && isRescaled
    do throws(DiffusionError) {
      var schedule: NoiseSchedule
      if let betas {
        schedule = try NoiseSchedule(betas: betas)
      } else {
        switch name {
        case "linear": schedule = try .linear(from: start, to: end, count: count)
        case "scaled_linear": schedule = try .scaledLinear(from: start, to: end, count: count)
        case "squaredcos_cap_v2": schedule = try .squaredCosine(count: count)
        case "sigmoid": schedule = try .sigmoid(from: start, to: end, count: count)
        default:
          throw DiffusionError(
            .invalidOption, "\(name.quoted) is not supported; linear, scaled_linear, squaredcos_cap_v2, sigmoid are")
        }
      }
      if betas != nil, schedule.count != count {
        throw DiffusionError(.invalidOption, "\(schedule.count) numbers, but num_train_timesteps is \(count)")
      }
      // Where λ or σ̂ of the first level is needed, a trace of signal is left.
      return rescales ? try schedule.zeroTerminalSNR(hasFloor: kind.keepsTrace) : schedule
    } catch { throw fields.error(betas == nil ? "beta_schedule" : "trained_betas", error.message) }
  }

  private static func clipping(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) -> Clipping {
    func limit(_ name: String, default value: Double, from least: Double) throws(ModelFileError) -> Double {
      let number = try fields.number(name) ?? value
      guard number >= least, number > 0, number <= 1e6 else {
        throw fields.error(name, "\(number) is out of range: at least \(least) and above 0")
      }
      return number
    }
    // Euler and PNDM have no limits, whatever a file that served another class says.
    guard kind != .euler, kind != .pndm else { return .none }
    if try fields.bool("thresholding") == true {
      let ratio = try fields.number("dynamic_thresholding_ratio") ?? 0.995
      guard ratio > 0, ratio <= 1 else { throw fields.error("dynamic_thresholding_ratio", "\(ratio) is not in 0 … 1") }
      return .dynamic(ratio: ratio, maximum: try limit("sample_max_value", default: 1, from: 1))
    }
    guard kind == .ddpm || kind == .ddim, try fields.bool("clip_sample") ?? true else { return .none }
    return .fixed(limit: try limit("clip_sample_range", default: 1, from: 0))
  }

  private static func final(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) -> FinalLevel {
    switch kind {
    case .ddpm, .scoreSDE: return .clean
    case .ddim, .pndm: return try fields.bool("set_alpha_to_one") ?? (kind == .ddim) ? .clean : .firstTimestep
    case .dpmSolver, .euler, .unipc:
      return try fields.choice(
        "final_sigmas_type", of: [("zero", .clean), ("sigma_min", .firstTimestep)]) ?? .clean
    }
  }

  private static func sigmaRange(_ kind: Kind, _ fields: JSONFields) throws(ModelFileError) -> SigmaRange? {
    guard kind.keepsTrace else { return nil }
    let isKarras = try fields.bool("use_karras_sigmas") ?? false
    let isExponential = try fields.bool("use_exponential_sigmas") ?? false
    guard !(isKarras && isExponential) else {
      throw fields.error("use_exponential_sigmas", "use_karras_sigmas is true too: one of them is enough")
    }
    var (lowest, highest): (Double?, Double?)
    if kind != .dpmSolver { (lowest, highest) = (try fields.number("sigma_min"), try fields.number("sigma_max")) }
    guard isKarras || isExponential else { return nil }
    for (name, sigma) in [("sigma_min", lowest), ("sigma_max", highest)] {
      if let sigma, !(sigma > 0 && sigma <= 1e6) {
        throw fields.error(name, "\(sigma) is not above 0, and at most 1e6")
      }
    }
    if let lowest, let highest, lowest >= highest {
      throw fields.error("sigma_min", "\(lowest) is not below sigma_max, \(highest)")
    }
    return SigmaRange(spacing: isKarras ? .karras() : .exponential, lowest: lowest, highest: highest)
  }

  /// N, or fewer, where λ of the noisiest timesteps lies below a limit.
  private static func usedTimesteps(
    _ kind: Kind, _ fields: JSONFields, _ schedule: NoiseSchedule
  ) throws(ModelFileError) -> Int {
    let name = "lambda_min_clipped"
    guard kind == .dpmSolver, let value = fields[name] else { return schedule.count }
    if case .number(-.infinity) = value { return schedule.count }
    guard let limit = try fields.number(name) else { return schedule.count }
    let used = schedule.sigmas.count { -naturalLogarithm($0) >= limit }
    guard used > 0 else { throw fields.error(name, "\(limit) leaves no timestep") }
    return used
  }
}
