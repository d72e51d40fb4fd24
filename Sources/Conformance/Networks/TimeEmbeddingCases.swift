internal import Engine
internal import Foundation
internal import Networks

extension ConformanceFamily { static let timeEmbedding: ConformanceFamily = "timeEmbedding" }

/// Sines and cosines of times from 0 to 1,000, whole and broken.
extension ConformanceKit {
  static let timeEmbeddingCases: [ConformanceCase] = {
    let times: [Float] = [0, 1, 0.015625, 37.25, 500, 999, 1000]
    return [
      embedding("6 channels", small: true, channels: 6, times: times),
      embedding("7 channels, cosines first", small: true, channels: 7, cosineFirst: true, times: times),
      embedding("6 channels, of a logarithm", small: true, channels: 6, ofLogarithm: true, times: [0.01, 1, 50]),
      embedding("a row that all share", small: true, channels: 4, times: [321], samples: 3),
      embedding("128 channels, shift 1", channels: 128, shift: 1, times: times),
      embedding("320 channels, cosines first", channels: 320, cosineFirst: true, times: times),
    ]
  }()

  private static func embedding(
    _ title: String, small: Bool = false, channels: Int, shift: Double = 0, cosineFirst: Bool = false,
    ofLogarithm: Bool = false, times: [Float], samples: Int? = nil
  ) -> ConformanceCase {
    // The logarithm is a float: its last bit turns with the frequency.
    let tolerance = Tolerance(absolute: ofLogarithm ? 1e-4 : 4e-7)
    return ConformanceCase(.timeEmbedding, title, small: small, within: tolerance) { workspace in
      // Of a logarithm: frequencies as they are drawn for such networks.
      let frequencies =
        ofLogarithm
        ? try await workspace.engine.makeTimeFrequencies(
          turns: (0..<channels / 2).map { 16 * sin(Double($0 + 1)) }, channels: channels, cosineFirst: cosineFirst,
          ofLogarithm: true)
        : try await workspace.engine.makeTimeFrequencies(channels: channels, shift: shift, cosineFirst: cosineFirst)
      let count = samples ?? times.count
      // A row before the batch's, and one behind.
      var table = Poison.floats(CoefficientRow.width)
      for time in times {
        var row = CoefficientRow()
        row[.time] = time
        table += row.elements
      }
      table += Poison.floats(CoefficientRow.width)
      let levels = CoefficientRows(
        try workspace.upload(table, times.count + 2, CoefficientRow.width), first: 1, perSample: samples == nil)
      let out = try workspace.output(count, channels)
      try workspace.append(TimeEmbedding(of: levels, samples: count, frequencies: frequencies, into: out))
      return [out]
    }
  }
}
