import ModelFiles

/// Images that Γ of a network is estimated over: of its size, or enlarged to it.
struct GammaData {
  private let data: SampleData
  private let source: (height: Int, width: Int)
  private let target: (height: Int, width: Int)

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
    source = (data.shape[data.shape.count - 2], data.shape[data.shape.count - 1])
    target = (shape[1], shape[2])
    guard target.height.isMultiple(of: source.height), target.width.isMultiple(of: source.width),
      target.height / source.height == target.width / source.width
    else {
      throw ModelFileError(
        file: name,
        problem: "images of \(source.height) × \(source.width) pixels, where the network's have "
          + "\(target.height) × \(target.width)")
    }
  }

  /// The images as the network has them: the data's range becomes that of `space`.
  func values(in space: SampleSpace) -> [Float] {
    let bright = data.space.brightness(data.space.restore(data.values))
    let values = space.normalization.apply(bright.map { ($0 + 1) / 2 })
    return source == target ? values : BilinearResize(from: source, to: target).apply(values)
  }
}
