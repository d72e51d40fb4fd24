@testable import Conformance
import Diffusion
import Engine
import Foundation
import Logging
import Networks
import Testing

/// Every operation beside PyTorch in float64 (Goldens/make_operation_goldens.py). What the conformance kit takes for the
/// truth, the operations' references, is held here; `AdamWStep` is held by `AdamWGoldenTests`.
@Suite struct OperationGoldenTests {
  @Test(arguments: OperationGolden.all) func referenceFollowsPyTorch(_ golden: OperationGolden) async throws {
    // Sums in Double: what is left is the rounding of results, and of tables and scratch on the way.
    try await golden.check(on: .reference, within: Tolerance(absolute: golden.reference, relative: golden.reference))
  }

  @Test(.needsDevice, arguments: OperationGolden.all, TestBackend.devices)
  func deviceFollowsPyTorch(_ golden: OperationGolden, _ backend: TestBackend) async throws {
    let engine = Engine(backend: try backend.open(), logger: Logger(label: "test"))
    try await golden.check(on: engine, within: Tolerance(absolute: golden.absolute, relative: golden.relative))
  }

  /// What the kit runs, and no golden or test of another name holds.
  @Test func everyOperationIsHeld() async throws {
    let recorder = OperationRecorder()
    let engine = Engine(backend: recorder, logger: Logger(label: "test"))
    for golden in OperationGolden.all { try await golden.check(on: engine, within: Tolerance(absolute: 1)) }
    let held = Set(recorder.operations.map(\.typeName)).union(["AdamWStep"])
    let kit = OperationRecorder()
    _ = await ConformanceKit.run(on: kit, small: true)
    #expect(Set(kit.operations.map(\.typeName)).subtracting(held) == [])
  }
}

extension DeviceOperation {
  /// The operation's type; of a product, its epilogue's.
  fileprivate var typeName: String {
    if let product = self as? PairwiseProduct { "\(type(of: product.epilogue))" } else { "\(type(of: self))" }
  }
}

/// One operation on given inputs, and what PyTorch makes of them.
struct OperationGolden: Decodable, Sendable, CustomTestStringConvertible {
  let operation: String
  let name: String
  /// How far a device may be from it.
  let absolute: Double
  let relative: Double
  /// How far the reference may be from it, absolute and relative.
  let reference: Double
  private let numbers: [String: Double]
  private let inputs: [String: [Float]]
  private let integers: [String: [Int]]
  private let outputs: [String: [Double]]

  var testDescription: String { "\(operation), \(name)" }

  static let all: [OperationGolden] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/operations.json")
    do {
      return try JSONDecoder().decode([OperationGolden].self, from: Data(contentsOf: file))
    } catch {
      Issue.record(error)
      return []
    }
  }()

  /// Stages the operation, runs it, and compares each output, guards included.
  func check(on engine: Engine, within tolerance: Tolerance) async throws {
    var workspace = Workspace(engine)
    let staged = try await stage(in: &workspace)
    #expect(Set(staged.map(\.name)) == Set(outputs.keys))
    let results = try await workspace.run(reading: staged.map(\.tensor))
    for (output, result) in zip(staged, results) {
      let (values, expected) = (output.arranged(result), try #require(outputs[output.name]))
      try #require(values.count == expected.count, "\(output.name)")
      let worst = zip(values, expected).map { abs($0 - $1) - tolerance.allows($1) }.max() ?? .infinity
      let isFinite = values.allSatisfy(\.isFinite)
      #expect(isFinite && worst <= 0, "\(output.name) differs by \(worst) more than is allowed")
      let behind = result.floats.dropFirst(output.tensor.count)
      #expect(behind.allSatisfy(Poison.isIntact), "memory behind \(output.name) was written")
    }
  }

  // What staging asks for.
  func int(_ name: String) throws -> Int { Int(try number(name)) }
  func float(_ name: String) throws -> Float { Float(try number(name)) }
  func flag(_ name: String) throws -> Bool { try number(name) != 0 }
  func number(_ name: String) throws -> Double { try #require(numbers[name], "\(testDescription) has no \(name)") }
  func input(_ name: String) throws -> [Float] { try #require(inputs[name], "\(testDescription) has no \(name)") }
  func list(_ name: String) throws -> [Int] { try #require(integers[name], "\(testDescription) has no \(name)") }
  func words(_ name: String) throws -> [Int32] { try list(name).map { Int32(truncatingIfNeeded: $0) } }
  func has(_ name: String) -> Bool { inputs[name] != nil }

  var activation: Activation {
    get throws { [.none, .gelu, .geluTanh, .relu, .silu][try list("activation")[0]] }
  }

  /// The row of coefficients that the golden names column by column.
  var coefficients: CoefficientRow {
    get throws {
      var row = CoefficientRow()
      for (index, value) in try input("table").enumerated() {
        row[try #require(CoefficientColumn(rawValue: index))] = value
      }
      return row
    }
  }
}

/// An output of a golden: where it is, and its elements in the golden's order.
struct GoldenOutput {
  let name: String
  let tensor: Tensor
  private let arrange: ((HostArray) -> [Double])?

  init(_ name: String, _ tensor: Tensor, arrange: ((HostArray) -> [Double])? = nil) {
    self.name = name
    self.tensor = tensor
    self.arrange = arrange
  }

  func arranged(_ result: HostArray) -> [Double] {
    if let arrange { return arrange(result) }
    let all = result.elementType == .float32 ? result.floats.map(Double.init) : result.integers.map(Double.init)
    return Array(all.prefix(tensor.count))
  }
}
