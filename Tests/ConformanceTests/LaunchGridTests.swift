import Conformance
import Diffusion
import Engine
import Geometry
import Logging
import Networks
import Testing
import TokenPairs

/// No count that grows with the data lies in a dimension of which some devices take 65,535 groups. Only the sizes of
/// launches are looked at; nothing runs.
@Suite struct LaunchGridTests {
  /// More than fit into the second and third dimension, and enough rows that row tiles are as many.
  private static let many = 70_000
  private static let rows = 256 * many

  /// The same operation on far more rows, sequences, images or samples, without memory for them; nil for a type that is
  /// not known here.
  private static func enlarged(_ operation: any DeviceOperation) -> [any DeviceOperation]? {
    func table(_ width: Int) -> SegmentTable {
      shapedTable([Int](repeating: 3, count: many), panelWidth: width, entries: 1)
    }
    switch operation {
    case var it as PairwiseProduct:
      if it.rowExtent.table != nil {
        let table = table(it.columns.width)
        (it.rowExtent, it.columnExtent) = (.ragged(table), .ragged(table))
        return [it]
      }
      if it.epilogue is SymmetricSelection {
        // Rounds are launches of their own: fewer rows.
        (it.rowExtent, it.columnExtent) = (.whole(many), .whole(many))
        return [it]
      }
      var wide = it
      it.rowExtent = .whole(rows)
      if it.columnExtent.table == nil { wide.columnExtent = .whole(rows) }
      return [it, wide]
    case var it as PackColumns:
      var sequences = it
      it.extent = .whole(rows)
      sequences.extent = .ragged(table(it.panels.width))
      return [it, sequences]
    case var it as PackTransposed:
      it.rows = rows
      return [it]
    case var it as Attention:
      it.segments = table(it.keys.width)
      return [it]
    case var it as MergeLosses:
      it.segments = table(4)
      return [it]
    case var it as DenseLayer:
      var wide = it
      it.rows = rows
      wide.weights = DenseWeights(panels: it.weights.panels, bias: it.weights.bias, outputs: rows)
      return [it, wide]
    case var it as WeightGradient:
      var wide = it
      it.gradient = HeadSlices(it.gradient.tensor, channels: rows)
      wide.inputs = rows
      return [it, wide]
    case var it as ColumnSum:
      it.source = HeadSlices(it.source.tensor, channels: 256 * many)
      return [it]
    case var it as SquareSum:
      it.source = shaped(.float32, SquareSum.part, many)
      return [it]
    case var it as AdamWStep:
      it.parameter = shaped(.float32, 64 * 64, many)
      return [it]
    case var it as Convolution:
      it.grid.images = rows
      return [it]
    case var it as GroupNormalization:
      it.grid.images = rows
      return [it]
    case var it as PixelOrder:
      it.grid.images = rows
      return [it]
    case var it as TimeEmbedding:
      it.samples = rows
      return [it]
    case var it as LayerNormalization:
      it.rows = rows
      return [it]
    case var it as EmbeddingSum:
      it.rows = rows
      return [it]
    case var it as RotateRows:
      it.rows = rows
      return [it]
    case var it as RowLoss:
      it.rows = rows
      return [it]
    case var it as BlendRows:
      it.rows = rows
      return [it]
    case var it as RowSquares:
      it.rowCount = rows
      return [it]
    case var it as MergeTopK:
      it.rowCount = rows
      return [it]
    case var it as MergeAverages:
      it.rows = rows
      return [it]
    case var it as PairLinks:
      it.pairCount = rows
      return [it]
    case var it as NoiseDraw:
      it.batch = SampleBatch(samples: rows, elements: it.batch.elements)
      return [it]
    case var it as DenoiseStep:
      it.batch = SampleBatch(samples: rows, elements: it.batch.elements)
      return [it]
    case var it as AbsoluteQuantile:
      it.batch = SampleBatch(samples: rows, elements: it.batch.elements)
      return [it]
    case var it as LangevinStep:
      it.batch = SampleBatch(samples: rows, elements: it.batch.elements)
      return [it]
    case var it as SampleSum:
      it.batch = SampleBatch(samples: rows, elements: it.batch.elements)
      return [it]
    default: return nil
    }
  }

