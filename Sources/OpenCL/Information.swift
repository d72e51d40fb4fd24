internal import COpenCL

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
