/// Memory of one backend. A backend makes it, recognises its own, and frees it when the last tensor lets go.
package protocol TensorStorage: AnyObject, Sendable {
  var byteCount: Int { get }
}

/// A block of device memory, seen as an array with its last index running fastest.
///
/// A value without behaviour: what happens to it is said by operations. Its elements are undefined until an
/// upload or an operation has written them.
package struct Tensor: Sendable {
  package let storage: any TensorStorage
  package let elementType: ElementType
  /// Sizes of the dimensions, slowest first; all positive.
  package let shape: [Int]

  package init(storage: any TensorStorage, elementType: ElementType, shape: [Int]) {
    precondition(shape.allSatisfy { $0 > 0 })
    self.storage = storage
    self.elementType = elementType
    self.shape = shape
  }

  package var count: Int { shape.reduce(1, *) }

  /// Length of the last dimension.
  package var width: Int { shape.last ?? 1 }

  /// Number of rows of that length.
  package var rowCount: Int { count / width }
}

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
