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

  /// The data's range says how far apart numbers can be. Files without one are of images.
  @Test func theRangeLimitsTheVariance() throws {
    let levels = [NoiseLevel(time: 999, alphaBar: 4e-5), NoiseLevel(time: 500, alphaBar: 0.08)]
    let none = levels.map { GammaTable.Entry(at: $0, gamma: 0) }
    let grid = TimeGrid(levels: levels + [NoiseLevel(time: -1, alpha: 1, sigma: 0)], initialScale: 1)
    let base = try DDPM().plan(grid).updates[0]
    for (range, limit) in [(-1.0...1.0, 1.0), (0...1, 0.25), (-10...4, 49)] as [(ClosedRange<Double>, Double)] {
      let table = try GammaTable(none, dataRange: range)
      #expect(table.varianceLimit == limit)
      #expect(try GammaTable(json: table.json) == table)
      let update = try AnalyticDPM(.ddpm, .table(table, interpolates: false)).plan(grid).updates[0]
      // With Γ = 0 c would be (1 - ᾱ) / ᾱ.
      #expect(agree(update.noise * update.noise, base.noise * base.noise + base.x0 * base.x0 * limit, 1e-12))
    }
    let free = try GammaTable(none, dataRange: nil, dataVariance: 7)
    #expect(free.varianceLimit == nil && free.json.contains("\"data_range\": null"))
    #expect(try GammaTable(json: free.json) == free)
    let update = try AnalyticDPM(.ddpm, .table(free, interpolates: false)).plan(grid).updates[0]
    let c = (1 - 4e-5) / 4e-5
    #expect(agree(update.noise * update.noise, base.noise * base.noise + base.x0 * base.x0 * c, 1e-12))
    let old = try GammaTable(json: #"{"format": "weft-gamma", "version": 1, "entries": [[0, 0.5]]}"#)
    #expect(old.dataRange == -1...1)
    for bad in ["[1]", "[2, 1]", "3", #""a""#] {
      #expect {
        try GammaTable(json: #"{"format": "weft-gamma", "version": 1, "data_range": \#(bad), "entries": [[0, 0.5]]}"#)
      } throws: { ($0 as? DiffusionError)?.message.contains("data_range") == true }
    }
  }

  /// Without signal Γ says nothing, and the data's variance all.
  @Test func withoutSignalTheVarianceIsTheDatas() throws {
    var method = SamplingMethod(.analyticDDPM, steps: 5)
    method.schedule = .discrete(try NoiseSchedule.linear().zeroTerminalSNR())
    let levels = try method.grid(prediction: .vPrediction).levels
    #expect(levels[0].alpha == 0)
    method.gamma = try .gaussian(dataVariance: 4, levels: levels.dropLast())
    let first = try method.plan(prediction: .vPrediction).updates[0]
    #expect(agree(first.noise * first.noise, first.next.alphaBar * 4 + 1 - first.next.alphaBar, 1e-12))
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
