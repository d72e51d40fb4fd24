internal import Engine
internal import TokenPairs

/// Links of listed pairs: both cells must pass, and nothing but the listed cells is looked at.
extension ConformanceKit {
  static let pairLinksCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      links("one pair", small: true, tokens: 2, pairs: 1, Layout(channels: 3), types: 1, seed: 951),
      links("heads of their own", small: true, tokens: 5, pairs: 9, Layout(heads: 2, channels: 3), seed: 952),
      links("predicates by bias", small: true, tokens: 5, pairs: 9, Layout(channels: 4), types: 3, seed: 953),
      links(
        "heads in slices", tokens: 40, pairs: 67, Layout(heads: 3, channels: 20, before: 7, between: 5, after: 4),
        seed: 954),
      ConformanceCase(.pairLinks, "a list too short counts all", small: true) { backend in
        let problem = LinkProblem(tokens: 5, pairs: 9, Layout(channels: 4), types: 3, .exact, seed: 955)
        let expected = problem.hits(threshold: -.infinity)
        let (found, hits) = try await problem.run(on: backend, threshold: -.infinity, capacity: 4)
        guard found == expected.count, hits.count == 4, hits.allSatisfy(expected.contains) else {
          throw Mismatch("\(found) hits were counted of \(expected.count), \(hits.count) listed")
        }
      },
    ]
    // Around the widths of vectors and groups.
    for (index, count) in [15, 16, 17, 49, 63, 64, 65].enumerated() {
      cases.append(
        links(
          "\(count) pairs, \(count) predicates", tokens: 129, pairs: count, Layout(channels: 8), types: count,
          seed: 960 + UInt64(index)))
    }
    for channels in [1, 16, 63, 64, 65] {
      cases.append(
        rounded("\(channels) channels, by bias", channels: channels, types: 5, seed: 970 + UInt64(channels)))
      cases.append(rounded("\(channels) channels, heads", channels: channels, types: nil, seed: 970 + UInt64(channels)))
    }
    return cases
  }()

  /// Exact scores: the hits are known to the bit, and scores equal to the threshold are out.
  private static func links(
    _ title: String, small: Bool = false, tokens: Int, pairs: Int, _ layout: VectorSet.Layout, types: Int? = nil,
    seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.pairLinks, title, small: small) { backend in
      let problem = LinkProblem(tokens: tokens, pairs: pairs, layout, types: types, .exact, seed: seed)
      for threshold: Float in [-.infinity, 0, 0.5, .infinity] {
        let expected = problem.hits(threshold: threshold)
        let (found, hits) = try await problem.run(on: backend, threshold: threshold, capacity: expected.count + 3)
        guard found == expected.count, hits == expected else {
          throw Mismatch("threshold \(threshold): \(found) hits, expected \(expected.count): \(hits) \(expected)")
        }
      }
    }
  }

  /// Rounded scores: within the error of a product, and the same bits whatever other pairs are listed.
  private static func rounded(_ title: String, channels: Int, types: Int?, seed: UInt64) -> ConformanceCase {
    ConformanceCase(.pairLinks, title) { backend in
      let problem = LinkProblem(
        tokens: 20, pairs: 33, .init(heads: types == nil ? 3 : 1, channels: channels), types: types, .uniform,
        seed: seed)
      let expected = problem.hits(threshold: -.infinity)
      let (_, hits) = try await problem.run(on: backend, threshold: -.infinity, capacity: expected.count)
      let slack = Float(channels + 3) * 0x1p-23
      guard hits.map(\.pair) == expected.map(\.pair),
        zip(hits, expected).allSatisfy({ abs($0.head - $1.head) <= slack && abs($0.tail - $1.tail) <= slack })
      else { throw Mismatch("hits are off by more than \(slack)") }
      var alone = problem
      alone.pairs = [problem.pairs[17]]
      let single = try await alone.run(on: backend, threshold: -.infinity, capacity: expected.count).hits
      let among = hits.filter { $0.pair == 17 }
      guard single.map(\.head) == among.map(\.head), single.map(\.tail) == among.map(\.tail) else {
        throw Mismatch("a pair's scores depend on the pairs beside it")
      }
    }
  }
}
