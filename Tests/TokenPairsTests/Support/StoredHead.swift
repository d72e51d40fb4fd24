import Engine
import Foundation
import ModelFiles
import Networks
import Testing

@testable import TokenPairs

/// One training code, described by what its published source does.
struct DialectRow: Sendable, CustomTestStringConvertible {
  enum Split: Sendable { case alternating, halves }
  enum BiasOrder: Sendable { case evenEnd, evenStart, firstHalfEnd, firstHalfStart }

  let name: String
  let split: Split
  let biasOrder: BiasOrder
  let biasScale: Double
  var biasReadsHidden = false
  var storesInputsFirst = false
  /// Its GlobalPointer turns queries and keys along the head axis, which cancels out.
  var plainIsUnrotated = false

  var testDescription: String { name }

  static let all = [
    DialectRow("weft", .halves, .firstHalfStart, 0.5),
    DialectRow("bert4keras", .alternating, .evenEnd, 0.5),
    DialectRow("paddle", .alternating, .evenEnd, 0.5, storesInputsFirst: true),
    DialectRow("junnyu", .alternating, .evenEnd, 0.5),
    DialectRow("powerycy", .alternating, .evenEnd, 0.5),
    DialectRow("gaohongkui", .alternating, .evenEnd, 0.5),
    DialectRow("xhw205", .alternating, .evenEnd, 0.5, biasReadsHidden: true),
    DialectRow("adaseq", .alternating, .evenEnd, 0.5, biasReadsHidden: true),
    DialectRow("bert4torch", .halves, .evenStart, 0.5),
    DialectRow("bert4torch-0.2.7", .halves, .evenStart, 0.5, plainIsUnrotated: true),
    DialectRow("bert4torch-0.2.5", .halves, .evenStart, 1, plainIsUnrotated: true),
    DialectRow("taishan1994", .halves, .evenStart, 1, plainIsUnrotated: true),
    DialectRow("ark-nlp", .halves, .firstHalfEnd, 0.5),
  ]

  init(
    _ name: String, _ split: Split, _ biasOrder: BiasOrder, _ biasScale: Double,
    biasReadsHidden: Bool = false, storesInputsFirst: Bool = false, plainIsUnrotated: Bool = false
  ) {
    self.name = name
    self.split = split
    self.biasOrder = biasOrder
    self.biasScale = biasScale
    self.biasReadsHidden = biasReadsHidden
    self.storesInputsFirst = storesInputsFirst
    self.plainIsUnrotated = plainIsUnrotated
  }

  /// What the stored projection's channel `stored` of an efficient head is: a channel of `[q | k]`.
  func channel(_ stored: Int, headSize: Int) -> Int {
    switch split {
    case .halves: stored
    case .alternating where stored.isMultiple(of: 2): stored / 2
    case .alternating: headSize + stored / 2
    }
  }

  /// Which bias the stored bias layer's output `stored` is.
  func bias(_ stored: Int, types: Int) -> (type: Int, isEnd: Bool) {
    switch biasOrder {
    case .evenEnd: (stored / 2, stored.isMultiple(of: 2))
    case .evenStart: (stored / 2, !stored.isMultiple(of: 2))
    case .firstHalfEnd: (stored % types, stored < types)
    case .firstHalfStart: (stored % types, stored >= types)
    }
  }
}

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
      "weft", .halves, .firstHalfStart, Double(parameters.shape.biasScale),
      biasReadsHidden: parameters.shape.biasInput == .hidden)
    kind = parameters.shape.kind
    types = parameters.shape.types
    headSize = parameters.shape.headSize
    self.hiddenSize = hiddenSize
    rope = parameters.shape.rope
    triangular = parameters.shape.triangular
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

/// A head loaded from the files of a model directory, and the sequences it scores.
struct HeadRun {
  let engine: Engine
  let head: PairHead
  let lengths: [Int]
  let hidden: [Float]
  let width: Int

  /// Imports `stored` through the files that it writes, and makes up hidden states.
  init(_ stored: StoredHead, lengths: [Int], on engine: Engine, seed: UInt64 = 99) async throws {
    let scratch = try Scratch()
    try stored.write(to: scratch)
    let description = try ModelDescription(directory: scratch.path)
    let parameters = try description.spanHead.parameters(
      from: Checkpoint(directory: scratch.path), hiddenSize: stored.hiddenSize)
    var random = SeededGenerator(seed)
    self.engine = engine
    self.lengths = lengths
    width = stored.hiddenSize
    hidden = random.floats(lengths.reduce(0, +) * stored.hiddenSize).map { 2 * $0 }
    head = try await PairHead(parameters, positions: lengths.max() ?? 1, on: engine)
  }

  /// The hidden states of each sequence.
  var sequences: [[[Double]]] {
    var row = 0
    return lengths.map { length in
      defer { row += length }
      return (row..<row + length).map { t in
        hidden[t * width..<(t + 1) * width].map { Double($0) }
      }
    }
  }

  func cells(above threshold: Float, capacity: Int = 4096) async throws -> [PairCell] {
    var submission = Submission()
    let batch = TokenBatch(lengths.map { [Int32](repeating: 0, count: $0) })
    let tokens = try DeviceTokens(batch, on: engine, uploadedBy: &submission)
    let tensor = try engine.makeTensor(.float32, tokens.count, width)
    try submission.upload(.float32(hidden), to: tensor)
    let query = try head.query(hidden: tensor, tokens, threshold: threshold, in: &submission)
    return try await engine.cells(query, after: submission, capacity: capacity)
  }

  /// Expects `cells` to be exactly those that the formula allows, with its scores.
  func check(
    _ cells: [PairCell], against stored: StoredHead, tolerance: Double = 5e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var found: [[ScoredPlace: Double]] = lengths.map { _ in [:] }
    for cell in cells {
      let place = ScoredPlace(type: cell.matrix % stored.types, start: cell.row, end: cell.column)
      let earlier = found[cell.matrix / stored.types].updateValue(Double(cell.score), forKey: place)
      #expect(earlier == nil, "\(place) twice", sourceLocation: sourceLocation)
    }
    for (sequence, found) in zip(sequences, found) {
      let expected = stored.scores(hidden: sequence)
      #expect(Set(found.keys) == Set(expected.keys), sourceLocation: sourceLocation)
      let worst = expected.map { place, score in
        abs(score - (found[place] ?? .infinity)) / max(1, abs(score))
      }.max()
      #expect(worst ?? 0 <= tolerance, sourceLocation: sourceLocation)
    }
  }
}
