package import ModelFiles

/// A model's sampler, as the `scheduler_config.json` of a diffusers directory describes it: what it makes is a
/// `SamplingMethod`.
public struct SchedulerConfiguration: Sendable, Hashable {
  /// Timesteps that the model was trained with.
  public let trainingTimesteps: Int
  /// The noise that the model was trained with; nil for a process of continuous time.
  public let schedule: NoiseSchedule?
  /// What the network predicts.
  public let prediction: Prediction
  /// What is done to a predicted x0.
  public let clipping: Clipping
  private let ownClass: OwnClass
  private let spacing: SamplingMethod.Spacing
  private let stepsOffset: Int
  private let final: FinalLevel
  private let sigmaLevels: SamplingMethod.SigmaLevels?
  /// Timesteps that DPM-Solver starts below, where `lambda_min_clipped` leaves noisier ones out.
  private let usedTimesteps: Int
  private let tellsLogSigma: Bool

  /// What the class is called in diffusers.
  public var className: String { ownClass.name }

  /// Numbers of clean images: -1 … 1, except in Song et al.'s exploding process, whose images go from 0 to 1.
  public var imageRange: ClosedRange<Float> { ownClass.traits.isContinuous ? 0...1 : -1...1 }

  /// Whether the noise's variance comes from the network's second output.
  var needsSecondHead: Bool { ownClass.scheduler.method(steps: 1).needsSecondHead }

  /// The model's own sampler, with everything the file says about it.
  ///
  /// - Parameter steps: from noise to data.
  /// - Returns: the method.
  /// - Throws: `DiffusionError` if that many steps do not exist.
  public func method(steps: Int) throws(DiffusionError) -> SamplingMethod {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    var method = ownClass.scheduler.method(steps: steps)
    method.clipping = clipping
    if let schedule {
      method.schedule = .discrete(schedule)
      method.spacing = spacing
      method.timestepsOffset = stepsOffset
      method.final = final
      method.sigmaLevels = sigmaLevels
      method.usedTimesteps = usedTimesteps
      method.tellsLogSigma = tellsLogSigma
    }
    try ownClass.scheduler.complete(&method, prediction: prediction)
    return method
  }

  /// The levels that the model's sampler visits.
  ///
  /// - Parameter steps: how many steps.
  /// - Returns: the grid.
  /// - Throws: `DiffusionError` if that many steps do not exist.
  public func grid(steps: Int) throws(DiffusionError) -> TimeGrid {
    try method(steps: steps).grid(prediction: prediction)
  }

  /// Whether the model's sampler can take any number of steps. If not, its settings do not suit each other.
  public var canBePlanned: Bool {
    ([1, 2, 4, 10, 50] + [trainingTimesteps]).contains { steps in (try? plan(steps: steps)) != nil }
  }

  /// The coefficients of every step of the model's sampler.
  ///
  /// - Parameters:
  ///   - steps: from noise to data.
  ///   - strength: the part of the way that is gone, from the data's end; below 1 to start from an image.
  /// - Returns: the plan.
  /// - Throws: `DiffusionError` if that many steps do not exist, or the settings do not suit each other.
  public func plan(steps: Int, strength: Double = 1) throws(DiffusionError) -> SamplingPlan {
    var method = try method(steps: steps)
    method.strength = strength
    return try method.plan(prediction: prediction)
  }

  // MARK: Other samplers in place of the model's own

  /// What is done to x0 by a sampler that takes the place of the model's own, where nothing else is said: as the model's
  /// would, or ±1, with samplers that images are usually limited for.
  public func clipping(for sampler: SamplerName) -> Clipping {
    guard sampler.traits.clipping == .usual else { return .none }
    return ownClass.traits.clipping == .fixedOrDynamic ? clipping : .fixed(limit: 1)
  }

