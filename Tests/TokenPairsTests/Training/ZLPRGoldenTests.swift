import Engine
import Foundation
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Losses and gradients against PyTorch's autograd in float64 (`Goldens/make_zlpr_goldens.py`), on both backends.
@Suite struct ZLPRGoldenTests {
  @Test(arguments: TestDevice.available) func denseRows(device: TestDevice) async throws {
    let file = try GoldenTensors("zlpr-dense")
    let (rows, classes) = (13, 37)
    let result = try await ZLPR(on: try await device.engine()).lossAndGradient(
      logits: try file.floats("logits"), classes: classes, labels: .soft(try file.floats("labels")),
      mask: try file.integers("counted").map { $0 != 0 })
    let losses = try file.doubles("zlpr.loss")
    let gradient = try file.doubles("zlpr.gradient")
    for row in 0..<rows {
      #expect(abs(Double(result.losses[row]) - losses[row]) <= 2e-6 * max(1, abs(losses[row])), "row \(row)")
      for cell in row * classes..<(row + 1) * classes {
        // A logarithm near 10⁴ is known to 5e-4, and so is what is divided by its power.
        let allowed = 2e-6 + (losses[row] > 1000 ? 2e-3 : 1e-5) * abs(gradient[cell])
        #expect(abs(Double(result.gradient[cell]) - gradient[cell]) <= allowed, "row \(row), cell \(cell)")
      }
    }
    for (at, counts) in try file.integers("counted").enumerated() where counts == 0 {
      #expect(result.gradient[at] == 0)
    }
  }

