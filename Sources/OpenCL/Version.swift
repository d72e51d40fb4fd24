/// A version of OpenCL or OpenCL C, such as 1.2.
package struct Version: Comparable, Hashable, Sendable, CustomStringConvertible {
  /// The part before the point.
  package let major: Int
  /// The part after the point.
  package let minor: Int

  /// The version `major.minor`.
  package init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Reads the first `number.number` of a driver's answer: `OpenCL 3.0 PoCL 3.1`, `OpenCL C 1.2`.
  ///
  /// - Returns: 0.0, older than any, where there is none.
  package init(parsing text: String) {
    for word in text.split(separator: " ") {
      let parts = word.split(separator: ".")
      if parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) {
        self.init(major, minor)
        return
      }
    }
    self.init(0, 0)
  }

  /// Such as `1.2`.
  package var description: String { "\(major).\(minor)" }

  /// Orders by the major part, then the minor.
  package static func < (left: Version, right: Version) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}