  /// Gives a sampler that takes the place of the model's own the noise that the network knows, and the places of steps
  /// that the model's files name, unless it has its own.
  public func adapt(_ method: inout SamplingMethod) {
    guard let schedule, method.name.traits.schedules.contains(.timesteps) else { return }
    // Where there is no signal, x0 does not follow from ε, and λ and σ are infinite.
    let isBare = schedule.alphasBar.last == 0 && !method.name.traits.startsWithoutSignal
    let kept = isBare ? try? NoiseSchedule(alphasBar: schedule.alphasBar.dropLast() + [0x1p-24]) : schedule
    method.schedule = .discrete(kept ?? schedule)
    if method.spacing == nil, method.timesteps == nil, method.sigmas == nil,
      method.name.traits.usualSpacing == .linspace
    {
      method.spacing = spacing
      method.timestepsOffset = stepsOffset
    }
    if method.final == nil, method.name.traits.keepsFinalLevel, case .setAlphaToOne = ownClass.traits.end {
      method.final = final
    }
    method.tellsLogSigma = tellsLogSigma
    let own = ownClass.scheduler.method(steps: method.steps)
    guard method.name == own.name else { return }
    if method.variance == nil { method.variance = own.variance }
    // A problem of the levels is met again when they are planned.
    if method.variance == own.variance { try? ownClass.scheduler.complete(&method, prediction: prediction) }
  }
}

/// The class of a file as part of a hashable value.
private struct OwnClass: Sendable, Hashable {
  let scheduler: any SchedulerClass
  var name: String { type(of: scheduler).name }
  var traits: SchedulerTraits { type(of: scheduler).traits }

  static func == (one: Self, other: Self) -> Bool { AnyHashable(one.scheduler) == AnyHashable(other.scheduler) }
  func hash(into hasher: inout Hasher) { scheduler.hash(into: &hasher) }
}

/// A scheduler class of diffusers, with the settings that it alone has. Each lies beside its sampler, and is listed in
/// SamplerTable.swift.
protocol SchedulerClass: Sendable, Hashable {
  /// What diffusers calls it.
  static var name: String { get }
  /// Which settings it shares with others.
  static var traits: SchedulerTraits { get }
  /// Reads its own settings.
  /// - Throws: `ModelFileError` naming the field that is out of bounds or unsupported.
  init(_ fields: JSONFields) throws(ModelFileError)
  /// The sampler with these settings; levels and limits are added to it.
  func method(steps: Int) -> SamplingMethod
  /// Sets what depends on the levels.
  func complete(_ method: inout SamplingMethod, prediction: Prediction) throws(DiffusionError)
}

extension SchedulerClass {
  func complete(_ method: inout SamplingMethod, prediction: Prediction) throws(DiffusionError) {}
}

/// Which settings a scheduler class shares with others. A file may hold others too: it may have been made for another class.
struct SchedulerTraits: Sendable, Hashable {
  /// Which settings limit x0.
  enum ClippingSettings: Sendable, Hashable {
    case none
    /// `thresholding`
    case dynamic
    /// `thresholding`, else `clip_sample`
    case fixedOrDynamic
  }

  /// Which setting says where samples end.
  enum End: Sendable, Hashable {
    case clean
    /// `set_alpha_to_one`
    case setAlphaToOne(usual: Bool)
    /// `final_sigmas_type`
    case finalSigmasType
  }

  /// Where the model's process is one of continuous time, all other settings are the class's own.
  var isContinuous = false
  /// The usual `timestep_spacing`.
  var spacing = SamplingMethod.Spacing.linspace
  var clipping = ClippingSettings.none
  var end = End.clean
  /// Whether `rescale_betas_zero_snr` is read.
  var rescalesBetas = true
  /// Whether λ of its levels, or σ̂, must be finite: a schedule without signal at its end keeps a trace of it, and levels
  /// may be spaced in σ (`use_karras_sigmas`, `use_exponential_sigmas`).
  var needsFiniteLambda = false
  /// Whether `sigma_min` and `sigma_max` are read, for levels spaced in σ.
  var takesSigmaEnds = false
  /// Whether levels spaced in σ that do not lead to clean data end at their own lowest.
  var endsAtLowestSigma = false
  /// Whether timesteps of Karras' σ are cut, not rounded, where `beta_schedule` is squaredcos_cap_v2.
  var cutsCosineTimes = false
  /// Whether `lambda_min_clipped` is read.
  var limitsLambda = false
  /// Whether `interpolation_type` and `timestep_type` are read.
  var interpolatesSigmas = false
}

