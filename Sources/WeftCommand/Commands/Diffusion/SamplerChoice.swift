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
