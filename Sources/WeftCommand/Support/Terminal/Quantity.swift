internal import Foundation

/// Numbers as people read them; the same in every locale.
enum Quantity {
  /// `1,234,567`
  static func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (count < 0 ? "-" : "") + text
  }

  /// Three significant digits: `0.42`, `7.3`, `312`, `61.2k`, `4.51M`.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = abs(value)
    if magnitude >= 999.5e6 { return digits(value / 1e9) + "G" }
    if magnitude >= 999.5e3 { return digits(value / 1e6) + "M" }
    if magnitude >= 999.5 { return digits(value / 1e3) + "k" }
    return digits(value)
  }

  /// `0:07`, `12:34`, `1:02:03`, `3 d 4 h`.
  static func clock(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "–" }
    let total = Int(max(seconds, 0).rounded(.up))
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    if hours >= 48 { return "\(hours / 24) d \(hours % 24) h" }
    let tail = (rest < 10 ? "0" : "") + "\(rest)"
    return hours == 0
      ? "\(minutes):\(tail)" : "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)"
  }

  private static func digits(_ value: Double) -> String {
    let magnitude = abs(value)
    let places = magnitude >= 99.95 || magnitude == 0 ? 0 : magnitude >= 9.995 ? 1 : 2
    return String(format: "%.\(places)f", value)
  }
}
