import Engine
import Testing

/// Memory of no backend: validation looks at shapes alone.
private final class NoStorage: TensorStorage {
  let byteCount = 0
}

/// A tensor without memory.
func shaped(_ elementType: ElementType = .float32, _ shape: Int...) -> Tensor {
  Tensor(storage: NoStorage(), elementType: elementType, shape: shape)
}

/// Panels of 4 columns.
func shapedPanels(_ count: Int, heads: Int = 1, channels: Int, width: Int = 4) -> Panels {
  Panels(
    tensor: shaped(.float32, count, heads, channels, width), heads: heads, channels: channels,
    width: width)
}

/// A table of segments that counts panels of 4 columns.
func shapedTable(_ lengths: [Int], panelWidth: Int = 4, entries: Int? = nil) -> SegmentTable {
  SegmentTable(
    Segments(lengths: lengths), tensor: shaped(.int32, entries ?? lengths.count, 4),
    panelWidth: panelWidth)
}

/// One rule of an operation, broken by one change of a valid value.
struct BrokenRule<Value: Sendable>: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// What the message must say, so that no other rule answers.
  let complaint: String
  let change: @Sendable (inout Value) -> Void

  init(
    _ rule: String, says complaint: String, change: @escaping @Sendable (inout Value) -> Void
  ) {
    testDescription = rule
    self.complaint = complaint
    self.change = change
  }
}

/// Checks that an operation is accepted as it is, and refused with the change.
func expectRefusal<Value>(
  of rule: BrokenRule<Value>, in valid: Value, as operation: (Value) -> any DeviceOperation,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  var submission = Submission()
  #expect(throws: Never.self, sourceLocation: sourceLocation) {
    try submission.append(operation(valid))
  }
  var broken = valid
  rule.change(&broken)
  let error = #expect(throws: EngineError.self, sourceLocation: sourceLocation) {
    try submission.append(operation(broken))
  }
  #expect(error?.kind == .invalidOperation, sourceLocation: sourceLocation)
  #expect(
    error?.message.contains(rule.complaint) == true, "\(error?.message ?? "no message")",
    sourceLocation: sourceLocation)
  #expect(submission.operations.count == 1, sourceLocation: sourceLocation)
}
