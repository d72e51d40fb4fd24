import Engine
import TestDevices
import Testing
import Weft

@testable import Networks

/// A family of networks may bring steps, layers and inputs of its own.
@Suite struct NetworkGraphTests {
  private static let vectors = PassInput<Tensor>("vectors")
  private static let layer = LinearLayer("layer", inputs: 4, outputs: 4)

  /// Two steps with the same layer: one of this file, whose input is the caller's, then one of those that all share.
  private static func graph() -> NetworkGraph {
    var writer = GraphWriter()
    let first = writer.value(.items, 4)
    writer.add(
      NetworkStep("own", reads: [], writes: [first], layers: [layer]) { pass throws(EngineError) in
        DenseLayer(
          try pass.input(vectors), rows: pass.batch.items, weights: try pass.weights(of: layer),
          into: pass.tensor(first))
      })
    let second = writer.linear(layer, first, activation: .relu)
    return writer.graph(typicalBatch: .images(1), results: [second])
  }

  @Test(arguments: TestDevice.available) func ownStepsRunWithTheOthers(_ device: TestDevice) async throws {
    let graph = Self.graph()
    let engine = try await device.engine()
    let network = try await Network(graph, weights: RandomWeights(seed: 3), prefix: "own.", on: engine)
    let pass = try Pass(network, over: .images(3))
    let elements = (0..<12).map { Float($0 * 5 % 7) - 3 }
    var inputs = PassInputs()
    inputs[Self.vectors] = try await engine.upload(.float32(elements), shape: [3, 4])
    var submission = Submission()
    try pass.append(inputs, to: &submission)
    let place = try submission.download(pass.tensor(graph.results[0]))
    let found = try await engine.run(submission)[place].floats

    let weights = try RandomWeights(seed: 3).floats(named: "own.layer.weight", shape: [4, 4])
    let bias = try RandomWeights(seed: 3).floats(named: "own.layer.bias", shape: [4])
    func product(_ row: [Float]) -> [Float] {
      (0..<4).map { o in (0..<4).reduce(bias[o]) { $0 + weights[o * 4 + $1] * row[$1] } }
    }
    let expected = (0..<3).flatMap { row in
      product(product(Array(elements[row * 4..<row * 4 + 4]))).map { max(0, $0) }
    }
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 } && found.count == 12, "\(found), \(expected)")
    #expect(expected.contains { $0 > 0 })
  }

  /// A layer that two steps use is read once.
  @Test func aSharedLayerIsOne() async throws {
    let graph = Self.graph()
    #expect(graph.layers.count == 1 && graph.parameterCount == 20)
    #expect(graph.tensors == [ExpectedTensor("layer.weight", [4, 4]), ExpectedTensor("layer.bias", [4])])
  }

  @Test func aPassWithoutItsInputSaysWhich() async throws {
    let engine = try await TestDevice.reference.engine()
    let network = try await Network(Self.graph(), weights: RandomWeights(seed: 3), on: engine)
    var submission = Submission()
    do {
      try Pass(network, over: .images(1)).append(PassInputs(), to: &submission)
      Issue.record("it ran")
    } catch { #expect(error.message == "network: a pass without 'vectors'") }
  }
}
