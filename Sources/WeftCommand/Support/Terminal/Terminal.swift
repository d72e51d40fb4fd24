internal import Foundation

/// What a stream can show: looked up once, then a plain value, so that tests can choose it.
struct Terminal: Equatable, Sendable {
  enum Colours: Sendable { case none, sixteen, many }

  /// Columns.
  var width = 80
  var colours = Colours.none
  /// Whether a line can be erased and drawn again.
  var canRedraw = false
  /// Whether line-drawing characters can be expected to show.
  var isUnicode = true

  /// A file or a pipe: no colours, no redrawing.
  static let none = Terminal()

  /// Looks at a descriptor and at `TERM`, `COLORTERM`, `COLUMNS`, `NO_COLOR`, `CLICOLOR_FORCE` and
  /// the locale.
  init(
    describing descriptor: Int32,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.init(
      isTerminal: isatty(descriptor) == 1, columns: Self.columns(of: descriptor),
      environment: environment)
  }

  init(isTerminal: Bool, columns: Int?, environment: [String: String]) {
    let name = environment["TERM"] ?? ""
    let isForced = !(environment["CLICOLOR_FORCE"] ?? "").isEmpty
    let isCapable = isTerminal && name != "dumb"
    let stated = environment["COLUMNS"].flatMap { Int($0) } ?? 80
    width = min(max(columns ?? stated, 20), 1000)
    canRedraw = isCapable
    isUnicode = Self.localeHasUnicode(environment)
    if (environment["NO_COLOR"] ?? "").isEmpty, isCapable || isForced {
      let isRich = name.contains("256") || !(environment["COLORTERM"] ?? "").isEmpty
      colours = isRich ? .many : .sixteen
    }
  }

  init(width: Int = 80, colours: Colours = .none, canRedraw: Bool = false, isUnicode: Bool = true) {
    self.width = width
    self.colours = colours
    self.canRedraw = canRedraw
    self.isUnicode = isUnicode
  }

  /// The window's width now; it changes while a program runs.
  static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// An unset locale counts as Unicode: containers seldom set one, terminals seldom lack it.
  private static func localeHasUnicode(_ environment: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy
      .compactMap { environment[$0] }.first { !$0.isEmpty }
    guard let locale = locale?.lowercased() else { return true }
    return locale.contains("utf")
  }
}

/// A colour in both of the forms terminals understand.
struct Colour: Hashable, Sendable {
  /// In the palette of 256.
  var many: UInt8
  /// Among the 16: 30–37 or 90–97.
  var sixteen: UInt8

  static let accent = Colour(many: 37, sixteen: 36)
}

/// How a piece of text looks.
struct Style: Hashable, Sendable {
  var colour: Colour?
  var isBold = false
  var isDim = false

  static let plain = Style()
  static let bold = Style(isBold: true)
  static let dim = Style(isDim: true)

  /// Wraps `text` in the codes for this style, or leaves it alone where there is no colour.
  func apply(to text: String, colours: Terminal.Colours) -> String {
    guard colours != .none, self != .plain, !text.isEmpty else { return text }
    var codes: [String] = []
    if isBold { codes.append("1") }
    if isDim { codes.append("2") }
    if let colour {
      codes.append(colours == .many ? "38;5;\(colour.many)" : "\(colour.sixteen)")
    }
    return "\u{1B}[\(codes.joined(separator: ";"))m\(text)\u{1B}[0m"
  }
}
