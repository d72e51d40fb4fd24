/// Elements in host memory, on their way to or from a device.
package enum HostArray: Sendable, Equatable {
  case float32([Float])
  case int32([Int32])

  package var count: Int {
    switch self {
    case .float32(let values): values.count
    case .int32(let values): values.count
    }
  }

  package var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .int32: .int32
    }
  }

  /// Calls `body` with the elements' bytes, valid during the call.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    switch self {
    case .float32(let values): values.withUnsafeBytes(body)
    case .int32(let values): values.withUnsafeBytes(body)
    }
  }

  /// Copies elements out of raw memory.
  package init(_ elementType: ElementType, copying bytes: UnsafeRawBufferPointer) {
    switch elementType {
    case .float32: self = .float32([Float](bytes.bindMemory(to: Float.self)))
    case .int32: self = .int32([Int32](bytes.bindMemory(to: Int32.self)))
    }
  }

  /// The values as floats; empty if they are not.
  package var floats: [Float] { if case .float32(let values) = self { values } else { [] } }
  /// The values as integers; empty if they are not.
  package var integers: [Int32] { if case .int32(let values) = self { values } else { [] } }
}
