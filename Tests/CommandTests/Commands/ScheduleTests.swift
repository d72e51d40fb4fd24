import Foundation
import Testing

/// `weft schedule`: the numbers against closed formulas, and where they go.
@Suite struct ScheduleTests {
  private func steps(_ arguments: String...) async throws -> [JSONObject] {
    let run = try await Weft.run(["schedule", "--json"] + arguments)
    #expect(run.status == 0 && run.errorText.isEmpty && run.lines.count == 1, "\(run.errorText)")
    return try run.object().objects("steps")
  }

  /// ᾱ of the linear schedule, computed here.
  private let linear: [Double] = {
    var product = 1.0
    return (0..<1000).map { index in
      product *= 1 - (1e-4 + Double(index) * (0.02 - 1e-4) / 999)
      return product
    }
  }()

  private func isClose(_ left: Double, _ right: Double) -> Bool {
    abs(left - right) <= 1e-11 * max(1, abs(left), abs(right))
  }

  @Test(arguments: ["0", "0.7", "1"])
  func ddimFollowsItsFormula(eta: String) async throws {
    let steps = try await steps("--sampler", "ddim", "--steps", "10", "--eta", eta)
    #expect(steps.count == 10)
    for (index, step) in steps.enumerated() {
      let timestep = (Double(9 - index) * 999 / 9).rounded(.toNearestOrEven)
      #expect(try step.number("timestep") == timestep)
      let bar = linear[Int(timestep)]
      let next = index == 9 ? 1 : linear[Int((Double(8 - index) * 999 / 9).rounded(.toNearestOrEven))]
      let variance = pow(try #require(Double(eta)), 2) * (1 - next) / (1 - bar) * (1 - bar / next)
      #expect(isClose(try step.number("alpha_bar"), bar))
      #expect(isClose(try step.number("alpha_bar_next"), next))
      #expect(isClose(try step.number("p"), 1 / bar.squareRoot()))
      #expect(isClose(try step.number("q"), -((1 - bar) / bar).squareRoot()))
      #expect(try step.number("A") == 0)
      #expect(isClose(try step.number("B0"), next.squareRoot()))
      #expect(isClose(try step.number("E"), max(0, 1 - next - variance).squareRoot()))
      #expect(isClose(try step.number("C"), variance.squareRoot()))
      #expect((step.members["history"] as? [Any])?.isEmpty == true && step.members["clip"] is NSNull)
    }
    #expect(try steps[9].number("alpha_bar_next") == 1)
  }

  @Test func ddpmFollowsItsFormula() async throws {
    for (variance, isLarge) in [("small", false), ("large", true)] {
      let steps = try await steps(
        "--sampler", "ddpm", "--steps", "7", "--variance", variance, "--clip", "1", "--final-noise")
      for step in steps {
        let (bar, next) = (try step.number("alpha_bar"), try step.number("alpha_bar_next"))
        let beta = 1 - bar / next
        let small = (1 - next) / (1 - bar) * beta
        #expect(isClose(try step.number("A"), (bar / next).squareRoot() * (1 - next) / (1 - bar)))
        #expect(isClose(try step.number("B0"), next.squareRoot() * beta / (1 - bar)))
        // V is clamped from below where it would vanish.
        let noise = try step.number("C")
        #expect(abs(noise - (isLarge ? beta : small).squareRoot()) < 1e-9)
        #expect(try step.number("clip") == 1)
      }
    }
  }

  @Test func theGaussiansVarianceIsItsOwn() async throws {
    let steps = try await steps(
      "--sampler", "analytic-ddpm", "--steps", "5", "--gaussian-variance", "0.25", "--final-noise")
    // One step after the other, the variance of x; the exact ε is linear in x.
    var variance = 1.0
    for (index, step) in steps.enumerated() {
      let (bar, a, b, c) = (
        try step.number("alpha_bar"), try step.number("A"), try step.number("B0"), try step.number("C")
      )
      // The chain starts from variance 1, not from ᾱ s² + 1 - ᾱ.
      if index == 0 { variance = bar * 0.25 + 1 - bar }
      let gain = bar.squareRoot() * 0.25 / (bar * 0.25 + 1 - bar)
      variance = pow(a + b * gain, 2) * variance + c * c
    }
    #expect(abs(variance / 0.25 - 1) < 1e-9)
  }

  @Test func numbersAreFiniteForEverySampler() async throws {
    let list = try await Weft.run("sample", "--list")
    let table = list.lines.dropFirst(2).prefix { !$0.isEmpty && !$0.hasPrefix("ode-rk45") }
    let names = table.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.count >= 31 && names.last == "ode-heun")
    for name in names {
      let gamma = name.hasPrefix("analytic") ? ["--gaussian-variance", "0.5"] : []
      for form in [["--json"], []] {
        let run = try await Weft.run(["schedule", "--sampler", name, "--steps", "6"] + gamma + form)
        #expect(run.status == 0 && !run.text.contains("nan") && !run.text.contains("inf"), "\(name): \(run.errorText)")
        guard !form.isEmpty else { continue }
        for step in try run.object().objects("steps") where try step.string("kind") == "update" {
          for key in ["timestep", "alpha_bar", "alpha_bar_next", "p", "q", "A", "B0", "E", "C"] {
            #expect(try step.number(key).isFinite)
          }
        }
      }
    }
  }

