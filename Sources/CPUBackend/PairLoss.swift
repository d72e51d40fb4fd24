internal import Engine
internal import Foundation

extension CPUBackend {
  /// The sums of each row: a row of the scratch holds those of one token, unlike what a kernel leaves there.
  static func lossSums(_ sums: PairLossSums, of product: PairwiseProduct) throws(EngineError) {
    let loss = sums.loss
    let cells = try LossCells(loss, of: product)
    let partials = try floats(sums.partials)
    for (segment, place) in cells.rowPlaces.enumerated() {
      for type in 0..<cells.types {
        for i in 0..<place.count {
          var largest = (negative: Float(0), positive: Float(0))
          let row = cells.row(segment: segment, type: type, i)
          for cell in row {
            if cell.label < 1 { largest.negative = max(largest.negative, Float(cell.score)) }
            if cell.label > 0 { largest.positive = max(largest.positive, Float(-cell.score)) }
          }
          var (negative, positive, binary) = (0.0, 0.0, 0.0)
          for cell in row {
            if cell.label < 1 { negative += (1 - cell.label) * exp(cell.score - Double(largest.negative)) }
            if cell.label > 0 { positive += cell.label * exp(-cell.score - Double(largest.positive)) }
            binary += max(cell.score, 0) + log1p(exp(-abs(cell.score))) - cell.label * cell.score
          }
          let at = ((place.firstPanel * product.columns.width + i) * cells.types + type) * PairLoss.partialWidth
          let values: [Float] =
            loss.kind == .zlpr
            ? [largest.negative, Float(negative), largest.positive, Float(positive)] : [Float(binary), 0, 0, 0]
          for (offset, value) in values.enumerated() { partials[at + offset] = value }
        }
      }
    }
  }

  static func mergeLosses(_ operation: MergeLosses) throws(EngineError) {
    let partials = try floats(operation.partials)
    let totals = try floats(operation.totals)
    let width = operation.segments.panelWidth
    for (segment, place) in SegmentPlace.all(of: .ragged(operation.segments), panelWidth: width).enumerated() {
      for type in 0..<operation.types {
        let rows = (0..<place.count).map {
          ((place.firstPanel * width + $0) * operation.types + type) * PairLoss.partialWidth
        }
        /// `ln(1 + Σ sum · e^maximum)`
        func logarithm(_ offset: Int) -> Double {
          let largest = rows.reduce(0.0) { max($0, Double(partials[$1 + offset])) }
          let sum = rows.reduce(0.0) {
            $0 + Double(partials[$1 + offset + 1]) * exp(Double(partials[$1 + offset]) - largest)
          }
          return largest > 0 ? largest + log(exp(-largest) + sum) : log1p(sum)
        }
        let total: [Double]
        switch operation.kind {
        case .zlpr:
          let (negative, positive) = (logarithm(0), logarithm(2))
          total = [negative + positive, negative, positive, 0]
        case .binary: total = [rows.reduce(0.0) { $0 + Double(partials[$1]) }, 0, 0, 0]
        }
        let at = (segment * operation.types + type) * PairLoss.totalWidth
        for (offset, value) in total.enumerated() { totals[at + offset] = Float(value) }
      }
    }
  }

  static func lossGradient(_ gradient: PairLossGradient, of product: PairwiseProduct) throws(EngineError) {
    let loss = gradient.loss
    let cells = try LossCells(loss, of: product)
    let totals = try floats(gradient.totals)
    let vectors = try VectorReader(gradient.vectors)
    let out = try floats(gradient.gradients.tensor)
    let biasOut = try gradient.biasGradients.map { (tensor) throws(EngineError) in try floats(tensor) }
    let (heads, channels) = (product.rows.heads, product.rows.channels)
    let weight = Double(gradient.weight)

    for (segment, place) in cells.rowPlaces.enumerated() {
      for i in 0..<place.count {
        var sums = [[Double]](repeating: [Double](repeating: 0, count: channels), count: heads)
        for type in 0..<cells.types {
          let at = (segment * cells.types + type) * PairLoss.totalWidth
          let head = loss.biases == nil ? type : 0
          var slopes = 0.0
          for cell in cells.row(segment: segment, type: type, i) {
            let slope = loss.kind.slope(
              cell, negative: Double(totals[at + 1]), positive: Double(totals[at + 2]))
            slopes += slope
            let vector = vectors.vector(start: place.firstRow, index: cell.column, head: head, channels: channels)
            for c in 0..<channels { sums[head][c] += slope * vector[c] }
          }
          if let biasOut, let biases = loss.biases {
            let half = loss.rowSide == .starts ? 0 : cells.types
            biasOut[(place.firstRow + i) * 2 * cells.types + half + type] =
              Float(weight * Double(biases.scale) * slopes)
          }
        }
        let slices = gradient.gradients
        for head in 0..<heads {
          let at = (place.firstRow + i) * slices.tensor.width + slices.offset + head * slices.headStride
          for c in 0..<channels { out[at + c] = Float(weight * Double(product.scale) * sums[head][c]) }
        }
      }
    }
  }
}

