import ArgumentParser
import Diffusion

/// What `--sampler` names: a sampler with planned steps, or the flow that chooses its own.
enum SamplerChoice: Equatable {
  case planned(SamplerName)
  case adaptive

  static let adaptiveName = "ode-rk45"

  /// By its own name, or one it goes by elsewhere, such as `euler_a` or `dpmpp_2m`.
  init(_ text: String) throws {
    if let name = SamplerName(spelled: text) {
      self = .planned(name)
    } else if ["oderk45", "rk45", "dopri5"].contains(text.lowercased().filter { !" -_".contains($0) }) {
      self = .adaptive
    } else {
      let names = SamplerName.allCases.map(\.rawValue) + [Self.adaptiveName]
      throw ValidationError("known are \(names.joined(separator: ", "))")
    }
  }
}

/// Every sampler in a line, and every option with the samplers it does something to: what `weft sample --list` prints.
enum SamplerTable {
  static func render(on terminal: Terminal) -> String {
    var table = TextTable([
      .text("sampler"), .number("order"), .number("evaluations"), .text("noise"), .text("needs"), .text(""),
    ])
    for name in SamplerName.allCases {
      let description = name.description
      table.addRow([
        name.rawValue, description.order.map { "\($0)" } ?? "-", "\(description.evaluationsPerStep)",
        description.isStochastic ? "yes" : "no", name.traits.needsSecondHead ? "2 outputs" : "",
        description.summary,
      ])
    }
    table.addRow([
      SamplerChoice.adaptiveName, "5", "6", "no", "",
      "the probability-flow ODE in t by Dormand and Prince, to a --tolerance; steps of its own for each sample",
    ])
    return table.render(on: terminal) + """

      order: of convergence to the exact flow; samplers that draw noise have none
      evaluations: of the denoiser, for each step; noise: whether steps draw it
      2 outputs: of a network (--model), which a data set's denoiser has not


      """ + options.render(on: terminal)
  }

  /// Options that not every sampler takes.
  private static var options: TextTable {
    var table = TextTable([.text("option"), .text("does something to")])
    func add(_ option: String, _ isTaker: (SamplerTraits) -> Bool) { table.addRow([option, takers(isTaker)]) }
    add("--schedule linear …") { $0.schedules.contains(.timesteps) }
    add("--schedule vp, ve, subvp") { $0.schedules.contains(.continuous) }
    add("--shift") { $0.schedules.contains(.flow) }
    add("--eta") { $0.eta != nil }
    for variance in SamplingMethod.Variance.allCases {
      add("--variance \(variance.rawValue)\(variance == .learned ? " (2 outputs)" : "")") {
        $0.variances.contains(variance)
      }
    }
    add("--clip, --threshold") { $0.clipping != .none }
    add("--final-noise") { $0.finalNoise != .never }
    add("--final-alpha-bar first") { $0.takesFinalLevel }
    table.addRow(["--tolerance", SamplerChoice.adaptiveName])
    return table
  }

  /// The samplers with a trait; of most of them those without.
  static func takers(_ isTaker: (SamplerTraits) -> Bool) -> String {
    let names = SamplerName.allCases.filter { isTaker($0.traits) }
    let others = SamplerName.allCases.filter { !isTaker($0.traits) }
    func list(_ names: [SamplerName]) -> String { names.map(\.rawValue).joined(separator: ", ") }
    return names.count <= others.count ? list(names) : "all but \(list(others))"
  }
}
