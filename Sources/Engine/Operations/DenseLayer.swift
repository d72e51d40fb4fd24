internal import Foundation

/// What a dense layer does to its sums.
/// The raw values are those of `Kernels/common/math.clh`.
package enum Activation: Int, Sendable {
  case none
  /// `x · Φ(x)`, by the error function.
  case gelu
  /// GELU by its tanh approximation.
  case geluTanh
  case relu
  /// `x / (1 + exp(-x))`
  case silu

  /// Its name in `Kernels/common/math.clh`.
  package var define: String {
    switch self {
    case .none: "WM_NONE"
    case .gelu: "WM_GELU"
    case .geluTanh: "WM_GELU_TANH"
    case .relu: "WM_RELU"
    case .silu: "WM_SILU"
    }
  }

  /// The activation's value at `x`.
  package func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .none: x
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .relu: max(0, x)
    case .silu: x / (1 + exp(-x))
    }
  }
}

/// A dense layer's parameters, packed once.
package struct DenseWeights: Sendable {
  /// Weights `[outputs, inputs]` as columns: one head of `inputs` channels.
  package let panels: Panels
  /// `[outputs]`
  package let bias: Tensor
  package let outputs: Int

  package init(panels: Panels, bias: Tensor, outputs: Int) {
    self.panels = panels
    self.bias = bias
    self.outputs = outputs
  }

  package var inputs: Int { panels.channels }
}

