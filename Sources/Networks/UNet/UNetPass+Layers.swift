package import Engine

/// One operation of a pass by itself, and what it costs: for measuring.
package struct UNetLayer: Sendable {
  /// What kind of operation it is.
  package let kind: String
  /// The layer's name in the checkpoint; empty for what has none.
  package let name: String
  package let operation: any DeviceOperation
  /// Multiplications and additions of products; those beyond an image's edge count, and of an image made larger those
  /// of its copied pixels.
  package let floatingPointOperations: Double
  /// Bytes of the values and weights that it reads and writes, each once.
  package let bytes: Int
}

extension UNetPass {
  /// The pass's operations, in their order.
  ///
  /// - Parameters:
  ///   - samples: as for a pass.
  ///   - levels: as for a pass.
  ///   - answer: as for a pass.
  /// - Returns: an operation and its figures for each step.
  /// - Throws: `EngineError` if the tensors do not fit the network.
  package func layers(
    _ samples: Tensor, at levels: CoefficientRows, into answer: Tensor
  ) throws(EngineError) -> [UNetLayer] {
    var layers: [UNetLayer] = []
    for step in network.graph.steps {
      let (kind, name) = step.title
      let touched = Set(step.reads(times: network.graph.times) + [step.writes].compactMap { $0 })
      let values = touched.reduce(0) {
        $0 + network.graph.bytes(of: network.graph.values[$1], images: images, panelWidth: network.engine.panelWidth)
      }
      layers.append(
        UNetLayer(
          kind: kind, name: name, operation: try operation(step, samples, levels, answer),
          floatingPointOperations: 2 * multiplications(step), bytes: values + 4 * step.weights))
    }
    return layers
  }

  private func multiplications(_ step: UNetGraph.Step) -> Double {
    func pixels(_ level: Int) -> Double { Double(images * network.graph.pixels(ofLevel: level)) }
    switch step {
    case .linear(let layer, _, let input, _):
      let rows =
        switch network.graph.values[input].extent {
        case .pixels(let level): pixels(level)
        case .images, .keys: Double(images)
        }
      return rows * Double(layer.inputs * layer.width)
    case .convolve(let step):
      let level = step.level + (step.halves ? 1 : 0) - (step.window.upsamples ? 1 : 0)
      return pixels(level) * Double(step.weights)
    case .attend(let step):
      return 2 * pixels(step.level) * Double(network.graph.pixels(ofLevel: step.level) * step.heads * step.size)
    case .embedTimes, .readSamples, .normalize, .packKeys, .writeAnswer: return 0
    }
  }
}

extension UNetGraph.Convolving {
  /// Numbers of the window.
  fileprivate var weights: Int { window.inputs * window.outputs * window.size * window.size }
}

extension UNetGraph.Step {
  fileprivate var title: (kind: String, name: String) {
    switch self {
    case .embedTimes: ("time embedding", "")
    case .linear(let layer, _, _, _): ("linear", layer.names.count == 1 ? layer.names[0] : "\(layer.names[0]) …")
    case .readSamples: ("pixel order", "")
    case .convolve(let step): ("convolution \(step.window.size)×\(step.window.size)", step.window.name)
    case .normalize(let step): ("group normalisation", step.name)
    case .packKeys: ("pack keys", "")
    case .attend: ("attention", "")
    case .writeAnswer: ("pixel order", "")
    }
  }

  /// Numbers of its weights.
  fileprivate var weights: Int {
    switch self {
    case .linear(let layer, _, _, _): layer.inputs * layer.width
    case .convolve(let step): step.weights
    case .normalize(let step): 2 * step.channels
    case .embedTimes, .readSamples, .packKeys, .attend, .writeAnswer: 0
    }
  }
}
