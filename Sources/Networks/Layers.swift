package import Engine
package import ModelFiles

/// A tensor that a checkpoint must hold.
package struct ExpectedTensor: Sendable, Hashable {
  package let name: String
  package let shape: [Int]

  package init(_ name: String, _ shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  package var count: Int { shape.reduce(1, *) }
}

/// Where a network's tensors come from.
package protocol WeightSource: Sendable {
  /// A tensor's elements, widened, row major.
  /// - Throws: `ModelFileError` if there is none of that name, or it has another shape.
  func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float]
}

extension Checkpoint: WeightSource {}

extension Checkpoint {
  /// Checks the shape of a tensor without reading it.
  /// - Parameters:
  ///   - name: the tensor's name in the file.
  ///   - shape: the shape that it must have.
  ///   - configuration: the file that asks for it.
  /// - Throws: `ModelFileError` if the tensor is missing or has another shape.
  package func check(_ name: String, _ shape: [Int], configuration: String) throws(ModelFileError) {
    guard let entry = entry(named: name) else { throw missing(name) }
    guard entry.shape == shape else {
      throw ModelFileError(
        file: path, subject: "tensor \(name.quoted)",
        problem: "shape \(entry.shape), where \(configuration) asks for \(shape)")
    }
  }
}

/// Weights as a fresh network has them, for measuring shapes without a file.
package struct RandomWeights: WeightSource {
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Uniform with a standard deviation of 0.02; the gains of normalisations are 1.
  package func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    let count = shape.reduce(1, *)
    // Of all weights only normalisations' are vectors.
    if shape.count == 1 && name.hasSuffix(".weight") { return [Float](repeating: 1, count: count) }
    var generator = SplitMix64(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    let limit = 0.02 * Float(3).squareRoot()
    return (0..<count).map { _ in Float.random(in: -limit...limit, using: &generator) }
  }
}

/// Reads the tensors of a source for an engine's device.
package struct WeightReader: Sendable {
  private let source: any WeightSource
  private let prefix: String
  package let engine: Engine

  package init(source: any WeightSource, prefix: String, engine: Engine) {
    self.source = source
    self.prefix = prefix
    self.engine = engine
  }

  /// A tensor's elements.
  package func floats(_ tensor: ExpectedTensor) throws(ModelFileError) -> [Float] {
    try source.floats(named: prefix + tensor.name, shape: tensor.shape)
  }

  /// A tensor as it is, on the device.
  package func upload(_ tensor: ExpectedTensor) async throws -> Tensor {
    try await engine.upload(.float32(try floats(tensor)), shape: tensor.shape)
  }
}

/// Device memory of weights, in bytes.
package struct LayerBytes: Sendable, Hashable {
  /// As they are packed.
  package var packed = 0
  /// What packing takes besides, of one layer.
  package var transient = 0

  package init(packed: Int = 0, transient: Int = 0) {
    self.packed = packed
    self.transient = transient
  }
}

/// The parameters of a layer: the tensors a checkpoint holds for it, and the form in which its operation takes them.
package protocol NetworkLayer: Sendable {
  /// What the operation takes.
  associatedtype Weights: Sendable

  /// The layer's name in the checkpoint. Layers of one type and name are the same layer, and are loaded once.
  var name: String { get }
  /// The name for tables.
  var title: String { get }
  /// The tensors, in the order in which they are read.
  var tensors: [ExpectedTensor] { get }
  /// What it takes in a device's layout.
  func bytes(in layout: WeightLayout) -> LayerBytes
  /// Reads the weights onto the device.
  /// - Throws: `ModelFileError` for a tensor that is missing or has another shape; `EngineError` if the device has no room.
  func load(_ reader: WeightReader) async throws -> Weights
}

extension NetworkLayer {
  package var title: String { name }

  /// What tells the layers of a graph apart.
  var key: LayerKey { LayerKey(type: ObjectIdentifier(Self.self), name: name) }
}

struct LayerKey: Sendable, Hashable {
  let type: ObjectIdentifier
  let name: String
}

/// A linear layer, `name.weight` `[outputs, inputs]` and `name.bias` `[outputs]`, or several on the same input, side by
/// side in one product.
package struct LinearLayer: NetworkLayer {
  package let names: [String]
  package let inputs: Int
  /// Of each layer.
  package let outputs: [Int]

  package init(_ names: [String], inputs: Int, outputs: [Int]) {
    precondition(!names.isEmpty && names.count == outputs.count)
    self.names = names
    self.inputs = inputs
    self.outputs = outputs
  }

  package init(_ name: String, inputs: Int, outputs: Int) { self.init([name], inputs: inputs, outputs: [outputs]) }

  package var name: String { names[0] }
  package var title: String { names.count == 1 ? name : "\(name) …" }
  /// Outputs of all layers.
  package var width: Int { outputs.reduce(0, +) }

  package var tensors: [ExpectedTensor] {
    zip(names, outputs).flatMap { name, outputs in
      [ExpectedTensor("\(name).weight", [outputs, inputs]), ExpectedTensor("\(name).bias", [outputs])]
    }
  }

  package func bytes(in layout: WeightLayout) -> LayerBytes {
    LayerBytes(
      packed: 4 * (layout.columns(width) * inputs + width), transient: 4 * width * inputs)
  }

  package func load(_ reader: WeightReader) async throws -> DenseWeights {
    var weights: [Float] = []
    var bias: [Float] = []
    for tensor in tensors {
      let elements = try reader.floats(tensor)
      if tensor.shape.count == 2 { weights += elements } else { bias += elements }
    }
    return try await reader.engine.makeDenseWeights(weights, bias: bias, outputs: width, inputs: inputs)
  }
}

