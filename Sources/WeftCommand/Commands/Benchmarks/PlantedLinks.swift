import Engine
import Foundation
import TokenPairs

/// A head's queries and keys, `[tokens, heads · 2 · headSize]` with a block `[query | key]` a head, and the biases of an
/// efficient one, `[tokens, 2 · types]`: start biases, then end biases.
struct PlantedHead {
  let kind: HeadKind
  let types: Int
  let headSize: Int
  private(set) var projected: [Float]
  private(set) var biases: [Float] = []

  init(_ kind: HeadKind, types: Int, headSize: Int, tokens: Int, seed: UInt64) {
    self.kind = kind
    self.types = types
    self.headSize = headSize
    projected = normalNumbers(tokens * (kind == .efficient ? 1 : types) * 2 * headSize, seed: seed)
    if kind == .efficient { biases = normalNumbers(tokens * 2 * types, seed: seed + 1) }
  }

  var width: Int { (kind == .efficient ? 1 : types) * 2 * headSize }

  /// Makes a key a multiple of a query: their product, far above the others', is about that of `sqrt(headSize)`.
  mutating func liken(key: Int, toQuery query: Int, type: Int, by factor: Float = 1) {
    let block = (kind == .efficient ? 0 : type) * 2 * headSize
    for c in 0..<headSize {
      projected[key * width + block + headSize + c] = factor * projected[query * width + block + c]
    }
  }

  mutating func addToStart(_ token: Int, type: Int, _ value: Float) { biases[token * 2 * types + type] += value }
  mutating func addToEnd(_ token: Int, type: Int, _ value: Float) { biases[token * 2 * types + types + type] += value }
}

/// Inputs of GPLinker's three heads: normal numbers, and in each document as many subjects, objects and relations as
/// half the density asks for; the other half of the spans comes by chance. `Benchmarks/Peers/links.py` makes the same.
struct PlantedLinks {
  static let biasScale: Float = 0.5

  private(set) var spans: PlantedHead
  private(set) var heads: PlantedHead
  private(set) var tails: PlantedHead
  /// Passed by chance by about a density of the cells, which are about normal.
  let threshold: Float

  init(_ command: BenchLinksCommand) {
    let (kind, tokens) = (command.head, command.batch * command.length)
    func head(_ types: Int, seed: UInt64) -> PlantedHead {
      PlantedHead(kind, types: types, headSize: command.headSize, tokens: tokens, seed: seed)
    }
    (spans, heads, tails) = (head(2, seed: 1), head(command.predicates, seed: 3), head(command.predicates, seed: 5))
    // Products have variance 1, and two halved biases add a half.
    threshold = Float(Self.normalBound(above: command.density)) * (kind == .efficient ? Float(1.5).squareRoot() : 1)

    var generator = SplitMix64(seed: 7)
    func choose(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
    let count = max(1, Int((command.density * Double(command.length * command.length) / 2).rounded()))
    for document in 0..<command.batch {
      var planted: [[(first: Int, last: Int)]] = []
      for label in 0..<2 {
        planted.append([])
        for _ in 0..<count {
          // Between the marks at the ends; up to four tokens.
          let first = 1 + choose(command.length - 2)
          let last = min(first + choose(4), command.length - 2)
          let start = document * command.length
          plantSpan(start + first, start + last, label: label)
          planted[label].append((start + first, start + last))
        }
      }
      for (subject, object) in zip(planted[0], planted[1]) {
        let predicate = choose(command.predicates)
        Self.plantLink(subject.first, object.first, predicate, in: &heads)
        Self.plantLink(subject.last, object.last, predicate, in: &tails)
      }
    }
  }

  private mutating func plantSpan(_ first: Int, _ last: Int, label: Int) {
    spans.liken(key: last, toQuery: first, type: label)
    // The labels share the product: the other's must not pass.
    if spans.kind == .efficient { spans.addToStart(first, type: 1 - label, -16) }
  }

  private static func plantLink(_ row: Int, _ column: Int, _ predicate: Int, in head: inout PlantedHead) {
    guard head.kind == .efficient else { return head.liken(key: column, toQuery: row, type: predicate) }
    // The predicates share the product: it brings all near the threshold, the biases bring one over it.
    head.liken(key: column, toQuery: row, type: predicate, by: 0.4)
    head.addToStart(row, type: predicate, 2.5)
    head.addToEnd(column, type: predicate, 2.5)
  }

  /// The number that a normal variable exceeds with the given probability, by halving.
  static func normalBound(above probability: Double) -> Double {
    var (low, high) = (0.0, 40.0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if erfc(middle / 2.0.squareRoot()) / 2 > probability { low = middle } else { high = middle }
    }
    return low
  }
}
