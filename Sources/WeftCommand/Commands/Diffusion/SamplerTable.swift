import Diffusion

/// Every sampler in a line: what `weft sample --list` prints.
enum SamplerTable {
  static func render(on terminal: Terminal) -> String {
    var table = TextTable([.text("sampler"), .number("order"), .number("evaluations"), .text("noise"), .text("")])
    for name in SamplerName.allCases {
      let description = name.description
      table.addRow([
        name.rawValue, description.order.map { "\($0)" } ?? "-", "\(description.evaluationsPerStep)",
        description.isStochastic ? "yes" : "no", description.summary,
      ])
    }
    return table.render(on: terminal) + """

      order: of convergence to the exact flow; samplers that draw noise have none
      evaluations: of the denoiser, for each step; noise: whether steps draw it

      """
  }
}
