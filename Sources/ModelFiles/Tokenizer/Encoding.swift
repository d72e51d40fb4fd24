/// A text as token ids, with the place of each token in the text.
package struct Encoding: Hashable, Sendable {
  /// The ids, from CLS to SEP. Never cut: a text of any length is encoded whole.
  package internal(set) var ids: [Int32]
  /// For each id, the code points (Unicode scalars) of the original text that it stands for;
  /// `0..<0` for CLS and SEP.
  package internal(set) var offsets: [Range<Int>]

  /// The number of tokens, CLS and SEP included.
  package var count: Int { ids.count }

  mutating func append(_ id: Int32, _ range: Range<Int>) {
    ids.append(id)
    offsets.append(range)
  }
}
