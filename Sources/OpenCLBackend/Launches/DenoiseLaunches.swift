internal import Engine

// A group of DN_GROUP work-items takes DN_RUN runs of blocks, see `Kernels/denoise/grid.clh`.

extension TileShape {
  /// Elements a work-group takes.
  fileprivate var sampleRun: Int { variant == .cpu ? 16 * 64 : 4 * 64 * 4 }

  fileprivate func groupsPerSample(_ batch: SampleBatch) -> Int { ceilingDivide(batch.elements, sampleRun) }
}

extension CoefficientRows {
  var arguments: [KernelLaunch.Argument] { [.tensor(table), .int(first), .int(stride)] }
}

extension PerSample {
  fileprivate func arguments(_ batch: SampleBatch) -> [KernelLaunch.Argument] {
    [.tensor(tensor), .int(isShared ? 0 : batch.elements)]
  }
}

extension DenoiseStep {
  func launch(_ shape: TileShape) -> KernelLaunch {
    var defines = shape.defines
    func set(_ name: String, _ value: Int) { if value != 0 { defines[name] = value } }
    if output == nil { defines["DN_EVALUATED"] = 0 }
    set("DN_HISTORY", history.count)
    set("DN_NOISE", noise == nil ? 0 : 1)
    set("DN_KEEP_X0", keptX0 == nil ? 0 : 1)
    set("DN_KEEP_EPSILON", keptEpsilon == nil ? 0 : 1)
    set("DN_VARIANCE", variance.rawValue)
    var thresholds = x
    switch clip {
    case .none: break
    case .fixed: set("DN_CLIP", 1)
    case .thresholds(let tensor):
      set("DN_CLIP", 2)
      thresholds = tensor
    }
    // What is compiled out still needs an argument: the sample stands in.
    func term(_ index: Int) -> Tensor { index < history.count ? history[index] : x }
    let groups = shape.groupsPerSample(batch)
    return KernelLaunch(
      spec: KernelSpec(source: "denoise/step.cl", entry: "denoise_step", defines: defines),
      arguments: coefficients.arguments + [
        .tensor(x), .tensor(output ?? x), .int(outputWidth), .tensor(next), .tensor(term(0)), .tensor(term(1)),
        .tensor(term(2)), .tensor(keptX0 ?? x), .tensor(keptEpsilon ?? x), .tensor(thresholds),
        .tensor(noise?.identities ?? x), .int(batch.elements), .int(groups), .int(noise?.step ?? 0),
        .int(noise?.stream.rawValue ?? 0),
      ],
      groups: [groups * batch.samples, 1, 1], groupSize: shape.rowGroup)
  }
}

extension NoiseDraw {
  func launch(_ shape: TileShape) -> KernelLaunch {
    var defines = shape.defines
    if base != nil { defines["DN_BASE"] = 1 }
    if mask != nil { defines["DN_MASK"] = 1 }
    let none = PerSample(out, isShared: true)
    let groups = shape.groupsPerSample(batch)
    return KernelLaunch(
      spec: KernelSpec(source: "denoise/noise.cl", entry: "draw_noise", defines: defines),
      arguments: coefficients.arguments + [.tensor(noise.identities)] + (base ?? none).arguments(batch)
        + (mask ?? none).arguments(batch) + [
          .tensor(out), .int(batch.elements), .int(groups), .int(noise.step), .int(noise.stream.rawValue),
        ],
      groups: [groups * batch.samples, 1, 1], groupSize: shape.rowGroup)
  }
}

extension LangevinStep {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "denoise/langevin.cl", entry: "langevin_step", defines: shape.defines),
      arguments: coefficients.arguments + [
        .tensor(x), .tensor(output), .int(outputWidth), .tensor(noise.identities), .int(batch.elements),
        .int(noise.step), .int(noise.stream.rawValue), .float(signalToNoise), .float(factor),
      ],
      groups: [batch.samples, 1, 1], groupSize: shape.rowGroup)
  }
}

extension SampleSum {
  func launch(_ shape: TileShape) -> KernelLaunch {
    var defines = shape.defines
    let arguments: [KernelLaunch.Argument]
    switch summand {
    case .product(let a, let b):
      arguments = [.tensor(a), .tensor(b), .tensor(b), .tensor(out), .int(batch.elements), .float(0), .float(0)]
    case .scaledError(let error, let from, let to, let absolute, let relative):
      defines["DN_SUM"] = 1
      arguments = [
        .tensor(error), .tensor(from), .tensor(to), .tensor(out), .int(batch.elements), .float(absolute),
        .float(relative),
      ]
    }
    return KernelLaunch(
      spec: KernelSpec(source: "denoise/sample_sum.cl", entry: "sample_sum", defines: defines), arguments: arguments,
      groups: [batch.samples, 1, 1], groupSize: shape.rowGroup)
  }
}

extension AbsoluteQuantile {
  func launch(_ shape: TileShape) -> KernelLaunch {
    let position = position
    return KernelLaunch(
      spec: KernelSpec(source: "denoise/quantile.cl", entry: "absolute_quantile", defines: shape.defines),
      arguments: coefficients.arguments + [
        .tensor(x), .tensor(output), .int(outputWidth), .tensor(out), .int(batch.elements), .int(position.rank),
        .float(position.fraction),
      ],
      groups: [batch.samples, 1, 1], groupSize: shape.rowGroup)
  }
}
