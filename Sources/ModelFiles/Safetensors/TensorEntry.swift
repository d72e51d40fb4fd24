/// What a checkpoint says about one tensor.
package struct TensorEntry: Hashable, Sendable {
  /// The tensor's name.
  package let name: String
  /// The type of its elements.
  package let elementType: StoredType
  /// Its extents, outermost first; empty for a single number. Row major.
  package let shape: [Int]
  /// Its bytes within the file's data part, which follows the header.
  package let byteRange: Range<Int>

  /// The number of elements.
  package var count: Int { byteRange.count / elementType.size }
}
