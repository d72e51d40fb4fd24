internal import Engine
internal import TokenPairs

/// The same work gives the same bits when it is repeated, and when other work runs beside it.
extension ConformanceKit {
  static let repetitionCases: [ConformanceCase] = [
    repetition("repeated runs, small", small: true, length: 4, exchanges: tinyExchanges),
    repetition("repeated runs", small: false, length: 65, exchanges: exchanges),
    concurrency("concurrent runs, small", small: true, tasks: 4, rounds: 1, exchanges: tinyExchanges),
    concurrency("concurrent runs", small: false, tasks: 24, rounds: 3, exchanges: exchanges),
  ]

  private static let tinyExchanges: [Exchange] = [
    .dense(inputs: 3, outputs: 5), .attention(heads: 1, channels: 4), .cells(channels: 2),
    .posteriorMean(components: 3, channels: 2),
  ]
  private static let exchanges: [Exchange] = [
    .dense(inputs: 33, outputs: 97), .attention(heads: 2, channels: 20), .cells(channels: 32),
    .scores(channels: 16), .layerNormalization(width: 100), .posteriorMean(components: 70, channels: 17),
  ]

  private static func repetition(
    _ title: String, small: Bool, length: Int, exchanges: [Exchange]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { backend in
      for (index, exchange) in exchanges.enumerated() {
        var generator = SplitMix64(seed: 920 + UInt64(index))
        let batch = [length, 2].map { Draw.uniform($0 * exchange.inputWidth, &generator) }
        let first = try await exchange.run(batch, backend)
        for run in 1...(small ? 1 : 3) {
          let again = try await exchange.run(batch, backend)
          try compareBits(
            again.flatMap { $0 }, first.flatMap { $0 }, "repetition \(run) of work \(index)")
        }
      }
    }
  }

  /// Tasks of different shapes, all at once, each compared with what it gave alone.
  private static func concurrency(
    _ title: String, small: Bool, tasks: Int, rounds: Int, exchanges: [Exchange]
  ) -> ConformanceCase {
    ConformanceCase(.isolation, title, small: small) { backend in
      var work: [(exchange: Exchange, batch: [[Float]], alone: [Float])] = []
      for index in 0..<tasks {
        let exchange = exchanges[index % exchanges.count]
        var generator = SplitMix64(seed: 940 + UInt64(index))
        let lengths = small ? [2 + index % 3] : [1 + 7 * index, 30, 1 + index]
        let batch = lengths.map { Draw.uniform($0 * exchange.inputWidth, &generator) }
        let alone = try await exchange.run(batch, backend).flatMap { $0 }
        work.append((exchange, batch, alone))
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, (exchange, batch, alone)) in work.enumerated() {
          group.addTask {
            for _ in 0..<rounds {
              let result = try await exchange.run(batch, backend).flatMap { $0 }
              try compareBits(result, alone, "task \(index) among \(tasks)")
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