/// `out[t, o] = activation(Σ_c input[t, c] · weights[o, c] + bias[o]) + residual[t, o]`
package struct DenseLayer: DeviceOperation {
  package var input: Tensor
  package var weights: DenseWeights
  package var activation: Activation
  /// Added after the activation; may be `out` itself.
  package var residual: Tensor?
  package var out: Tensor
  package var rows: Int

  package init(
    _ input: Tensor, rows: Int, weights: DenseWeights, activation: Activation = .none, residual: Tensor? = nil,
    into out: Tensor
  ) {
    self.input = input
    self.rows = rows
    self.weights = weights
    self.activation = activation
    self.residual = residual
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "dense layer"
    try HeadSlices(input, channels: weights.inputs).validate(name, rows: rows)
    try require(
      input.width == weights.inputs, name,
      "rows have \(input.width) channels, the weights take \(weights.inputs)")
    try weights.panels.requirePanels(of: .whole(weights.outputs), name)
    try require(weights.bias, holds: weights.outputs, name, "the bias")
    try require(out, holds: rows * weights.outputs, name, "the result")
    try require(
      out.width == weights.outputs, name,
      "the result has \(out.width) channels, the layer makes \(weights.outputs)")
    try require(out, isNot: input, name)
    if let residual { try require(residual, holds: rows * weights.outputs, name, "the residual") }
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let rowVectors = try memory.vectors(HeadSlices(input, channels: weights.inputs))
    let columns = try memory.vectors(weights.panels)
    let biases = try memory.floats(weights.bias)
    let added = try residual.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let result = try memory.floats(out)
    let outputs = weights.outputs
    let vectors = (0..<outputs).map { columns.vector(start: 0, index: $0, head: 0, channels: weights.inputs) }
    for t in 0..<rows {
      let row = rowVectors.vector(start: t, index: 0, head: 0, channels: weights.inputs)
      for o in 0..<outputs {
        var value = activation(dot(row, vectors[o]) + Double(biases[o]))
        if let added { value += Double(added[t * outputs + o]) }
        result[t * outputs + o] = Float(value)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    let product = PairwiseProduct(
      rows: HeadSlices(input, channels: weights.inputs), columns: weights.panels, rowExtent: .whole(rows),
      columnExtent: .whole(weights.outputs), epilogue: DenseEnd(layer: self))
    // Row tiles run fastest over one panel of weights, which stays in cache.
    return [product.launch(tiles, panelsPerItem: 1)]
  }

  package func tuning(_ tiles: TileShape) -> TuningSpace? {
    var key = "dense \(weights.inputs) -> \(weights.outputs)"
    if activation != .none { key += " \(activation)" }
    if residual != nil { key += " + residual" }
    let panels = ceilingDivide(weights.outputs, weights.panels.width)
    return TuningSpace(
      "\(key), rows \(TuningSpace.bucket(rows))",
      knobs: tiles.productKnobs(rows: rows, panels: panels, itemRows: [16, 32, 64]))
  }
}

/// The end of a dense layer as an epilogue. It is the layer's own: only `launches(_:)` makes one.
private struct DenseEnd: PairwiseEpilogue {
  let layer: DenseLayer

  var header: KernelSource { "pairwise/epilogue_dense.clh" }
  var followsPrecision: Bool { true }

  var constants: [String: String] { denseConstants(layer.activation, residual: layer.residual) }

  func arguments(of product: PairwiseProduct) -> KernelArguments {
    [
      "out": .tensor(layer.out), "out_stride": .int(layer.out.width), "bias": .tensor(layer.weights.bias),
    ] + denseArguments(layer.activation, residual: layer.residual, out: layer.out)
  }

  func validate(for product: PairwiseProduct) throws(EngineError) { try layer.validate() }
  func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) { try layer.reference(memory) }
}

/// What `Kernels/pairwise/epilogue_dense.clh` may be compiled with in place of arguments.
func denseConstants(_ activation: Activation, residual: Tensor?) -> [String: String] {
  ["PW_ACTIVATION": activation.define, "PW_RESIDUAL": residual == nil ? "0" : "1"]
}

/// Its arguments for what becomes of the sums.
func denseArguments(_ activation: Activation, residual: Tensor?, out: Tensor) -> KernelArguments {
  [
    "activation": .int(activation.rawValue), "adds": .int(residual == nil ? 0 : 1),
    "residual": .tensor(residual ?? out),
  ]
}

/// The gradient of a dense layer's weights: `out[o, c] = Σ_t gradient[t, o] · input[t, c]`.
///
/// The sum is one chain over the rows, in order: a cell has the same bits whatever stands beside it.
package struct WeightGradient: DeviceOperation {
  /// The gradient of the layer's outputs: one head of `outputs` channels.
  package var gradient: HeadSlices
  /// The layer's input `[rows, inputs]` as `PackTransposed` lays it out: one head of `rows` channels.
  package var input: Panels
  package var rows: Int
  package var inputs: Int
  /// `[outputs, inputs]`
  package var out: Tensor

  package init(of gradient: HeadSlices, input: Panels, inputs: Int, rows: Int, into out: Tensor) {
    self.gradient = gradient
    self.input = input
    self.inputs = inputs
    self.rows = rows
    self.out = out
  }

  package var outputs: Int { gradient.channels }

  package func validate() throws(EngineError) {
    let name: StaticString = "weight gradient"
    try gradient.validate(name, rows: rows)
    try require(gradient.heads == 1, name, "the gradient has one head, not \(gradient.heads)")
    try require(inputs > 0 && inputs <= indexLimit, name, "\(inputs) inputs")
    try require(
      input.heads == 1 && input.channels == rows, name,
      "the input has \(input.heads) heads of \(input.channels) channels, the gradient \(rows) rows")
    try input.requirePanels(of: .whole(inputs), name)
    try require(
      out.width == inputs, name, "the result has \(out.width) channels, the input \(inputs)")
    try require(out, holds: outputs * inputs, name, "the result")
    try require(out, isNot: gradient.tensor, name)
    try require(out, isNot: input.tensor, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let gradientRows = try memory.vectors(gradient)
    let inputColumns = try memory.vectors(input)
    let result = try memory.floats(out)
    let gradients = (0..<rows).map { gradientRows.vector(start: $0, index: 0, head: 0, channels: outputs) }
    for c in 0..<inputs {
      let column = inputColumns.vector(start: 0, index: c, head: 0, channels: rows)
      for o in 0..<outputs {
        var sum = 0.0
        for t in 0..<rows { sum += gradients[t][o] * column[t] }
        result[o * inputs + c] = Float(sum)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    let matrix = Tensor(storage: out.storage, elementType: .float32, shape: [1, outputs, inputs])
    let product = PairwiseProduct(
      rows: gradient, columns: input, rowExtent: .whole(outputs), columnExtent: .whole(inputs),
      epilogue: StoredScores(into: matrix))
    // As in a dense layer, row tiles run fastest over one panel. Training is exact.
    return [product.launch(tiles.exact, defines: ["PW_TRANSPOSED_ROWS": "1"], panelsPerItem: 1)]
  }
}

/// The sum of each column of a matrix: `out[c] = Σ_t source[t, c]`, in order of `t`. The gradient of a bias.
package struct ColumnSum: DeviceOperation {
  /// One head of `columns` channels.
  package var source: HeadSlices
  package var rows: Int
  /// `[columns]`
  package var out: Tensor

  package init(of source: HeadSlices, rows: Int, into out: Tensor) {
    self.source = source
    self.rows = rows
    self.out = out
  }

  package var columns: Int { source.channels }

  package func validate() throws(EngineError) {
    let name: StaticString = "column sum"
    try source.validate(name, rows: rows)
    try require(source.heads == 1, name, "a matrix has one head, not \(source.heads)")
    try require(out, holds: columns, name, "the result")
    try require(out, isNot: source.tensor, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let vectors = try memory.vectors(source)
    let result = try memory.floats(out)
    var sums = [Double](repeating: 0, count: columns)
    for t in 0..<rows {
      let row = vectors.vector(start: t, index: 0, head: 0, channels: columns)
      for c in sums.indices { sums[c] += row[c] }
    }
    for c in sums.indices { result[c] = Float(sums[c]) }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    // Columns that a group sums, see `Kernels/training/column_sum.cl`.
    let groupColumns = tiles.variant == .cpu ? 4 * 16 : 64 * 4
    return [
      KernelLaunch(
        "training/column_sum.cl", "column_sum", tiles,
        arguments: source.singleHeadArguments("source", prefix: "")
          + ["rows": .int(rows), "columns": .int(columns), "out": .tensor(out)],
        groups: [ceilingDivide(columns, groupColumns)], groupSize: tiles.rowGroup)
    ]
  }
}
