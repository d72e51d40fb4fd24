import Pictures

/// Runs `body`, which must throw a `PictureError`.
/// - Returns: The error; `nil` if something else happened.
func failure<Value>(of body: () throws -> Value) -> PictureError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? PictureError
  }
}

extension Image {
  /// A pixel's bytes.
  func pixel(_ x: Int, _ y: Int) -> [UInt8] {
    let offset = (y * width + x) * format.size
    return Array(pixels[offset..<offset + format.size])
  }
}
