/// What one element of a tensor is. Weights stored as float16 or bfloat16 are widened when they are read.
public enum ElementType: String, Sendable, Hashable {
  case float32
  case int32

  /// Bytes an element takes.
  public var byteCount: Int { 4 }
}