// MARK: The file

extension SchedulerConfiguration {
  /// Reads `scheduler_config.json`. A field that is absent has the default of its class; one that asks for what Weft does
  /// not do is refused by its name, also one that no class has.
  /// - Throws: `ModelFileError` naming the field that is missing, out of bounds or unsupported.
  package init(file: String) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    guard let name = try fields.string("_class_name") else { throw fields.error("_class_name", "is missing") }
    guard let own = Self.classes.first(where: { $0.name == name }) else {
      let known = Self.classes.map { $0.name }.joined(separator: ", ")
      throw fields.error(
        "_class_name",
        "\(name.quoted) is not supported; \(known) are: name one that has the same noise there, and choose with --sampler"
      )
    }
    try self.init(own, fields)
  }

  private init(_ own: any SchedulerClass.Type, _ fields: JSONFields) throws(ModelFileError) {
    try Self.checkKnown(fields)
    let traits = own.traits
    trainingTimesteps = try Self.trainingTimesteps(fields) ?? (traits.isContinuous ? 2000 : 1000)
    if traits.isContinuous {
      (schedule, prediction, clipping, sigmaLevels) = (nil, .score, .none, nil)
      (spacing, stepsOffset, final, usedTimesteps) = (.linspace, 0, .clean, trainingTimesteps)
      tellsLogSigma = false
      ownClass = OwnClass(scheduler: try own.init(fields))
      return
    }
    let schedule = try Self.schedule(traits, fields, count: trainingTimesteps)
    self.schedule = schedule
    prediction = try Self.prediction(fields)
    clipping = try Self.clipping(traits, fields)
    let spacings: [SamplingMethod.Spacing] = [.leading, .trailing, .linspace]
    spacing = try fields.choice("timestep_spacing", of: spacings.map { ($0.rawValue, $0) }) ?? traits.spacing
    stepsOffset = try fields.integer("steps_offset", in: 0...trainingTimesteps - 1) ?? 0
    final = try Self.final(traits, fields)
    let range = try Self.sigmaRange(traits, fields)
    usedTimesteps = try Self.usedTimesteps(traits, fields, schedule)
    let isLogLinear = try fields.choice("interpolation_type", of: [("linear", false), ("log_linear", true)]) ?? false
    sigmaLevels = range.map { .range($0) } ?? (traits.interpolatesSigmas && isLogLinear ? .logLinear : nil)
    let isContinuous = try fields.choice("timestep_type", of: [("discrete", false), ("continuous", true)]) ?? false
    tellsLogSigma = traits.interpolatesSigmas && isContinuous && prediction == .vPrediction
    try Self.checkUnsupported(traits, fields)
    ownClass = OwnClass(scheduler: try own.init(fields))
    guard spacing != .trailing || usedTimesteps == trainingTimesteps else {
      throw fields.error("lambda_min_clipped", "with timestep_spacing trailing it is not supported")
    }
  }

  private static func schedule(
    _ traits: SchedulerTraits, _ fields: JSONFields, count: Int
  ) throws(ModelFileError) -> NoiseSchedule {
    let start = try fields.number("beta_start") ?? 1e-4
    let end = try fields.number("beta_end") ?? 0.02
    let name = try fields.string("beta_schedule") ?? "linear"
    let betas = try fields.numbers("trained_betas")
    let isRescaled = try fields.bool("rescale_betas_zero_snr") ?? false
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
      guard traits.rescalesBetas && isRescaled else { return schedule }
      return try schedule.zeroTerminalSNR(hasFloor: traits.needsFiniteLambda)
    } catch { throw fields.error(betas == nil ? "beta_schedule" : "trained_betas", error.message) }
  }

  private static func clipping(_ traits: SchedulerTraits, _ fields: JSONFields) throws(ModelFileError) -> Clipping {
    func limit(_ name: String, default value: Double, from least: Double) throws(ModelFileError) -> Double {
      let number = try fields.number(name) ?? value
      guard number >= least, number > 0, number <= 1e6 else {
        throw fields.error(name, "\(number) is out of range: at least \(least) and above 0")
      }
      return number
    }
    guard traits.clipping != .none else { return .none }
    if try fields.bool("thresholding") == true {
      let ratio = try fields.number("dynamic_thresholding_ratio") ?? 0.995
      guard ratio > 0, ratio <= 1 else { throw fields.error("dynamic_thresholding_ratio", "\(ratio) is not in 0 … 1") }
      return .dynamic(ratio: ratio, maximum: try limit("sample_max_value", default: 1, from: 1))
    }
    let (named, former) = (try fields.bool("clip_sample"), try fields.bool(Historic.clip))
    guard traits.clipping == .fixedOrDynamic, named ?? former ?? true else { return .none }
    return .fixed(limit: try limit("clip_sample_range", default: 1, from: 0))
  }

  private static func final(_ traits: SchedulerTraits, _ fields: JSONFields) throws(ModelFileError) -> FinalLevel {
    switch traits.end {
    case .clean: return .clean
    case .setAlphaToOne(let usual): return try fields.bool("set_alpha_to_one") ?? usual ? .clean : .firstTimestep
    case .finalSigmasType:
      return try fields.choice(
        "final_sigmas_type", of: [("zero", .clean), ("sigma_min", .firstTimestep)]) ?? .clean
    }
  }

  private static func sigmaRange(
    _ traits: SchedulerTraits, _ fields: JSONFields
  ) throws(ModelFileError) -> SamplingMethod.SigmaRange? {
    guard traits.needsFiniteLambda else { return nil }
    let isKarras = try fields.bool("use_karras_sigmas") ?? false
    let isExponential = try fields.bool("use_exponential_sigmas") ?? false
    guard !(isKarras && isExponential) else {
      throw fields.error("use_exponential_sigmas", "use_karras_sigmas is true too: one of them is enough")
    }
    var range = SamplingMethod.SigmaRange(
      isKarras ? .karras() : .exponential, endsAtLowest: traits.endsAtLowestSigma)
    if traits.takesSigmaEnds {
      (range.lowest, range.highest) = (try fields.number("sigma_min"), try fields.number("sigma_max"))
    }
    guard isKarras || isExponential else { return nil }
    let isCosine = try fields.string("beta_schedule") == "squaredcos_cap_v2"
    range.cutsTimes = traits.cutsCosineTimes && isKarras && isCosine
    for (name, sigma) in [("sigma_min", range.lowest), ("sigma_max", range.highest)] {
      if let sigma, !(sigma > 0 && sigma <= 1e6) {
        throw fields.error(name, "\(sigma) is not above 0, and at most 1e6")
      }
    }
    if let lowest = range.lowest, let highest = range.highest, lowest >= highest {
      throw fields.error("sigma_min", "\(lowest) is not below sigma_max, \(highest)")
    }
    return range
  }

  /// N, or fewer, where λ of the noisiest timesteps lies below a limit.
  private static func usedTimesteps(
    _ traits: SchedulerTraits, _ fields: JSONFields, _ schedule: NoiseSchedule
  ) throws(ModelFileError) -> Int {
    let name = "lambda_min_clipped"
    guard traits.limitsLambda, let value = fields[name] else { return schedule.count }
    if case .number(-.infinity) = value { return schedule.count }
    guard let limit = try fields.number(name) else { return schedule.count }
    let used = schedule.sigmas.count { -naturalLogarithm($0) >= limit }
    guard used > 0 else { throw fields.error(name, "\(limit) leaves no timestep") }
    return used
  }

  /// Refuses settings of levels that no sampler here has.
  private static func checkUnsupported(_ traits: SchedulerTraits, _ fields: JSONFields) throws(ModelFileError) {
    guard traits.needsFiniteLambda else { return }
    for name in ["use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting"] {
      if try fields.bool(name) == true { throw fields.error(name, "true is not supported") }
    }
  }

  private static func trainingTimesteps(_ fields: JSONFields) throws(ModelFileError) -> Int? {
    let count = try fields.integer("num_train_timesteps", in: 1...1_000_000)
    let former = try fields.integer(Historic.timesteps, in: 1...1_000_000)
    guard count == nil || former == nil || count == former else {
      throw fields.error(Historic.timesteps, "an old name of num_train_timesteps, which says otherwise: leave out one")
    }
    return count ?? former
  }

  private static func prediction(_ fields: JSONFields) throws(ModelFileError) -> Prediction {
    let named: Prediction? = try fields.choice(
      "prediction_type", of: [("epsilon", .epsilon), ("sample", .sample), ("v_prediction", .vPrediction)])
    // Before there was a name, a network predicted ε or else the sample.
    let predictsSample = try fields.bool(Historic.predictsEpsilon) == false
    guard !(predictsSample && named == .epsilon) else {
      throw fields.error(Historic.predictsEpsilon, "false, but prediction_type is 'epsilon': leave out one")
    }
    return named ?? (predictsSample ? .sample : .epsilon)
  }

  /// What files of early versions of diffusers hold, and later ones no longer have.
  private enum Historic {
    /// Before 0.9; false is today's `prediction_type` sample.
    static let predictsEpsilon = "predict_epsilon"
    /// Before 0.1 of `num_train_timesteps`.
    static let timesteps = "timesteps"
    /// Before 0.1 of `clip_sample`.
    static let clip = "clip_predicted_image"
    /// What never changed a sample: the arrays' library (before 0.4), a list that was only kept, and the numbers' type.
    static let idle = ["tensor_format", "timestep_values", "dtype"]
    static let all = [predictsEpsilon, timesteps, clip] + idle
  }

  /// Settings of classes of diffusers that are not known here: of consistency models, flow matching, EDM, SA-Solver and
  /// others that take a file of a class that is, and leave it their own.
  private static let foreign: Set<String> = [
    "base_image_seq_len", "base_shift", "clip_denoised", "corrector_order", "eta", "gamma", "invert_sigmas",
    "max_image_seq_len", "max_shift", "noise_sampler_seed", "original_inference_steps", "predictor_order", "rho",
    "s_churn", "s_max", "s_min", "s_noise", "set_alpha_to_zero", "shift", "sigma_data", "sigma_schedule",
    "snr_shift_scale", "stochastic_sampling", "tau_func", "timestep_scaling",
  ]

  /// The settings of all classes: a file may have been made for one and serve another, which does not read them.
  private static let known: Set<String> = foreign.union(Historic.all).union([
    "algorithm_type", "beta_end", "beta_schedule", "beta_start", "clip_sample", "clip_sample_range", "correct_steps",
    "disable_corrector", "dynamic_thresholding_ratio", "euler_at_final", "final_sigmas_type", "flow_shift",
    "interpolation_type", "lambda_min_clipped", "lower_order_final", "num_train_timesteps", "predict_x0",
    "prediction_type", "rescale_betas_zero_snr", "sample_max_value", "sampling_eps", "set_alpha_to_one",
    "shift_terminal", "sigma_max", "sigma_min", "skip_prk_steps", "snr", "solver_order", "solver_p", "solver_type",
    "steps_offset", "thresholding", "time_shift_type", "timestep_spacing", "timestep_type", "trained_betas",
    "use_beta_sigmas", "use_dynamic_shifting", "use_exponential_sigmas", "use_flow_sigmas", "use_karras_sigmas",
    "use_lu_lambdas", "variance_type",
  ])

  /// Refuses a setting that no class has, unless it is null or false.
  private static func checkKnown(_ fields: JSONFields) throws(ModelFileError) {
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
