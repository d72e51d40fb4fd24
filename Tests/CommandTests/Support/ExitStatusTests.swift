import Testing

@testable import WeftCommand

@Suite struct ExitStatusTests {
  @Test func codesAreTheDocumentedOnes() {
    #expect(ExitStatus.success.rawValue == 0)
    #expect(ExitStatus.failure.rawValue == 1)
    #expect(ExitStatus.someLinesFailed.rawValue == 3)
    #expect(ExitStatus.usage.rawValue == 64)
  }

  @Test func failedLinesDecideTheEnd() {
    #expect(ExitStatus(failedLines: 0) == .success)
    #expect(ExitStatus(failedLines: 2) == .someLinesFailed)
  }
}