  @Test func noSignalAtTheEndNeedsAnotherPrediction() async throws {
    let exact = try await steps(
      "--sampler", "ddim", "--zero-snr", "--prediction", "v_prediction", "--spacing", "trailing", "--steps", "4")
    #expect(try exact[0].number("alpha_bar") == 0)
    let floor = try await steps("--sampler", "ddim", "--zero-snr", "--spacing", "trailing", "--steps", "4")
    #expect(try floor[0].number("alpha_bar") == 0x1p-24)
  }

  @Test func consistencyModelsAreAskedWhereTheyWereTrained() async throws {
    let times = try await steps("--sampler", "lcm", "--steps", "4").map { try $0.number("timestep") }
    #expect(times == [999, 759, 499, 259])
    let run = try await Weft.run("schedule", "--sampler", "lcm", "--steps", "51")
    #expect(run.status == 64 && run.errorText.contains("distilled"))
  }

  @Test func sigmasMayEndWithZero() async throws {
    let (one, other) = (
      try await Weft.run("schedule", "--json", "--sampler", "euler", "--sigmas", "5,1,0.1,0"),
      try await Weft.run("schedule", "--json", "--sampler", "euler", "--sigmas", "5,1,0.1")
    )
    #expect(one.status == 0 && one.text == other.text, "\(one.errorText)")
  }