  @Test(arguments: TestDevice.available) func tokenPairs(device: TestDevice) async throws {
    struct Case: Decodable {
      let name, head, loss: String
      let rope, triangular: Bool
      let margin: Int
    }
    let file = try GoldenTensors("zlpr-pairs")
    let engine = try await device.engine()
    let cases = try JSONDecoder().decode([Case].self, from: Data(try #require(file.metadata["cases"]).utf8))
    #expect(cases.count == 16)
    for item in cases {
      let isEfficient = item.head == "efficient"
      let (tokens, types, size) = (48, 3, 8)
      let heads = isEfficient ? 1 : types
      var submission = Submission()
      let lengths = Segments(lengths: [5, 1, 9, 33])
      let segments = try engine.makeSegmentTable(lengths, uploadedBy: &submission)
      let positions = try await engine.upload(.int32(lengths.positions), shape: [tokens])
      func slices(_ tensor: Tensor) -> HeadSlices {
        HeadSlices(tensor, headStride: size, heads: heads, channels: size)
      }
      func made() throws -> HeadSlices { slices(try engine.makeTensor(.float32, tokens, heads * size)) }
      var turned: [HeadSlices] = []
      for name in ["queries", "keys"] {
        let values = try file.floats("\(item.head).\(name)")
        let plain = slices(try await engine.upload(.float32(values), shape: [tokens, heads * size]))
        guard item.rope else {
          turned.append(plain)
          continue
        }
        let rotary = try await engine.makeRotaryTable(positions: 33, channels: size)
        turned.append(try made())
        try submission.append(
          RotateRows(plain, rows: tokens, positions: positions, rotary: rotary, into: turned[turned.count - 1])
        )
      }
      var biases: PairLossPass.Biases?
      if isEfficient {
        let (starts, ends) = (try file.floats("efficient.starts"), try file.floats("efficient.ends"))
        var joined: [Float] = []
        for token in 0..<tokens {
          joined += starts[token * types..<(token + 1) * types]
          joined += ends[token * types..<(token + 1) * types]
        }
        biases = PairLossPass.Biases(
          try await engine.upload(.float32(joined), shape: [tokens, 2 * types]), types: types, scale: 0.5,
          gradients: try engine.makeTensor(.float32, tokens, 2 * types))
      }
      let cells = try file.integers("\(item.name).cells")
      let labels = try file.floats("\(item.name).values").enumerated().map { index, value in
        let cell = cells[4 * index..<4 * index + 4].map(Int.init)
        return CellLabel(segment: cell[0], type: cell[1], start: cell[2], end: cell[3], value: value)
      }
      let slopes = (queries: try made(), keys: try made())
      let totals = try PairLossPass(
        item.loss == "zlpr" ? .zlpr : .binary, queries: turned[0], keys: turned[1], segments: segments,
        scale: 1 / Float(size).squareRoot(), triangular: item.triangular, margin: item.margin, biases: biases,
        labels: labels, backgrounds: try file.floats("\(item.name).background"), weight: 0.25, gradients: slopes
      ).append(to: &submission, on: engine)
      var results = [slopes.queries, slopes.keys]
      if item.rope {
        let inverse = try await engine.makeRotaryTable(positions: 33, channels: size, inverse: true)
        for part in 0..<2 {
          let back = try made()
          try submission.append(
            RotateRows(results[part], rows: tokens, positions: positions, rotary: inverse, into: back))
          results[part] = back
        }
      }
      try submission.download(totals)
      for slices in results { try submission.download(slices.tensor) }
      if let gradients = biases?.gradients { try submission.download(gradients) }
      let got = try await engine.run(submission).map(\.floats)

      let losses = stride(from: 0, to: got[0].count, by: PairLoss.totalWidth).map { got[0][$0] }
      expect(losses, try file.doubles("\(item.name).loss"), "\(item.name) loss")
      expect(got[1], try file.floats("\(item.name).queries").map(Double.init), "\(item.name) queries")
      expect(got[2], try file.floats("\(item.name).keys").map(Double.init), "\(item.name) keys")
      guard isEfficient else { continue }
      for (half, name) in ["starts", "ends"].enumerated() {
        var values: [Float] = []
        for token in 0..<tokens {
          let first = (2 * token + half) * types
          values += got[3][first..<first + types]
        }
        expect(values, try file.floats("\(item.name).\(name)").map(Double.init), "\(item.name) \(name)")
      }
    }
  }

  private func expect(_ got: [Float], _ exact: [Double], _ label: String) {
    #expect(got.count == exact.count)
    for (at, (value, exact)) in zip(got, exact).enumerated() {
      #expect(abs(Double(value) - exact) <= 3e-6 + 2e-5 * abs(exact), "\(label) \(at): \(value), not \(exact)")
    }
  }

  /// The loss is least at t = sigmoid(2s).
  @Test(arguments: TestDevice.available) func optimum(device: TestDevice) async throws {
    let logits: [Float] = [-3, -1, -0.25, 0, 0.5, 2, 4]
    let labels = logits.map { 1 / (1 + Float(exp(-2 * Double($0)))) }
    let zlpr = ZLPR(on: try await device.engine())
    let result = try await zlpr.lossAndGradient(logits: logits, classes: 7, labels: .soft(labels))
    #expect(result.gradient.allSatisfy { abs($0) < 1e-6 })
  }

  /// Positions, soft labels of 0 and 1, and sparse labels are the same, to the bit.
  @Test(arguments: TestDevice.available) func forms(device: TestDevice) async throws {
    let logits: [Float] = [3, -2, 0.5, 9, -1, 1e4]
    let zlpr = ZLPR(on: try await device.engine())
    let hard = try await zlpr.lossAndGradient(logits: logits, classes: 3, labels: .positives([[0, 2], [1]]))
    let soft = try await zlpr.lossAndGradient(logits: logits, classes: 3, labels: .soft([1, 0, 1, 0, 1, 0]))
    let sparse = try await zlpr.lossAndGradient(
      logits: logits, classes: 3,
      labels: .sparse([
        [.init(type: 0, probability: 1), .init(type: 2, probability: 1)], [.init(type: 1, probability: 1)],
      ]))
    #expect(hard == soft)
    #expect(hard == sparse)
    #expect(hard.losses.allSatisfy(\.isFinite) && hard.gradient.allSatisfy(\.isFinite))
  }

  @Test func badInput() async throws {
    let zlpr = ZLPR(on: try await TestDevice.reference.engine())
    await #expect(throws: EngineError.self) {
      try await zlpr.lossAndGradient(logits: [1, 2, 3], classes: 2, labels: .positives([[0]]))
    }
    await #expect(throws: EngineError.self) {
      try await zlpr.lossAndGradient(logits: [1, 2], classes: 2, labels: .positives([[2]]))
    }
    await #expect(throws: EngineError.self) {
      try await zlpr.lossAndGradient(logits: [1, 2], classes: 2, labels: .soft([0.5, 1.5]))
    }
    await #expect(throws: EngineError.self) {
      try await zlpr.lossAndGradient(logits: [1, 2], classes: 2, labels: .positives([[1, 1]]))
    }
    await #expect(throws: EngineError.self) {
      try await zlpr.lossAndGradient(logits: [1, 2], classes: 2, labels: .soft([0.5, 1]), mask: [true])
    }
  }
}

/// Tensors that a script stored, also of types that models do not use.
private struct GoldenTensors {
  private let file: SafetensorsFile

  init(_ name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    file = try SafetensorsFile(path: folder.appending(path: "Goldens/\(name).safetensors").path(percentEncoded: false))
  }

  var metadata: [String: String] { file.metadata }

  func floats(_ name: String) throws -> [Float] { try file.floats(named: name) }
  func integers(_ name: String) throws -> [Int32] { try file.integers(named: name).map { Int32($0) } }
  func doubles(_ name: String) throws -> [Double] { try floats(name).map(Double.init) }
}
