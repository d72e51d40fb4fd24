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

  /// What a table with levels is written as, and what tells two of them apart: not the time.
  @Test func levelsThatShareATimeAreDifferent() throws {
    let levels = [NoiseLevel(time: 10, alphaBar: 0.25), NoiseLevel(time: 10, alphaBar: 0.5)]
    let table = try GammaTable(zip(levels, [0.75, 0.5]).map { .init(at: $0, gamma: $1) })
    #expect(table.entries.compactMap(\.alphaBar) == [levels[1], levels[0]].map(\.alphaBar))
    for (level, gamma) in zip(levels, [0.75, 0.5]) {
      #expect(try table.gamma(at: level, interpolates: false) == gamma)
      // A hair beside it is the same level.
      #expect(try table.gamma(at: .init(time: 3, alphaBar: level.alphaBar * (1 + 1e-12)), interpolates: false) == gamma)
    }
    // Halfway in λ: ½ ln(ᾱ / (1 - ᾱ)) from 0 to -½ ln 3.
    let ratio = 1 / 3.0.squareRoot()
    let middle = NoiseLevel(time: 0, alphaBar: ratio / (1 + ratio))
    #expect(agree(try table.gamma(at: middle, interpolates: true), 0.625, 1e-12))
    #expect(throws: DiffusionError.self) { try table.gamma(at: middle, interpolates: false) }
    #expect(throws: DiffusionError.self) { try table.gamma(at: 10, interpolates: true) }
    for outside in [0.2, 0.6] {
      let level = NoiseLevel(time: 10, alphaBar: outside)
      #expect(throws: DiffusionError.self) { try table.gamma(at: level, interpolates: true) }
    }
    #expect(try GammaTable(json: table.json) == table)
    #expect(table.json.contains("\"version\": 2") && table.json.contains("[10.0, \(levels[0].alphaBar), 0.75]"))
    #expect(throws: DiffusionError.self) { try GammaTable([.init(at: levels[0], gamma: 1), .init(time: 1, gamma: 1)]) }
    #expect(throws: DiffusionError.self) {
      try GammaTable([.init(at: levels[0], gamma: 1), .init(at: levels[0], gamma: 0.9)])
    }
  }

  /// Karras' σ share rounded timesteps where they are close.
  @Test func spacingsThatRoundTimesHaveTables() throws {
    var method = SamplingMethod(.analyticDDPM, steps: 100)
    method.spacing = .karras
    let levels = try method.grid(prediction: .epsilon).levels.dropLast()
    #expect(Set(levels.map(\.time)).count < 100)
    let table = try GammaTable.gaussian(dataVariance: 0.25, levels: Array(levels))
    method.gamma = try GammaTable(json: table.json)
    method.drawsFinalNoise = true
    let ratio = try method.plan(prediction: .epsilon).outputVariance(GaussianModel()) / 0.25
    #expect(abs(ratio - 1) < 5e-7)
  }

  /// Not in the decoder's words.
  @Test(arguments: [
    ("", "not JSON"), ("[]", "not a JSON object"), ("{}", #"no "format""#), ("{", "cut short"),
    (#"{"format": "weft-gamma"}"#, #"no "version""#), (#"{"format": 1, "version": 1}"#, "not a text"),
    (#"{"format": "weft-gamma", "version": "a"}"#, "not a whole number"),
    (#"{"format": "weft-gamma", "version": 1}"#, #"no "entries""#),
    (#"{"format": "weft-gamma", "version": 1, "entries": 3}"#, "not a list"),
    (#"{"format": "weft-gamma", "version": 1, "entries": [[0, 1], [1, "a"]]}"#, "entry 1 is not a list of numbers"),
    (#"{"format": "weft-gamma", "version": 1, "entries": [[0, 1], 7]}"#, "entry 1 is not a list of numbers"),
    (#"{"format": "weft-gamma", "version": 2, "entries": [[0, 1]]}"#, "2 numbers instead of"),
    (#"{"format": "weft-gamma", "version": 2, "entries": [[0, 2, 0.5]]}"#, "ᾱ"),
    (#"{"format": "weft-gamma", "version": 3, "entries": []}"#, "versions 1 and 2"),
  ])
  func badFilesSayWhatIsWrong(json: String, words: String) {
    #expect {
      try GammaTable(json: json)
    } throws: {
      guard let error = $0 as? DiffusionError else { return false }
      return error.message.contains(words) && !error.message.contains("oding") && !error.message.contains("\n")
    }
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"format": "weft-gamma", "version": 1}"#,
    #"{"format": "other", "version": 1, "entries": [[0, 0.5]]}"#,
    #"{"format": "weft-gamma", "version": 2, "entries": [[0, 0.5]]}"#,
    #"{"format": "weft-gamma", "version": 2, "entries": [[0, 0.5, 0.5], [1, 0.5, 0.6]]}"#,
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
