import ModelFiles

/// Images that Γ of a network is estimated over: of its size, or smaller by a whole factor.
struct GammaData {
  private let data: SampleData
  /// Rows and columns, of the data and of the network.
  private let size: (height: Int, width: Int)
  private let factor: Int

  /// - Parameters:
  ///   - name: a NumPy file of images, or DIGITS.
  ///   - shape: channels, rows and columns of the network's images.
  /// - Throws: `ModelFileError` if the file cannot be read or does not fit.
  init(_ name: String, shape: [Int]) throws {
    data = try SampleData(name)
    let channels = data.shape.count == 3 ? data.shape[0] : 1
    guard data.space.kind == .images, channels == shape[0] else {
      throw ModelFileError(
        file: name, problem: "samples of shape \(data.shape), where images of \(shape[0]) channels are expected")
    }
    let (height, width) = (data.shape[data.shape.count - 2], data.shape[data.shape.count - 1])
    guard shape[1].isMultiple(of: height), shape[2].isMultiple(of: width), shape[1] / height == shape[2] / width else {
      throw ModelFileError(
        file: name, problem: "images of \(height) × \(width) pixels, where the network's have \(shape[1]) × \(shape[2])"
      )
    }
    size = (height, width)
    factor = shape[1] / height
  }

  /// The images as the network has them: their range on that of `space`, and enlarged, bilinearly.
  func values(in space: SampleSpace) -> [Float] {
    let scaled = space.normalization.apply(data.space.brightness(data.space.restore(data.values)).map { ($0 + 1) / 2 })
    guard factor > 1 else { return scaled }
    let planes = scaled.count / (size.height * size.width)
    return (0..<planes).flatMap { enlarge(scaled[$0 * size.height * size.width..<($0 + 1) * size.height * size.width]) }
  }

  private func enlarge(_ plane: ArraySlice<Float>) -> [Float] {
    /// The two nearest pixels of a place, and the share of the second.
    func neighbours(_ place: Int, _ count: Int) -> (Int, Int, Float) {
      let position = max(0, (Float(place) + 0.5) / Float(factor) - 0.5)
      let low = min(Int(position), count - 1)
      return (low, min(low + 1, count - 1), position - Float(low))
    }
    var result: [Float] = []
    result.reserveCapacity(plane.count * factor * factor)
    for y in 0..<size.height * factor {
      let (top, bottom, down) = neighbours(y, size.height)
      for x in 0..<size.width * factor {
        let (left, right, across) = neighbours(x, size.width)
        func pixel(_ row: Int, _ column: Int) -> Float { plane[plane.startIndex + row * size.width + column] }
        let upper = pixel(top, left) * (1 - across) + pixel(top, right) * across
        let lower = pixel(bottom, left) * (1 - across) + pixel(bottom, right) * across
        result.append(upper * (1 - down) + lower * down)
      }
    }
    return result
  }
}
