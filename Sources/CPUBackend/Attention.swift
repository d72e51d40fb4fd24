internal import Engine
internal import Foundation

extension CPUBackend {
  static func attention(_ operation: Attention) throws(EngineError) {
    let queries = try VectorReader(operation.queries)
    let keys = try VectorReader(operation.keys)
    let values = try VectorReader(operation.values)
    let out = try floats(operation.out)
    let (heads, channels) = (operation.keys.heads, operation.keys.channels)

    for place in SegmentPlace.all(of: .ragged(operation.segments), panelWidth: operation.keys.width) {
      for head in 0..<heads {
        let keyVectors = (0..<place.count).map {
          keys.vector(start: place.firstPanel, index: $0, head: head, channels: channels)
        }
        let valueVectors = (0..<place.count).map {
          values.vector(start: place.firstRow, index: $0, head: head, channels: channels)
        }
        for i in 0..<place.count {
          let query = queries.vector(start: place.firstRow, index: i, head: head, channels: channels)
          let scores = keyVectors.map { Double(operation.scale) * dot(query, $0) }
          let largest = scores.reduce(-.infinity, max)
          let weights = scores.map { exp($0 - largest) }
          let total = weights.reduce(0, +)
          for c in 0..<channels {
            var sum = 0.0
            for j in 0..<place.count { sum += weights[j] * valueVectors[j][c] }
            out[((place.firstRow + i) * heads + head) * channels + c] = Float(sum / total)
          }
        }
      }
    }
  }
}
