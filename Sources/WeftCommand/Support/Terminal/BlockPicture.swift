/// Images on a terminal, two rows of pixels in a line: half blocks in colour, or shades of ink.
struct BlockPicture {
  private static let gap = 2

  private let values: [Float]
  private let channels: Int
  private let height: Int
  private let width: Int
  private let terminal: Terminal

  /// - Parameters:
  ///   - values: images one after the other, from -1, dark, to 1, bright.
  ///   - shape: of one: `[H, W]` or `[C, H, W]`.
  ///   - terminal: where they are shown.
  init(_ values: [Float], shape: [Int], terminal: Terminal) {
    self.values = values
    channels = shape.count == 3 ? shape[0] : 1
    height = shape[shape.count - 2]
    width = shape[shape.count - 1]
    self.terminal = terminal
  }

  /// The images side by side, as many as fit a line.
  /// - Parameter rowLimit: the most rows of images; what does not fit is left out.
  /// - Returns: lines, each ended by a line break.
  func render(rowLimit: Int) -> String {
    let count = values.count / (channels * height * width)
    let columns = max(1, (terminal.width + Self.gap) / (width + Self.gap))
    let rows = min(rowLimit, (count + columns - 1) / columns)
    var text = ""
    for row in 0..<rows {
      if row > 0 { text += "\n" }
      let images = row * columns..<min(count, (row + 1) * columns)
      for line in stride(from: 0, to: height, by: 2) {
        let cells = images.map { image in
          (0..<width).map { cell(image, line, $0) }.joined() + (terminal.colours == .many ? "\u{1B}[0m" : "")
        }
        text += cells.joined(separator: String(repeating: " ", count: Self.gap)) + "\n"
      }
    }
    return text
  }

  /// A pixel over the one below it.
  private func cell(_ image: Int, _ row: Int, _ column: Int) -> String {
    let upper = pixel(image, row, column)
    let lower = row + 1 < height ? pixel(image, row + 1, column) : nil
    if terminal.colours == .many && terminal.isUnicode {
      let below = lower.map { "48;5;\(Self.code($0))" } ?? "49"
      return "\u{1B}[38;5;\(Self.code(upper));\(below)m▀"
    }
    let both = upper + (lower ?? upper)
    let ramp = Array(terminal.isUnicode ? " ░▒▓█" : " .:-=+*#%@")
    let brightness = both.reduce(0, +) / Float(both.count)
    return String(ramp[min(ramp.count - 1, Int(brightness * Float(ramp.count)))])
  }

  /// The channels of a pixel, 0 … 1.
  private func pixel(_ image: Int, _ row: Int, _ column: Int) -> [Float] {
    (0..<channels).map { channel in
      let value = values[((image * channels + channel) * height + row) * width + column]
      return value.isNaN ? 0 : (min(max(value, -1), 1) + 1) / 2
    }
  }

  /// The nearest of a terminal's 256 colours: its ramp of greys, or its cube.
  private static func code(_ pixel: [Float]) -> Int {
    guard pixel.count == 3 else {
      let grey = Int((pixel[0] * 25).rounded())
      return grey == 0 ? 16 : grey == 25 ? 231 : 231 + grey
    }
    return pixel.reduce(0) { $0 * 6 + Int(($1 * 5).rounded()) } + 16
  }
}
