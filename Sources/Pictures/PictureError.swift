/// A picture that cannot be made.
package enum PictureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libpng refused an image of this size; the message is its own.
  case png(width: Int, height: Int, message: String)
  /// There is nothing to draw: no samples, no points, an image without pixels.
  case empty(String)
  /// Values whose shape is not that of a batch of images.
  case shape([Int], problem: String)
  /// A picture of more pixels than ``Image/pixelLimit``.
  case tooLarge(width: Int, height: Int)
  /// A point that has no place on an axis; `index` counts from 0 within `series`.
  case point(series: String, index: Int, problem: String)

  /// One line for people.
  package var description: String {
    switch self {
    case .png(let width, let height, let message):
      "PNG of \(width) × \(height) pixels: \(message)"
    case .empty(let what): "nothing to draw: \(what)"
    case .shape(let shape, let problem): "shape \(shape): \(problem)"
    case .tooLarge(let width, let height):
      "a picture of \(width) × \(height) pixels is too large; draw fewer samples"
    case .point(let series, let index, let problem): "\(series): point \(index) \(problem)"
    }
  }
}