/// A convolution, `name.weight` `[outputs, inputs, size, size]` and `name.bias` `[outputs]`.
package struct ConvolutionLayer: NetworkLayer {
  package let name: String
  package let inputs: Int
  package let outputs: Int
  /// 1 or 3: the window's height and width.
  package let size: Int
  /// Whether the image is made twice as large before.
  package var upsamples = false
  /// Whether it takes transformed images where a device gains by that; see `Convolution.gainsByTransforms`.
  package internal(set) var transforms = false
  /// Whether it is stored as a linear layer, `[outputs, inputs]`.
  package var isLinear = false

  package var tensors: [ExpectedTensor] {
    let sides = isLinear ? [] : [size, size]
    return [
      ExpectedTensor("\(name).weight", [outputs, inputs] + sides), ExpectedTensor("\(name).bias", [outputs]),
    ]
  }

  package func bytes(in layout: WeightLayout) -> LayerBytes {
    // Four phases of 2 × 2 taps stand for 3 × 3 where an image is made larger, 4 × 4 positions where it is transformed.
    let taps = (upsamples || (transforms && layout.transformsConvolutions) ? 16 : size * size) * inputs
    return LayerBytes(packed: 4 * (layout.columns(outputs) * taps + outputs + inputs), transient: 4 * outputs * taps)
  }

  package func load(_ reader: WeightReader) async throws -> ConvolutionWeights {
    let tensors = tensors
    return try await reader.engine.makeConvolutionWeights(
      try reader.floats(tensors[0]), bias: try reader.floats(tensors[1]), outputs: outputs, inputs: inputs, size: size,
      upsamples: upsamples, transforms: transforms)
  }
}

/// A normalisation of layers or groups, `name.weight` and `name.bias`, both `[channels]`.
package struct NormalizationLayer: NetworkLayer {
  package let name: String
  package let channels: Int
  /// Added to the variance.
  package let epsilon: Double

  package init(_ name: String, channels: Int, epsilon: Double) {
    self.name = name
    self.channels = channels
    self.epsilon = epsilon
  }

  package var tensors: [ExpectedTensor] { ["weight", "bias"].map { ExpectedTensor("\(name).\($0)", [channels]) } }

  package func bytes(in layout: WeightLayout) -> LayerBytes { LayerBytes(packed: 8 * channels) }

  package func load(_ reader: WeightReader) async throws -> NormalizationWeights {
    let tensors = tensors
    let (gain, bias) = (try reader.floats(tensors[0]), try reader.floats(tensors[1]))
    return NormalizationWeights(
      gain: try await reader.engine.upload(.float32(gain), shape: [channels]),
      bias: try await reader.engine.upload(.float32(bias), shape: [channels]), epsilon: Float(epsilon))
  }
}

/// A normalisation's parameters.
package struct NormalizationWeights: Sendable {
  package let gain: Tensor
  package let bias: Tensor
  package let epsilon: Float
}

/// A table of vectors, `name.weight` `[rows, channels]`.
package struct TableLayer: NetworkLayer {
  package let name: String
  package let rows: Int
  package let channels: Int

  package init(_ name: String, rows: Int, channels: Int) {
    self.name = name
    self.rows = rows
    self.channels = channels
  }

  package var tensors: [ExpectedTensor] { [ExpectedTensor("\(name).weight", [rows, channels])] }

  package func bytes(in layout: WeightLayout) -> LayerBytes { LayerBytes(packed: 4 * rows * channels) }

  package func load(_ reader: WeightReader) async throws -> Tensor { try await reader.upload(tensors[0]) }
}

/// The frequencies of a sinusoidal time embedding: computed, not stored.
package struct FrequencyLayer: NetworkLayer {
  /// Of the embedding.
  package let channels: Int
  /// As `Engine.makeTimeFrequencies` takes it.
  package let shift: Double
  package let cosineFirst: Bool

  package init(channels: Int, shift: Double, cosineFirst: Bool) {
    self.channels = channels
    self.shift = shift
    self.cosineFirst = cosineFirst
  }

  package var name: String { "" }
  package var tensors: [ExpectedTensor] { [] }

  package func bytes(in layout: WeightLayout) -> LayerBytes { LayerBytes(packed: 8 * (channels / 2)) }

  package func load(_ reader: WeightReader) async throws -> TimeFrequencies {
    try await reader.engine.makeTimeFrequencies(channels: channels, shift: shift, cosineFirst: cosineFirst)
  }
}
