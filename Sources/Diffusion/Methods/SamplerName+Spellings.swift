extension SamplerName {
  /// A sampler by one of the names it goes by elsewhere: `dpm++ 2m`, `DPMPP_2M`, `unipc`, `euler_a` …
  ///
  /// - Parameter text: the name; case, and whether words are joined by spaces, `-` or `_`, do not matter.
  public init?(spelled text: String) {
    let plain = String(
      text.lowercased().filter { !" -_".contains($0) }.map { $0 == "+" ? "p" : $0 })
    if let name = Self.allCases.first(where: { $0.rawValue.filter { $0 != "-" } == plain }) {
      self = name
    } else if let name = Self.spellings[plain] {
      self = name
    } else {
      return nil
    }
  }

  /// Other names, without what joins their words, and with p for +.
  private static let spellings: [String: SamplerName] = [
    "analyticdpm": .analyticDDPM, "nprdpm": .nprDDPM, "sndpm": .snDDPM,
    "dpmpp": .dpmSolver2M, "dpmpp1": .dpmSolver1, "dpmpp2m": .dpmSolver2M, "dpmpp3m": .dpmSolver3M,
    "dpmpp2s": .dpmSolver2S, "dpmsolver": .dpmSolver2M, "dpmsolverpp": .dpmSolver2M, "dpmsolverpp1": .dpmSolver1,
    "dpmsolverpp2m": .dpmSolver2M, "dpmsolverpp3m": .dpmSolver3M, "dpmsolverpp2s": .dpmSolver2S,
    "dpmpp2msde": .sdeDPMSolver, "sdedpmpp2m": .sdeDPMSolver, "sdedpmpp": .sdeDPMSolver,
    "sdedpmsolverpp": .sdeDPMSolver, "sdedpmsolverpp2m": .sdeDPMSolver,
    "unipc": .unipc2, "eulera": .eulerAncestral, "edmheun": .edm, "flow": .flowEuler, "flowmatching": .flowEuler,
    "pc": .predictorCorrector, "em": .eulerMaruyama,
  ]
}
