internal import Engine

extension CPUBackend {
  static func packTransposed(_ operation: PackTransposed) throws(EngineError) {
    let source = try VectorReader(operation.source)
    let out = try floats(operation.panels.tensor)
    let (columns, width) = (operation.columns, operation.panels.width)
    for t in 0..<operation.rows {
      let row = source.vector(start: t, index: 0, head: 0, channels: columns)
      for j in 0..<(columns + width - 1) / width * width {
        out[(j / width * operation.rows + t) * width + j % width] = j < columns ? Float(row[j]) : 0
      }
    }
  }

  static func weightGradient(_ operation: WeightGradient) throws(EngineError) {
    let gradient = try VectorReader(operation.gradient)
    let input = try VectorReader(operation.input)
    let out = try floats(operation.out)
    let (rows, inputs, outputs) = (operation.rows, operation.inputs, operation.outputs)
    let gradients = (0..<rows).map { gradient.vector(start: $0, index: 0, head: 0, channels: outputs) }
    for c in 0..<inputs {
      let column = input.vector(start: 0, index: c, head: 0, channels: rows)
      for o in 0..<outputs {
        var sum = 0.0
        for t in 0..<rows { sum += gradients[t][o] * column[t] }
        out[o * inputs + c] = Float(sum)
      }
    }
  }

  static func columnSum(_ operation: ColumnSum) throws(EngineError) {
    let source = try VectorReader(operation.source)
    let out = try floats(operation.out)
    var sums = [Double](repeating: 0, count: operation.columns)
    for t in 0..<operation.rows {
      let row = source.vector(start: t, index: 0, head: 0, channels: operation.columns)
      for c in sums.indices { sums[c] += row[c] }
    }
    for c in sums.indices { out[c] = Float(sums[c]) }
  }
}
