internal import COpenCL

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
