import Benchmark
import Weft

// Run with: swift package --package-path Benchmarks benchmark

/// Sentences of several lengths, the same ones in every run.
private let texts: [String] = (0..<256).map { number in
  let sentence = "Mr. Bennet walked from Longbourn to Meryton with his brother and came back by the church . "
  return String(repeating: sentence, count: 1 + number % 4)
}

/// Numbers between -1 and 1 that a seed determines.
private func numbers(_ count: Int, seed: UInt32) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return Float(Int32(bitPattern: state)) / Float(Int32.max)
  }
}

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = Benchmark.Configuration(
    metrics: [.wallClock, .cpuTotal, .throughput, .peakMemoryResident], warmupIterations: 2,
    maxDuration: .seconds(10), maxIterations: 20)

  Benchmark("Entities of 256 documents") { benchmark, extractor in
    for _ in benchmark.scaledIterations {
      var found = 0
      for try await document in extractor.documents(in: texts) { found += document.entities.count }
      blackHole(found)
    }
  } setup: {
    try await Extractor(model: try BundledModels.directory(), on: try await Engine())
  }

  Benchmark("Products above a threshold, 4096 x 4096 x 64") { benchmark, input in
    for _ in benchmark.scaledIterations {
      blackHole(try await input.engine.pairwise(rows: input.rows, columns: input.columns, above: 12).count)
    }
  } setup: {
    (
      engine: try await Engine(), rows: try Vectors(numbers(4096 * 64, seed: 1), dimension: 64),
      columns: try Vectors(numbers(4096 * 64, seed: 2), dimension: 64)
    )
  }
}