  /// What the variance of x0 is limited to belongs to the data; normal data have no bounds.
  @Test func theAnalyticVariancesLimitIsSaid() async throws {
    let folder = try TemporaryFolder()
    func shown(_ arguments: String...) async throws -> (limit: Any?, text: String) {
      let all = ["schedule", "--sampler", "analytic-ddpm", "--steps", "3"] + arguments
      let json = try await Weft.run(all + ["--json"], directory: folder.path)
      let table = try await Weft.run(all, directory: folder.path)
      #expect(json.status == 0 && table.status == 0, "\(json.errorText)")
      return (try json.object().members["variance_limit"], table.text)
    }
    let free = try await shown("--gaussian-variance", "4")
    #expect(free.limit is NSNull && free.text.contains("variance of x0 not limited"))
    // The table's levels are those of the schedule.
    let levels = try await steps("--sampler", "analytic-ddpm", "--steps", "3", "--gaussian-variance", "1")
    let entries = try levels.map { "[\(try $0.number("timestep")), \(try $0.number("alpha_bar")), 0]" }
    for (range, limit) in [("", 1.0), (#""data_range": [-3, 5],"#, 16)] {
      let rows = entries.joined(separator: ",")
      _ = try folder.file("g.json", #"{"format": "weft-gamma", "version": 2, \#(range) "entries": [\#(rows)]}"#.utf8)
      let limited = try await shown("--gamma", "g.json")
      #expect(limited.limit as? Double == limit)
      #expect(limited.text.contains("variance of x0 limited to \(Int(limit))"))
    }
    let plain = try await Weft.run("schedule", "--sampler", "ddpm", "--json")
    #expect(try plain.object().members["variance_limit"] == nil)
  }

  /// A prediction from what is known already has no x0 of its own to limit.
  @Test func limitsAreSaidWhereThereAreSome() async throws {
    let corrected = try await steps("--sampler", "unipc-2", "--steps", "6", "--clip", "1")
    let evaluates = try corrected.map { try #require($0.members["evaluates"] as? Bool) }
    #expect(evaluates.contains(true) && evaluates.contains(false))
    for (step, evaluates) in zip(corrected, evaluates) { #expect((step.members["clip"] is NSNull) == !evaluates) }
    for (sampler, isLimited) in [("unipc-2", true), ("ddpm", true), ("euler-maruyama", false)] {
      let run = try await Weft.run(
        ["schedule", "--sampler", sampler, "--steps", "4"] + (isLimited ? ["--clip", "1"] : []))
      #expect(run.status == 0 && run.text.contains("x0 limited") == isLimited)
    }
  }

  @Test func tableHasALineForEachStep() async throws {
    let run = try await Weft.run("schedule", "--sampler", "ddim", "--timesteps", "900,500,100")
    #expect(run.status == 0 && run.lines.count == 2 + 3 + 1)
    #expect(run.lines[2].contains("900") && run.lines[4].contains("100"))
    #expect(run.lines.allSatisfy { $0.count <= 100 })
  }

  @Test func plotIsAVectorGraphic() async throws {
    let folder = try TemporaryFolder()
    for arguments in [[], ["--schedule", "ve", "--sampler", "ode-heun"], ["--sampler", "flow-euler"]] {
      let run = try await Weft.run(["schedule", "--output", "plot.svg"] + arguments, directory: folder.path)
      #expect(run.status == 0 && !run.output.isEmpty, "\(run.errorText)")
      let plot = try #require(folder.contents(of: "plot.svg"))
      #expect(plot.hasPrefix("<svg") && plot.contains("ᾱ") && plot.contains("Signal-to-noise"))
    }
    #expect(folder.names == ["plot.svg"])
  }

  static let wrong: [[String]] = [
    ["--steps", "0"], ["--steps", "2000"], ["--sampler", "ddim", "--eta", "2"], ["--sampler", "analytic-ddpm"],
    ["--sampler", "ddpm", "--variance", "analytic"], ["--gaussian-variance", "1"],
    ["--gamma", "a", "--gaussian-variance", "1"],
    ["--sampler", "analytic-ddpm", "--gaussian-variance", "-1"],
    ["--sampler", "flow-euler", "--prediction", "epsilon"],
    ["--sampler", "ddpm", "--prediction", "flow"], ["--prediction", "voodoo"], ["--strength", "0"],
    ["--output", "plot.png"], ["--output", "plot.pdf"], ["--sampler", "ode-rk45"],
    ["--sampler", "euler-maruyama", "--clip", "1"], ["--sampler", "lms", "--clip", "1"],
    ["--sampler", "flow-euler", "--final-alpha-bar", "first"],
  ]

  @Test(arguments: wrong)
  func wrongOptionsEndWith64(arguments: [String]) async throws {
    let folder = try TemporaryFolder()
    let output = arguments.contains("--output") ? [] : ["--output", "plot.svg"]
    let run = try await Weft.run(["schedule"] + output + arguments, directory: folder.path)
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.complaints.filter { $0.hasPrefix("Error: ") }.count == 1, "\(run.errorText)")
    #expect(folder.names.isEmpty)
  }

  @Test func placesThatCannotBeWritten() async throws {
    let run = try await Weft.run("schedule", "--output", "/no/such/folder/plot.svg")
    #expect(run.status == 1 && run.output.isEmpty && run.complaints.count == 1)
    let full = try await Weft.run("schedule", "--output", "/dev/full")
    #expect(full.status == 1 && full.errorText.contains("No space left"))
  }
}
