internal import Engine
internal import TokenPairs

/// A result does not depend on its neighbours: the same sequence gives the same bits alone and at any
/// place of any batch.
extension ConformanceKit {
  static let isolationCases: [ConformanceCase] = {
    let small: [(String, Exchange)] = [
      ("dense layer", .dense(inputs: 3, outputs: 5)),
      ("layer normalisation", .layerNormalization(width: 5)),
      ("attention", .attention(heads: 1, channels: 4)),
      ("scores", .scores(channels: 2)),
      ("typed cells", .cells(channels: 2)),
      ("posterior mean", .posteriorMean(components: 3, channels: 2)),
      ("convolution", .convolution(height: 2, width: 3, inputs: 2, outputs: 3)),
      ("group normalisation", .groupNormalization(height: 2, width: 2, channels: 4, groups: 2)),
    ]
    let large: [(String, Exchange)] = [
      ("dense layer", .dense(inputs: 33, outputs: 97)),
      ("layer normalisation", .layerNormalization(width: 385)),
      ("attention", .attention(heads: 2, channels: 20)),
      ("attention, head size 64", .attention(heads: 1, channels: 64)),
      ("scores", .scores(channels: 64)),
      ("typed cells", .cells(channels: 32)),
      ("posterior mean", .posteriorMean(components: 300, channels: 20)),
      ("convolution", .convolution(height: 3, width: 5, inputs: 7, outputs: 50)),
      ("group normalisation", .groupNormalization(height: 3, width: 3, channels: 70, groups: 7)),
    ]
    let places = [[], [5], [-5], [1, -64, 3], [129, 7, -1], [2, -2, 50, 49]]
    return small.map { isolation("\($0.0), small", small: true, $0.1, length: 5, batches: [[3, -1]]) }
      + large.map { isolation($0.0, $0.1, length: 49, batches: places) }
      + large.map { isolation("\($0.0), 130 tokens", $0.1, length: 130, batches: [[1, -3], [48, -129]]) }
      + large.map { isolation("\($0.0), 1 token", $0.1, length: 1, batches: [[7], [-65], [8, -8]]) }
  }()

  /// Compares a sequence's result alone with the same in each of `batches`: the lengths of its neighbours, negative for
  /// those that follow it.
  private static func isolation(
    _ title: String, small: Bool = false, _ exchange: Exchange, length: Int, batches: [[Int]]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { backend in
      var generator = SplitMix64(seed: 910 + UInt64(length))
      func sequence(_ length: Int) -> [Float] {
        Draw.uniform(length * exchange.inputWidth, &generator)
      }
      let subject = sequence(length)
      guard let alone = try await exchange.run([subject], backend).first else {
        throw Mismatch("the sequence has no result")
      }
      for batch in batches {
        let before = batch.filter { $0 > 0 }.map(sequence)
        let after = batch.filter { $0 < 0 }.map { sequence(-$0) }
        let results = try await exchange.run(before + [subject] + after, backend)
        try compareBits(
          results[before.count], alone, "the sequence of \(length) among neighbours of \(batch)")
      }
    }
  }
}