  /// Every operation that the kit runs, and each kind of epilogue among its products, with both families of kernels.
  @Test func everyOperationIsLaunchedWithManyRows() async {
    let recorder = OperationRecorder()
    _ = await ConformanceKit.run(on: recorder, small: true)
    let families = TileShape.Variant.allCases.map { TileShape($0, maxWorkGroupSize: 256) }
    var seen: Set<String> = []
    for operation in recorder.operations {
      var name = "\(type(of: operation))"
      if let product = operation as? PairwiseProduct {
        name += " \(type(of: product.epilogue)) \(product.rowExtent.table == nil) \(product.columnExtent.table == nil)"
      }
      // One of each is enough: shapes are replaced.
      guard seen.insert(name).inserted else { continue }
      guard let large = Self.enlarged(operation) else {
        Issue.record("no large shape of \(name) is known to this test")
        continue
      }
      for tiles in families {
        var groups = 0
        for launch in large.flatMap({ $0.launches(tiles) }) {
          #expect(throws: Never.self, "\(name)") { try launch.validate() }
          groups = max(groups, launch.groups.reduce(1, *))
        }
        // Else the shape would say nothing.
        if !name.contains("SymmetricSelection") { #expect(groups > 65_535, "\(name) has \(groups) groups") }
      }
    }
    #expect(seen.count > 30)
  }

  /// Tokens of `bench encoder --batch 512 --length 128`: as many as a second dimension does not take.
  @Test(arguments: TileShape.Variant.allCases)
  func aBatchOfTokens(_ variant: TileShape.Variant) throws {
    let tokens = 512 * 128
    let operation = LayerNormalization(
      shaped(.float32, tokens, 384), rows: tokens, gain: shaped(.float32, 384), bias: shaped(.float32, 384),
      epsilon: 1e-12, into: shaped(.float32, tokens, 384))
    try operation.validate()
    let launches = operation.launches(TileShape(variant, maxWorkGroupSize: 256))
    #expect(launches.map(\.groups) == [[tokens, 1, 1]])
    for launch in launches { try launch.validate() }
  }

  private static func launch(_ groups: [Int]) -> KernelLaunch {
    KernelLaunch(
      "pairwise/row_squares.cl", "row_squares", TileShape(.cpu, maxWorkGroupSize: 1), arguments: [:], groups: groups,
      groupSize: 1)
  }

  @Test(arguments: [[65_536], [65_536, 65_535, 65_535], [Int(Int32.max)], [1, 65_535], [1, 1, 65_535]])
  func gridsThatEveryDeviceTakes(groups: [Int]) throws { try Self.launch(groups).validate() }

  @Test(arguments: [[1, 65_536], [1, 1, 65_536], [Int(Int32.max) + 1], [Int.max], [0], [1, 0]])
  func gridsThatSomeDeviceRefuses(groups: [Int]) throws {
    let error = #expect(throws: EngineError.self) { try Self.launch(groups).validate() }
    #expect(error?.kind == .invalidOperation)
    #expect(error?.message.contains("row_squares") == true && error?.message.contains("work-groups") == true)
  }

  /// An operation of a user's own, with rows in the second dimension.
  private struct TallOperation: DeviceOperation {
    let tensor: Tensor
    func validate() {}
    func reference(_ memory: HostMemory) {}
    func launches(_ tiles: TileShape) -> [KernelLaunch] {
      [
        KernelLaunch(
          KernelSource(name: "tall.cl", text: "__kernel void tall(__global float *x) { x[0] = 1; }"), "tall", tiles,
          arguments: ["x": .tensor(tensor)], groups: [1, 65_536], groupSize: 1)
      ]
    }
  }

  /// Also on a device that would take it.
  @Test(.needsDevice) func aDeviceIsNotGivenSuchAGrid() async throws {
    let engine = Engine(backend: try #require(TestBackend.devices.first).open(), logger: Logger(label: "test"))
    var submission = Submission()
    try submission.append(TallOperation(tensor: try engine.makeTensor(.float32, 1)))
    let work = submission
    let error = await #expect(throws: EngineError.self) { _ = try await engine.run(work) }
    #expect(error?.kind == .invalidOperation)
    #expect(error?.message.contains("65536 work-groups along dimension 2") == true, "\(error?.message ?? "")")
  }
}
