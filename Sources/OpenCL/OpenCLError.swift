/// A failed OpenCL call: which one, with what status, and what a person needs to know.
package struct OpenCLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The code that the driver returned.
  package let status: CLStatus

  /// The C function's name, such as `clBuildProgram`; `command` when an enqueued command ended
  /// with an error of its own, long after the call that enqueued it had succeeded.
  package let call: String

  /// Sizes, names, a compiler's log: may be empty, may span lines.
  package let detail: String

  /// Describes a failure of `call`.
  package init(status: CLStatus, call: String, detail: String = "") {
    self.status = status
    self.call = call
    self.detail = detail
  }

  /// One line, or a line and an indented block when the detail has several.
  package var description: String {
    let headline = "\(call) failed with \(status)"
    return detail.isEmpty ? headline : "\(headline): \(detail)"
  }
}
