/// The encoder's output for windows of text, made once: what heads are trained on.
package protocol FeatureSource: Sendable {
  /// The width of a row.
  var hiddenSize: Int { get }
  /// Tokens of each window, a row a token.
  var lengths: [Int] { get }

  /// Copies a window's rows, CLS first.
  /// - Parameters:
  ///   - window: the window's number.
  ///   - buffer: room for `lengths[window] · hiddenSize` floats at least.
  func copyRows(of window: Int, into buffer: UnsafeMutableBufferPointer<Float>)
}

extension FeatureSource {
  /// A window's rows, `[tokens, hiddenSize]`, CLS first.
  package func rows(of window: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: lengths[window] * hiddenSize) { buffer, initialized in
      copyRows(of: window, into: buffer)
      initialized = lengths[window] * hiddenSize
    }
  }
}

/// How features are stored.
public enum FeaturePrecision: String, Sendable, Hashable, Codable, CaseIterable {
  /// As the encoder gives them.
  case float32
  /// Rounded to nearest, in half the room.
  case float16

  /// Bytes an element takes.
  var byteCount: Int { self == .float32 ? 4 : 2 }
}
