import OpenCL
import Testing

@Suite struct VersionTests {
  @Test(arguments: [
    ("OpenCL 3.0 PoCL HSTR: pthread", Version(3, 0)),
    ("OpenCL 1.2 CUDA", Version(1, 2)),
    ("OpenCL C 1.2 PoCL", Version(1, 2)),
    ("OpenCL 2.1.7", Version(2, 1)),
    ("OpenCL C", Version(0, 0)),
    ("", Version(0, 0)),
  ])
  func isReadFromADriversAnswer(text: String, version: Version) {
    #expect(Version(parsing: text) == version)
  }

  @Test func ordersByMajorThenMinor() {
    #expect(Version(0, 0) < Version(1, 2))
    #expect(Version(1, 2) < Version(2, 0))
    #expect(Version(1, 9) < Version(1, 10))
    #expect("\(Version(1, 2))" == "1.2")
  }
}
