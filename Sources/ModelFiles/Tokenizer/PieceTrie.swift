/// The vocabulary as a trie over bytes, for the longest piece that begins at a place.
///
/// The edges live in one open-addressed hash table, so that a step costs one look-up whatever the
/// fan-out. Bytes rather than strings: `String` compares by canonical equivalence, a vocabulary
/// does not.
struct PieceTrie: Sendable {
  /// A place in the trie.
  typealias Node = UInt32

  /// Where every piece begins.
  static let root: Node = 0
  /// Nodes are numbered below this; an edge's key packs a node and a byte into 32 bits.
  static let nodeLimit = 1 << 24

  /// Edges: the key (node and byte) above, the child below; 0 marks a free slot, as no edge leads
  /// to the root. The count is a power of two, at most half of it used.
  private var slots: [UInt64]
  /// The id of the piece that ends at each node, or -1.
  private var ids: [Int32] = [-1]

  /// An empty trie.
  init() { slots = Array(repeating: 0, count: 1 << 12) }

  /// Adds a piece or gives it another id.
  /// - Returns: Whether there was room; a trie has at most `nodeLimit` nodes.
  mutating func insert(_ piece: String, id: Int32) -> Bool {
    var node = Self.root
    for byte in piece.utf8 {
      if let child = child(of: node, byte) {
        node = child
      } else {
        guard ids.count < Self.nodeLimit else { return false }
        node = addChild(of: node, byte)
      }
    }
    ids[Int(node)] = id
    return true
  }

  /// The place that a text leads to; `nil` if no piece begins with it.
  func node(after text: String) -> Node? {
    var node = Self.root
    for byte in text.utf8 {
      guard let child = child(of: node, byte) else { return nil }
      node = child
    }
    return node
  }

  /// The id of a piece; `nil` if it is not in the vocabulary.
  func id(of piece: String) -> Int32? {
    guard let node = node(after: piece), ids[Int(node)] >= 0 else { return nil }
    return ids[Int(node)]
  }

  /// The longest piece.
  /// - Parameters:
  ///   - bytes: The text.
  ///   - range: Where the piece begins and the last place at which it may end.
  ///   - start: The node that stands for what precedes the text.
  /// - Returns: The piece's id and its end, or `nil` if no piece of one byte or more fits.
  @inline(__always)
  func longestPiece(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, from start: Node
  ) -> (id: Int32, end: Int)? {
    var best: (id: Int32, end: Int)?
    var node = start
    for index in range {
      guard let child = child(of: node, bytes[index]) else { break }
      node = child
      let id = ids[Int(node)]
      if id >= 0 { best = (id, index + 1) }
    }
    return best
  }

  @inline(__always)
  private func child(of node: Node, _ byte: UInt8) -> Node? {
    let key = UInt64(node << 8 | UInt32(byte))
    let mask = slots.count - 1
    var slot = Self.home(key, mask)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == key { return UInt32(truncatingIfNeeded: slots[slot]) }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func addChild(of node: Node, _ byte: UInt8) -> Node {
    if ids.count * 2 > slots.count { grow() }
    let child = UInt32(ids.count)
    ids.append(-1)
    place(UInt64(node << 8 | UInt32(byte)) << 32 | UInt64(child))
    return child
  }

  private mutating func place(_ edge: UInt64) {
    let mask = slots.count - 1
    var slot = Self.home(edge >> 32, mask)
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = edge
  }

  private mutating func grow() {
    let edges = slots
    slots = Array(repeating: 0, count: edges.count * 2)
    for edge in edges where edge != 0 { place(edge) }
  }

  /// Fibonacci hashing: the product's upper bits are well mixed.
  @inline(__always)
  private static func home(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: key &* 0x9E37_79B9_7F4A_7C15 >> 32) & mask
  }
}
