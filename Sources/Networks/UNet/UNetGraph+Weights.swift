/// A tensor that a checkpoint must hold.
package struct ExpectedTensor: Sendable, Hashable {
  package let name: String
  package let shape: [Int]

  package var count: Int { shape.reduce(1, *) }
}

extension UNetGraph {
  /// The tensors of a network of this shape, by diffusers' names for them.
  package var tensors: [ExpectedTensor] {
    var tensors: [ExpectedTensor] = []
    func add(_ name: String, _ shape: [Int]) {
      tensors.append(ExpectedTensor(name: "\(name).weight", shape: shape))
      tensors.append(ExpectedTensor(name: "\(name).bias", shape: [shape[0]]))
    }
    for step in steps {
      switch step {
      case .linear(let layer, _, _, _):
        for (name, outputs) in zip(layer.names, layer.outputs) { add(name, [outputs, layer.inputs]) }
      case .convolve(let step):
        let window = step.window
        let sides = window.isLinear ? [] : [window.size, window.size]
        add(window.name, [window.outputs, window.inputs] + sides)
      case .normalize(let step): add(step.name, [step.channels])
      case .embedTimes, .readSamples, .packKeys, .attend, .writeAnswer: continue
      }
    }
    return tensors
  }

  /// Numbers in all tensors.
  package var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }

  /// Device memory of the weights as they are packed, in bytes, and of the largest layer while it is.
  package func weightBytes(panelWidth: Int) -> (packed: Int, transient: Int) {
    func columns(_ outputs: Int) -> Int { (outputs + panelWidth - 1) / panelWidth * panelWidth }
    var (packed, transient) = (0, 0)
    for step in steps {
      switch step {
      case .linear(let layer, _, _, _):
        packed += 4 * (columns(layer.width) * layer.inputs + layer.width)
        transient = max(transient, 4 * layer.width * layer.inputs)
      case .convolve(let step):
        // Four phases of 2 × 2 taps stand for 3 × 3 where an image is made larger.
        let taps = (step.window.upsamples ? 16 : step.window.size * step.window.size) * step.window.inputs
        packed += 4 * (columns(step.window.outputs) * taps + step.window.outputs + step.window.inputs)
        transient = max(transient, 4 * step.window.outputs * taps)
      case .normalize(let step): packed += 8 * step.channels
      case .embedTimes(let output): packed += 4 * values[output].channels
      case .readSamples, .packKeys, .attend, .writeAnswer: continue
      }
    }
    return (packed, transient)
  }
}
