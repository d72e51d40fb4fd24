internal import Foundation

/// Rotary position embedding (Su et al., "RoFormer", 2021), interleaved: channels `(2i, 2i + 1)` of a
/// vector at `position` turn by `position · 10000^(-2i / channels)` radians.
func rotated(_ vector: [Double], position: Int) -> [Double] {
  var result = vector
  for pair in 0..<vector.count / 2 {
    let angle = Double(position) * pow(10_000, -2 * Double(pair) / Double(vector.count))
    let (x, y) = (vector[2 * pair], vector[2 * pair + 1])
    result[2 * pair] = x * cos(angle) - y * sin(angle)
    result[2 * pair + 1] = x * sin(angle) + y * cos(angle)
  }
  return result
}
