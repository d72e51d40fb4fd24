internal import Engine

/// Reads vectors of one side of a product, whichever way they are stored.
struct VectorReader {
  private let elements: UnsafeMutableBufferPointer<Float>
  private let locate: (_ segmentStart: Int, _ index: Int, _ head: Int, _ channel: Int) -> Int

  init(_ slices: HeadSlices) throws(EngineError) {
    elements = try CPUBackend.floats(slices.tensor)
    locate = { start, index, head, channel in
      (start + index) * slices.tensor.width + slices.offset + head * slices.headStride + channel
    }
  }

  init(_ panels: Panels) throws(EngineError) {
    elements = try CPUBackend.floats(panels.tensor)
    locate = { start, index, head, channel in
      let panel = start + index / panels.width
      return ((panel * panels.heads + head) * panels.channels + channel) * panels.width + index % panels.width
    }
  }

  /// The vector `index` of the segment that starts at row (or panel) `start`, widened.
  func vector(start: Int, index: Int, head: Int, channels: Int) -> [Double] {
    (0..<channels).map { Double(elements[locate(start, index, head, $0)]) }
  }
}

/// One segment of an extent: its rows, where they start, and where its panels start.
struct SegmentPlace {
  let count: Int
  let firstRow: Int
  let firstPanel: Int

  static func all(of extent: Extent, panelWidth: Int) -> [SegmentPlace] {
    switch extent {
    case .whole(let count): return [SegmentPlace(count: count, firstRow: 0, firstPanel: 0)]
    case .ragged(let table):
      let entries = table.segments.table(panelWidth: panelWidth)
      return (0..<table.segments.count).map {
        SegmentPlace(
          count: Int(entries[4 * $0 + 1]), firstRow: Int(entries[4 * $0]), firstPanel: Int(entries[4 * $0 + 2]))
      }
    }
  }
}

/// The inner product, summed in order in Double.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for c in a.indices { sum += a[c] * b[c] }
  return sum
}
