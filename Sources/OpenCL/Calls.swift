internal import COpenCL
internal import Synchronization

/// Names the C function that gives an object back.
protocol CLReleasable {
  /// The function's name.
  static var releaseCall: StaticString { get }

  /// Drops one reference to the object and returns the status.
  static func release(_ pointer: OpaquePointer) -> Int32
}

/// Sole owner of one OpenCL object, released when the handle dies.
// Sendable: the standard makes objects usable from any thread, except a kernel whose arguments are
// being set; `Kernel` keeps that exception by setting them in mutating methods.
struct CLHandle<Kind: CLReleasable>: ~Copyable, @unchecked Sendable {
  /// Valid as long as the handle lives.
  let pointer: OpaquePointer

  /// Takes over the reference that a `clCreate…` call or an enqueued command handed out.
  init(adopting pointer: OpaquePointer) { self.pointer = pointer }

  deinit {
    let code = Kind.release(pointer)
    if code != CL_SUCCESS { FailedReleases.note(Kind.releaseCall, CLStatus(rawValue: code)) }
  }
}

enum ContextKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseContext"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseContext(pointer) }
}

enum MemoryKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseMemObject"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseMemObject(pointer) }
}

enum QueueKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseCommandQueue"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseCommandQueue(pointer) }
}

enum EventKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseEvent"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseEvent(pointer) }
}

enum ProgramKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseProgram"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseProgram(pointer) }
}

enum KernelKind: CLReleasable {
  static let releaseCall: StaticString = "clReleaseKernel"
  static func release(_ pointer: OpaquePointer) -> Int32 { clReleaseKernel(pointer) }
}

/// Failed releases: nothing is to be done about one, and no caller is there to be told, but a driver that refuses them
/// keeps memory. The first is reported.
package enum FailedReleases {
  private struct State {
    var report: (@Sendable (OpenCLError) -> Void)?
    var isReported = false
  }

  private static let state = Mutex(State())

  /// Chooses who is told of the first failed release of the process.
  package static func report(to report: @escaping @Sendable (OpenCLError) -> Void) {
    state.withLock { $0.report = report }
  }

  static func note(_ call: StaticString, _ status: CLStatus) {
    let report = state.withLock { state in
      defer { if state.report != nil { state.isReported = true } }
      return state.isReported ? nil : state.report
    }
    report?(OpenCLError(status: status, call: "\(call)"))
  }
}

/// Makes one C call and turns its status into a typed error. Every C call of this module that can
/// fail passes through here or through `create`, so a test can fail any one of them.
///
/// A forced failure skips `body`: like a real one, it leaves nothing behind.
///
/// - Parameters:
///   - call: the C function's name.
///   - detail: what a person needs to know; evaluated on failure only.
///   - body: makes the call and returns its status.
/// - Throws: any status but success.
@inline(__always)
func check(
  _ call: StaticString, _ detail: @autoclosure () -> String = "", _ body: () -> Int32
) throws(OpenCLError) {
  let code = FaultInjection.status(forcedOn: call) ?? body()
  guard code != CL_SUCCESS else { return }
  throw OpenCLError(status: CLStatus(rawValue: code), call: "\(call)", detail: detail())
}

/// `check` for the calls that return an object and report their status through a pointer.
///
/// - Returns: the object, which the caller now owns.
@inline(__always)
func create(
  _ call: StaticString, _ detail: @autoclosure () -> String = "",
  _ body: (UnsafeMutablePointer<Int32>) -> OpaquePointer?
) throws(OpenCLError) -> OpaquePointer {
  var object: OpaquePointer?
  try check(call, detail()) {
    var code: Int32 = CL_SUCCESS
    object = body(&code)
    // A driver that reports success without an object has none to give.
    return code == CL_SUCCESS && object == nil ? CL_OUT_OF_RESOURCES : code
  }
  guard let object else {
    throw OpenCLError(status: .outOfResources, call: "\(call)", detail: detail())
  }
  return object
}

/// One of the `clGet…Info` functions with its object and parameter already chosen: takes the size
/// of the answer in bytes, where to put it, and where to put the size it has.
typealias InformationQuery = (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32

/// Reads an answer of one number.
func readValue<Value: FixedWidthInteger & BitwiseCopyable>(
  _ call: StaticString, as type: Value.Type = Value.self, _ query: InformationQuery
) throws(OpenCLError) -> Value {
  var value: Value = 0
  try check(call) { query(MemoryLayout<Value>.size, &value, nil) }
  return value
}

/// Reads an answer whose size the driver knows: once for the size, once for the content.
func readArray<Element: FixedWidthInteger & BitwiseCopyable>(
  _ call: StaticString, of type: Element.Type = Element.self, _ query: InformationQuery
) throws(OpenCLError) -> [Element] {
  var byteCount = 0
  try check(call) { query(0, nil, &byteCount) }
  var elements = [Element](repeating: 0, count: byteCount / MemoryLayout<Element>.stride)
  guard !elements.isEmpty else { return [] }
  try check(call) {
    elements.withUnsafeMutableBytes { query($0.count, $0.baseAddress, nil) }
  }
  return elements
}

/// Reads text, without the terminating zero and the blanks some drivers pad names with.
func readString(
  _ call: StaticString, _ query: InformationQuery
) throws(OpenCLError) -> String {
  let bytes = try readArray(call, of: UInt8.self, query)
  return trimmed(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
}

/// `text` without blanks and line ends on either side.
func trimmed(_ text: String) -> String {
  let start = text.drop(while: \.isWhitespace)
  guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
  return String(start[...last])
}
