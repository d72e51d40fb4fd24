/// Texts in which the small model finds something.
enum Samples {
  static let sentences = [
    "Mr. Reed met his aunt in London.",
    "The Bishop of London walked through Hyde Park with Mrs. Fairfax and her sister.",
    "It rained.",
    "Captain Ahab's ship, the Pequod, left Nantucket on a cold Christmas day.",
    "",
    "She asked the coachman whether the road to Thornfield Hall was dry.",
    "Elizabeth, as they drove along, watched for the first appearance of Pemberley Woods.",
    "Yes!",
    "My uncle's house in the village stood beside the church of St. Mary, near the river.",
    "The captain of the schooner laughed at the old sailor.",
  ]

  /// Characters that code points, UTF-16 units and bytes count differently: an emoji with a joiner,
  /// a combining mark, ideographs, a ligature, and a letter beyond the first plane.
  static let manyScripts = [
    "👩‍🚀 greeted Mr. Reed in London 🌧️.",
    "The cafe\u{301} of Mrs. Fairfax in Paris was full.",
    "漢字 and Captain Ahab in New York 東京 met.",
    "𝔐 told Elizabeth that ﬁne Mr. Darcy 😀😀 lives at Pemberley.",
    "Zürich naïve Señor Álvarez met Mr. Reed.",
  ]

  /// The texts as JSON lines, numbered from 0 in `id`.
  static func jsonLines(_ texts: [String]) -> String {
    texts.enumerated().map { "{\"id\": \($0), \"text\": \"\($1)\"}\n" }.joined()
  }

  /// Enough lines, of lengths that differ, for batches to be cut in many ways.
  static var manyLines: [String] {
    (0..<60).map { number in
      let text = (0...number % 4).map { sentences[(number + $0 * 3) % sentences.count] }
        .joined(separator: " ")
      return "{\"id\": \(number), \"text\": \"\(text)\"}"
    }
  }
}
