import Engine
import Testing

/// The rules of uploads and downloads.
@Suite struct OperationValidationTransferTests {
  private func expectInvalid(
    _ body: (inout Submission) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var submission = Submission()
    let error = #expect(throws: EngineError.self, sourceLocation: sourceLocation) {
      try body(&submission)
    }
    #expect(error?.kind == .invalidOperation, sourceLocation: sourceLocation)
    #expect(submission.uploads.isEmpty && submission.downloads.isEmpty)
  }

  @Test func uploadsFit() throws {
    let tensor = shaped(.float32, 2, 3)
    var submission = Submission()
    try submission.upload(.float32([1, 2]), to: tensor)
    #expect(submission.uploads.count == 1)
    expectInvalid { try $0.upload(.float32([1, 2, 3, 4, 5, 6, 7]), to: tensor) }
    expectInvalid { try $0.upload(.int32([1]), to: tensor) }
  }

  @Test func downloadsFit() throws {
    let tensor = shaped(.int32, 2, 3)
    var submission = Submission()
    #expect(try submission.download(tensor) == 0)
    #expect(try submission.download(tensor, count: 6) == 1)
    #expect(submission.downloads.map(\.count) == [6, 6])
    expectInvalid { try $0.download(tensor, count: 0) }
    expectInvalid { try $0.download(tensor, count: -1) }
    expectInvalid { try $0.download(tensor, count: 7) }
  }
}
