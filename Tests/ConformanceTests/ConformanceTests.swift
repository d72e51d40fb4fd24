import Conformance
import Testing

/// Every backend passes the kit.
@Suite struct ConformanceTests {
  @Test func referencePasses() async throws {
    try await expectConformance(of: .reference)
  }

  @Test(.needsDevice, arguments: TestBackend.devices)
  func devicePasses(_ backend: TestBackend) async throws {
    try await expectConformance(of: backend)
  }

  private func expectConformance(of backend: TestBackend) async throws {
    let outcomes = await ConformanceKit.run(on: try backend.open())
    #expect(!outcomes.isEmpty)
    for outcome in outcomes {
      if let reason = outcome.failure { Issue.record("\(outcome.name): \(reason)") }
      if let reason = outcome.skip {
        print("\(backend.testDescription) skips \(outcome.name): \(reason)")
      }
    }
  }

  @Test func namesAreUnique() {
    let names = ConformanceKit.cases.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test func everyFamilyHasSmallCases() {
    let families = Set(ConformanceKit.cases.map(\.family))
    #expect(families.count >= 27)
    #expect(Set(ConformanceKit.cases.chosen(small: true).map(\.family)) == families)
  }

  @Test func filterChoosesByName() async {
    let outcomes = await ConformanceKit.run(
      on: UnusableBackend(), small: true, filter: "attention/one token")
    #expect(outcomes.map(\.name) == ["attention/one token"])
    #expect(outcomes.first?.failure?.contains("unusable") == true)
  }
}
