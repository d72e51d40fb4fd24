internal import Engine
internal import Foundation
internal import Logging
internal import Networks

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
    ConformanceCase(.timeEmbedding, title, small: small) { backend in
      let half = channels / 2
      let radians = (0..<half).map { exp(-log(10_000) * Double($0) / (Double(half) - shift)) }
      let engine = Engine(backend: backend, logger: Logger(label: "conformance"))
      // Of a logarithm: frequencies as they are drawn for such networks.
      let scales = (0..<half).map { 16 * sin(Double($0 + 1)) }
      let frequencies =
        ofLogarithm
        ? try await engine.makeTimeFrequencies(
          turns: scales, channels: channels, cosineFirst: cosineFirst, ofLogarithm: true)
        : try await engine.makeTimeFrequencies(channels: channels, shift: shift, cosineFirst: cosineFirst)
      let count = samples ?? times.count

      var workspace = Workspace(backend)
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
      try workspace.append(
        TimeEmbedding(of: levels, samples: count, frequencies: frequencies, into: out.part))
      let got = try await workspace.run(reading: out)

      var expected: [Double?] = []
      for sample in 0..<count {
        let time = Double(times[samples == nil ? sample : 0])
        let angles = ofLogarithm ? scales.map { 2 * .pi * log(time) * $0 } : radians.map { time * $0 }
        let (sines, cosines) = (angles.map { sin($0) }, angles.map { cos($0) })
        expected += cosineFirst ? cosines + sines : sines + cosines
        if channels % 2 == 1 { expected.append(0) }
      }
      // The logarithm is a float: its last bit turns with the frequency.
      let tolerance = Tolerance(absolute: ofLogarithm ? 1e-4 : 4e-7)
      try compare(got, with: expected, shape: [count, channels], within: tolerance)
    }
  }
}
