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
