import Foundation

/// Scores as people read them.
enum ScoreText {
  /// Two decimals; of numbers too large for that, three digits.
  static func of(_ score: Double) -> String { String(format: abs(score) < 1e6 ? "%.2f" : "%.3g", score) }
}
