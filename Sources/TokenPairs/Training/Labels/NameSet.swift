/// The names that stand in a data set. Swift takes "é" in one code point and in two for the same string; which of them a
/// model would show, and in which order, would then hang on chance, so a data set must spell a name in one way.
struct NameSet {
  private let noun: String
  /// Each name by itself, as it is spelt.
  private var spellings: [String: String] = [:]

  /// - Parameter noun: what messages call a name.
  init(noun: String) { self.noun = noun }

  var isEmpty: Bool { spellings.isEmpty }

  /// By their bytes of UTF-8: the same order in every locale and language.
  var sorted: [String] { spellings.values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// - Parameters:
  ///   - name: a name.
  ///   - document: where it stands, from 0.
  /// - Throws: `TrainingError` if it is empty, or spelt in another way elsewhere.
  mutating func insert(_ name: String, _ document: Int) throws(TrainingError) {
    guard !name.isEmpty else { throw TrainingError("document \(document + 1): a \(noun) is empty") }
    let spelling = spellings[name] ?? name
    guard spelling.utf8.elementsEqual(name.utf8) else {
      throw TrainingError(
        "document \(document + 1): the \(noun) \"\(name)\" is written \(Self.codePoints(name)), and elsewhere "
          + "\(Self.codePoints(spelling)), which looks the same; write it in one way")
    }
    spellings[name] = spelling
  }

  private static func codePoints(_ name: String) -> String {
    name.unicodeScalars.map { "U+" + String($0.value, radix: 16, uppercase: true) }.joined(separator: " ")
  }
}
