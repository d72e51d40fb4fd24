import Foundation
import ModelFiles

@testable import TokenPairs

/// A dense layer as its checkpoint stores it, in the order `[outputs, inputs]`.
struct StoredLayer {
  let weights: [Float]
  let bias: [Float]
  let inputs: Int

  init(weights: [Float], bias: [Float], inputs: Int) {
    (self.weights, self.bias, self.inputs) = (weights, bias, inputs)
  }

  init(outputs: Int, inputs: Int, using random: inout SeededGenerator) {
    weights = random.floats(outputs * inputs).map { $0 / Float(inputs).squareRoot() }
    bias = random.floats(outputs)
    self.inputs = inputs
  }

  func callAsFunction(_ x: [Double]) -> [Double] {
    bias.indices.map { output in
      (0..<inputs).reduce(Double(bias[output])) {
        $0 + Double(weights[output * inputs + $1]) * x[$1]
      }
    }
  }

  func add(to file: inout SafetensorsWriter, _ name: String, inputsFirst: Bool) {
    let outputs = bias.count
    if inputsFirst {
      let turned = (0..<inputs).flatMap { i in (0..<outputs).map { weights[$0 * inputs + i] } }
      file.add("\(name).weight", floats: turned, shape: [inputs, outputs])
    } else {
      file.add("\(name).weight", floats: weights, shape: [outputs, inputs])
    }
    file.add("\(name).bias", floats: bias, shape: [outputs])
  }
}

/// A cell of a sequence's scores.
struct ScoredPlace: Hashable {
  let type: Int
  let start: Int
  let end: Int
}

/// A head with random parameters, as the code of one dialect stores and computes it.
struct StoredHead {
  let row: DialectRow
  let kind: HeadKind
  let types: Int
  let headSize: Int
  let hiddenSize: Int
  let rope: Bool
  let triangular: Bool
  let projection: StoredLayer
  let bias: StoredLayer

  init(
    _ row: DialectRow, _ kind: HeadKind, types: Int = 3, headSize: Int = 8, hiddenSize: Int = 12,
    rope: Bool = true, triangular: Bool = true, seed: UInt64
  ) {
    var random = SeededGenerator(seed)
    self.row = row
    self.kind = kind
    self.types = types
    self.headSize = headSize
    self.hiddenSize = hiddenSize
    self.rope = rope
    self.triangular = triangular
    let blocks = kind == .efficient ? 1 : types
    projection = StoredLayer(outputs: blocks * 2 * headSize, inputs: hiddenSize, using: &random)
    bias = StoredLayer(
      outputs: 2 * types, inputs: row.biasReadsHidden ? hiddenSize : 2 * headSize, using: &random)
  }

  /// The head of a model in normal form, from the numbers that the library reads.
  init(normal parameters: HeadParameters, hiddenSize: Int) {
    let none = LayerParameters(weights: [], bias: [], outputs: 0, inputs: 0)
    let bias = parameters.bias ?? none
    row = DialectRow(
      "weft", .halves, .firstHalfStart, Double(parameters.biasScale),
      biasReadsHidden: parameters.biasInput == .hidden)
    kind = parameters.kind
    types = parameters.types
    headSize = parameters.headSize
    self.hiddenSize = hiddenSize
    rope = parameters.rope
    triangular = parameters.triangular
    projection = StoredLayer(
      weights: parameters.projection.weights, bias: parameters.projection.bias, inputs: hiddenSize)
    self.bias = StoredLayer(weights: bias.weights, bias: bias.bias, inputs: bias.inputs)
  }

  /// Writes a model directory's head: its description and its tensors.
  func write(to scratch: Scratch) throws {
    let names = kind == .efficient ? ["p_dense", "q_dense"] : ["dense"]
    let tensors = names.map { "\"\($0)\": \"head.\($0)\"" }.joined(separator: ", ")
    let labels = (0..<types).map { "\"L\($0)\"" }.joined(separator: ", ")
    try scratch.write(
      "globalpointer.json",
      """
      {"task": "entities", "labels": [\(labels)], "encoder_prefix": "bert.",
       "head": {"kind": "\(kind.rawValue)", "dialect": "\(row.name)", "head_size": \(headSize),
        "rope": \(rope), "triangular": \(triangular), "tensors": {\(tensors)}}}
      """)
    var file = SafetensorsWriter()
    projection.add(to: &file, "head.\(names[0])", inputsFirst: row.storesInputsFirst)
    if kind == .efficient { bias.add(to: &file, "head.q_dense", inputsFirst: row.storesInputsFirst) }
    try file.write(to: scratch.file("model.safetensors"))
  }

  /// The scores of every cell that may be found in one sequence, by the formula, in Double.
  func scores(hidden: [[Double]]) -> [ScoredPlace: Double] {
    let projected = hidden.map { projection($0) }
    var scores: [ScoredPlace: Double] = [:]
    for type in 0..<types {
      let queries = projected.enumerated().map { turned(query($1, type), by: $0) }
      let keys = projected.enumerated().map { turned(key($1, type), by: $0) }
      let offsets = hidden.indices.map { biases(hidden[$0], projected[$0], type) }
      // The first and the last token frame the sequence.
      for start in hidden.indices.dropFirst().dropLast() {
        for end in hidden.indices.dropFirst().dropLast() where !triangular || start <= end {
          let product = zip(queries[start], keys[end]).reduce(0) { $0 + $1.0 * $1.1 }
          scores[ScoredPlace(type: type, start: start, end: end)] =
            product / Double(headSize).squareRoot()
            + row.biasScale * (offsets[start].0 + offsets[end].1)
        }
      }
    }
    return scores
  }

  private func query(_ u: [Double], _ type: Int) -> [Double] {
    guard kind == .efficient else { return Array(u[2 * headSize * type..<2 * headSize * type + headSize]) }
    return part(u, from: 0)
  }

  private func key(_ u: [Double], _ type: Int) -> [Double] {
    guard kind == .efficient else {
      return Array(u[2 * headSize * type + headSize..<2 * headSize * (type + 1)])
    }
    return part(u, from: headSize)
  }

  private func part(_ u: [Double], from first: Int) -> [Double] {
    var part = [Double](repeating: .nan, count: headSize)
    for stored in u.indices {
      let channel = row.channel(stored, headSize: headSize) - first
      if part.indices.contains(channel) { part[channel] = u[stored] }
    }
    return part
  }

  private func biases(_ h: [Double], _ u: [Double], _ type: Int) -> (Double, Double) {
    guard kind == .efficient else { return (0, 0) }
    var result = (Double.nan, Double.nan)
    for (stored, value) in bias(row.biasReadsHidden ? h : u).enumerated() {
      let (owner, isEnd) = row.bias(stored, types: types)
      guard owner == type else { continue }
      if isEnd { result.1 = value } else { result.0 = value }
    }
    return result
  }

  private func turned(_ vector: [Double], by position: Int) -> [Double] {
    guard rope, kind == .efficient || !row.plainIsUnrotated else { return vector }
    var result = vector
    for i in 0..<headSize / 2 {
      let angle = Double(position) * pow(10_000, -2 * Double(i) / Double(headSize))
      let (x, y) = (vector[2 * i], vector[2 * i + 1])
      result[2 * i] = x * cos(angle) - y * sin(angle)
      result[2 * i + 1] = x * sin(angle) + y * cos(angle)
    }
    return result
  }
}
