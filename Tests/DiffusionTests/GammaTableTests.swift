import Testing

@testable import Diffusion

@Suite struct GammaTableTests {
  private func table() throws -> GammaTable {
    try GammaTable([.init(time: 10, gamma: 0.2), .init(time: 0, gamma: 1e-5), .init(time: 30, gamma: 1.0 / 3)])
  }

  @Test func jsonRoundTrips() throws {
    let table = try table()
    #expect(try GammaTable(json: table.json) == table)
    #expect(table.entries.map(\.time) == [0, 10, 30])
    #expect(
      table.json == """
        {
          "format": "weft-gamma",
          "version": 1,
          "entries": [
            [0.0, 1e-05],
            [10.0, 0.2],
            [30.0, 0.3333333333333333]
          ]
        }

        """)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"format": "weft-gamma", "version": 1}"#,
    #"{"format": "other", "version": 1, "entries": [[0, 0.5]]}"#,
    #"{"format": "weft-gamma", "version": 2, "entries": [[0, 0.5]]}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": []}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": [[0]]}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": [[0, 0.5], [0, 0.6]]}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": [[0, -0.5]]}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": [[0, "a"]]}"#,
    #"{"format": "weft-gamma", "version": 1, "entries": [[0, 0.5]"#,
  ])
  func badFilesAreRefused(json: String) {
    #expect { try GammaTable(json: json) } throws: { ($0 as? DiffusionError)?.kind == .invalidData }
  }

  @Test func lookUp() throws {
    let table = try table()
    #expect(try table.gamma(at: 10, interpolates: false) == 0.2)
    #expect(agree(try table.gamma(at: 15, interpolates: true), 0.2 + (1.0 / 3 - 0.2) / 4, 1e-14))
    #expect(throws: DiffusionError.self) { try table.gamma(at: 15, interpolates: false) }
    // Nothing is known beyond the ends.
    for time in [-1.0, 31, .nan] {
      #expect(throws: DiffusionError.self) { try table.gamma(at: time, interpolates: true) }
    }
  }

  @Test func aPlanNeedsEveryTimestep() throws {
    let grid = try TimeGrid.discrete(.linear(), timesteps: [20, 10, 0])
    let required = AnalyticDPM(.ddpm, .table(try table(), interpolates: false))
    #expect(throws: DiffusionError.self) { try required.plan(grid) }
    let plan = try AnalyticDPM(.ddpm, .table(try table(), interpolates: true)).plan(grid)
    #expect(plan.updates.count == 3)
  }
}