extension PairLoss.Kind {
  /// The derivative by one score.
  fileprivate func slope(_ cell: LossCell, negative: Double, positive: Double) -> Double {
    switch self {
    case .zlpr:
      (cell.label < 1 ? (1 - cell.label) * exp(cell.score - negative) : 0)
        - (cell.label > 0 ? cell.label * exp(-cell.score - positive) : 0)
    case .binary: 1 / (1 + exp(-cell.score)) - cell.label
    }
  }
}

/// A cell that counts.
private struct LossCell {
  let column: Int
  let score: Double
  let label: Double
}

/// The cells of a loss, row by row.
private struct LossCells {
  let rowPlaces: [SegmentPlace]
  let types: Int
  private let loss: PairLoss
  private let product: PairwiseProduct
  private let columnPlaces: [SegmentPlace]
  private let rows: VectorReader
  private let columns: VectorReader
  private let biases: VectorReader?
  private let labels: UnsafeMutableBufferPointer<Int32>
  private let starts: UnsafeMutableBufferPointer<Int32>
  private let backgrounds: UnsafeMutableBufferPointer<Float>

  init(_ loss: PairLoss, of product: PairwiseProduct) throws(EngineError) {
    self.loss = loss
    self.product = product
    types = loss.types(heads: product.rows.heads)
    rowPlaces = SegmentPlace.all(of: product.rowExtent, panelWidth: product.columns.width)
    columnPlaces = SegmentPlace.all(of: product.columnExtent, panelWidth: product.columns.width)
    rows = try VectorReader(product.rows)
    columns = try VectorReader(product.columns)
    biases = if let biases = loss.biases { try VectorReader(biases.panels) } else { nil }
    labels = try CPUBackend.integers(loss.labels.cells)
    starts = try CPUBackend.integers(loss.labels.starts)
    backgrounds = try CPUBackend.floats(loss.labels.backgrounds)
  }

  func row(segment: Int, type: Int, _ i: Int) -> [LossCell] {
    let (rowPlace, columnPlace) = (rowPlaces[segment], columnPlaces[segment])
    guard i >= loss.margin, i < rowPlace.count - loss.margin else { return [] }
    let head = loss.biases == nil ? type : 0
    let channels = product.rows.channels
    let row = rows.vector(start: rowPlace.firstRow, index: i, head: head, channels: channels)
    var own: [Int: Double] = [:]
    let key = (rowPlace.firstRow + i) * types + type
    for at in Int(starts[key])..<Int(starts[key + 1]) {
      own[Int(labels[2 * at])] = Double(Float(bitPattern: UInt32(bitPattern: labels[2 * at + 1])))
    }
    return (loss.margin..<max(loss.margin, columnPlace.count - loss.margin)).compactMap { j in
      let (start, end) = loss.rowSide == .starts ? (i, j) : (j, i)
      guard !loss.triangular || start <= end else { return nil }
      let column = columns.vector(start: columnPlace.firstPanel, index: j, head: head, channels: channels)
      var score = Double(product.scale) * dot(row, column)
      if let biases, let description = loss.biases {
        let panel = rowPlace.firstPanel
        score +=
          Double(description.scale)
          * (biases.vector(start: panel, index: start, head: 0, channels: 2 * types)[type]
            + biases.vector(start: panel, index: end, head: 0, channels: 2 * types)[types + type])
      }
      return LossCell(column: j, score: score, label: own[j] ?? Double(backgrounds[type]))
    }
  }
}
