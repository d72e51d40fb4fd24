internal import Engine
internal import Foundation

extension CPUBackend {
  static func pack(_ operation: PackColumns) throws(EngineError) {
    let source = try VectorReader(operation.source)
    let panels = operation.panels
    let out = try floats(panels.tensor)
    let table = try operation.rotary.map { (rotary) throws(EngineError) in try floats(rotary.tensor) }
    for place in SegmentPlace.all(of: operation.extent, panelWidth: panels.width) {
      let lanes = (place.count + panels.width - 1) / panels.width * panels.width
      for j in 0..<lanes {
        for head in 0..<panels.heads {
          var vector = [Double](repeating: 0, count: panels.channels)
          if j < place.count {
            vector = source.vector(start: place.firstRow, index: j, head: head, channels: panels.channels)
            if let table { vector = rotated(vector, position: j, table) }
          }
          for c in 0..<panels.channels {
            let panel = place.firstPanel + j / panels.width
            out[((panel * panels.heads + head) * panels.channels + c) * panels.width + j % panels.width] =
              Float(vector[c])
          }
        }
      }
    }
  }

  static func rotate(_ operation: RotateRows) throws(EngineError) {
    let source = try VectorReader(operation.source)
    let positions = try integers(operation.positions)
    let table = try floats(operation.rotary.tensor)
    let slices = operation.out
    let out = try floats(slices.tensor)
    let (heads, channels) = (operation.source.heads, operation.source.channels)
    for t in 0..<operation.rows {
      for head in 0..<heads {
        let at = t * slices.tensor.width + slices.offset + head * slices.headStride
        let vector = source.vector(start: t, index: 0, head: head, channels: channels)
        let turned = rotated(vector, position: Int(positions[t]), table)
        for c in 0..<channels { out[at + c] = Float(turned[c]) }
      }
    }
  }

  private static func rotated(
    _ vector: [Double], position: Int, _ table: UnsafeMutableBufferPointer<Float>
  ) -> [Double] {
    let at = position * 2 * vector.count
    return vector.indices.map { c in
      vector[c] * Double(table[at + c]) + vector[c ^ 1] * Double(table[at + vector.count + c])
    }
  }

  static func dense(_ layer: DenseLayer) throws(EngineError) {
    let input = try VectorReader(HeadSlices(layer.input, channels: layer.weights.inputs))
    let columns = try VectorReader(layer.weights.panels)
    let bias = try floats(layer.weights.bias)
    let residual = try layer.residual.map { (tensor) throws(EngineError) in try floats(tensor) }
    let out = try floats(layer.out)
    let outputs = layer.weights.outputs
    let weights = (0..<outputs).map {
      columns.vector(start: 0, index: $0, head: 0, channels: layer.weights.inputs)
    }
    for t in 0..<layer.rows {
      let row = input.vector(start: t, index: 0, head: 0, channels: layer.weights.inputs)
      for o in 0..<outputs {
        var value = activate(dot(row, weights[o]) + Double(bias[o]), layer.activation)
        if let residual { value += Double(residual[t * outputs + o]) }
        out[t * outputs + o] = Float(value)
      }
    }
  }

  static func activate(_ x: Double, _ activation: Activation) -> Double {
    switch activation {
    case .none: x
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .relu: max(0, x)
    case .silu: x / (1 + exp(-x))
    }
  }

  static func layerNormalization(_ operation: LayerNormalization) throws(EngineError) {
    let channels = operation.input.width
    let input = try floats(operation.input)
    let gain = try floats(operation.gain)
    let bias = try floats(operation.bias)
    let out = try floats(operation.out)
    for t in 0..<operation.rows {
      let row = (0..<channels).map { Double(input[t * channels + $0]) }
      let mean = row.reduce(0, +) / Double(channels)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      let scale = 1 / (variance + Double(operation.epsilon)).squareRoot()
      for c in 0..<channels {
        out[t * channels + c] = Float((row[c] - mean) * scale * Double(gain[c]) + Double(bias[c]))
      }
    }
  }

  static func embeddingSum(_ operation: EmbeddingSum) throws(EngineError) {
    let channels = operation.words.width
    let ids = try integers(operation.ids)
    let tokenPositions = try integers(operation.tokenPositions)
    let words = try floats(operation.words)
    let positions = try floats(operation.positions)
    let types = try floats(operation.types)
    let out = try floats(operation.out)
    for t in 0..<operation.rows {
      for c in 0..<channels {
        out[t * channels + c] =
          words[Int(ids[t]) * channels + c] + positions[Int(tokenPositions[t]) * channels + c] + types[c]
      }
    }
  }
}
