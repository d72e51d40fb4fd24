import Conformance
import Weft

/// What every device must make of the two: sizes around the edges of vectors and tiles, and a few that are tiny, for
/// interpreters.
let cases: [ConformanceCase] =
  [(1, 1), (2, 5), (3, 15), (3, 16), (3, 17), (5, 64), (7, 255), (7, 257)].map { rows, channels in
    ConformanceCase(
      "RMS normalisation", "\(rows) × \(channels)", small: channels <= 17,
      within: Tolerance(absolute: 1e-6, relative: 1e-6)
    ) { workspace in
      let out = try workspace.output(rows, channels)
      try workspace.append(
        RMSNormalization(
          input: try workspace.upload(numbers(rows * channels), rows, channels),
          gain: try workspace.upload(numbers(channels), channels), epsilon: 1e-6, out: out, rows: rows))
      return [out]
    }
  }
  + [(1, 1, 1), (3, 5, 2), (8, 48, 7), (9, 49, 17), (127, 65, 16), (130, 129, 33)].map { rows, columns, channels in
    ConformanceCase(
      "Gaussian kernel", "\(rows) × \(columns), \(channels) channels", small: rows <= 3,
      // An error of a distance is one of its exponential: some units of its largest terms.
      within: Tolerance(absolute: 4e-7 * Double(channels + 4))
    ) { workspace in
      let (x, y) = (numbers(rows * channels), numbers(columns * channels, from: 50))
      let extent = Extent.whole(columns)
      let vectors = HeadSlices(try workspace.upload(y, columns, channels), channels: channels)
      let out = try workspace.output(rows, columns)
      try workspace.append(
        PairwiseProduct(
          rows: HeadSlices(try workspace.upload(x, rows, channels), channels: channels),
          columns: try workspace.pack(vectors, extent: extent), rowExtent: .whole(rows), columnExtent: extent,
          epilogue: GaussianKernel(
            gamma: 0.5, rowSquares: try workspace.upload(squares(x, channels), rows),
            columnSquares: try workspace.upload(squares(y, channels), columns), out: out)))
      return [out]
    }
  }

/// The square of each vector's length.
func squares(_ elements: [Float], _ channels: Int) -> [Float] {
  stride(from: 0, to: elements.count, by: channels).map { start in
    Float(elements[start..<start + channels].reduce(0.0) { $0 + Double($1) * Double($1) })
  }
}

/// Numbers between -1 and 1 without a short period.
func numbers(_ count: Int, from start: Int = 0) -> [Float] {
  (start..<start + count).map { Float(($0 * 7919 + 13) % 1009) / 504.5 - 1 }
}
