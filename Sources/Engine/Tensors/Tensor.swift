/// Memory of one backend. A backend makes it, recognises its own, and frees it when the last tensor lets go.
public protocol TensorStorage: AnyObject, Sendable {
  /// Bytes it takes.
  var byteCount: Int { get }
}

/// A block of device memory, seen as an array with its last index running fastest.
///
/// A value without behaviour: what happens to it is said by operations. Its elements are undefined until an
/// upload or an operation has written them.
public struct Tensor: Sendable {
  /// The memory; tensors may share it.
  public let storage: any TensorStorage
  /// What its elements are.
  public let elementType: ElementType
  /// Sizes of the dimensions, slowest first; all positive.
  public let shape: [Int]

  /// The same memory with another shape.
  public func reshaped(_ shape: Int...) -> Tensor { Tensor(storage: storage, elementType: elementType, shape: shape) }

  package init(storage: any TensorStorage, elementType: ElementType, shape: [Int]) {
    precondition(shape.allSatisfy { $0 > 0 })
    self.storage = storage
    self.elementType = elementType
    self.shape = shape
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Length of the last dimension.
  public var width: Int { shape.last ?? 1 }

  /// Number of rows of that length.
  public var rowCount: Int { count / width }
}

/// What one element of a tensor is. Weights stored as float16 or bfloat16 are widened when they are read.
public enum ElementType: String, Sendable, Hashable {
  /// IEEE 754, 32 bits.
  case float32
  /// Two's complement, 32 bits.
  case int32

  /// Bytes an element takes.
  public var byteCount: Int { 4 }
}

/// Elements in host memory, on their way to or from a device.
public enum HostArray: Sendable, Equatable {
  /// 32-bit floats.
  case float32([Float])
  /// 32-bit integers.
  case int32([Int32])

  /// Number of elements.
  public var count: Int {
    switch self {
    case .float32(let values): values.count
    case .int32(let values): values.count
    }
  }

  /// What the elements are.
  public var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .int32: .int32
    }
  }

  /// Calls `body` with the elements' bytes, valid during the call.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
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
  public var floats: [Float] { if case .float32(let values) = self { values } else { [] } }
  /// The values as integers; empty if they are not.
  public var integers: [Int32] { if case .int32(let values) = self { values } else { [] } }
}
