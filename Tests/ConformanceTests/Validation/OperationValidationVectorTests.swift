import Engine
import Testing

/// Each rule of packing, rotation and attention, broken once.
@Suite struct OperationValidationVectorTests {
  private static func slices(
    _ type: ElementType = .float32, rows: Int = 6, heads: Int = 2, channels: Int = 4,
    stride: Int? = nil
  ) -> HeadSlices {
    HeadSlices(
      shaped(type, rows, 16), headStride: stride ?? channels, heads: heads, channels: channels)
  }

  private static func rotary(
    _ type: ElementType = .float32, positions: Int = 5, channels: Int = 4
  ) -> RotaryTable {
    RotaryTable(tensor: shaped(type, positions, 2, channels))
  }

  typealias PackRule = BrokenRule<PackColumns>

  private static var pack: PackColumns {
    PackColumns(
      slices(), extent: .ragged(shapedTable([5, 1])),
      into: shapedPanels(3, heads: 2, channels: 4), rotary: rotary())
  }

  static let packRules: [PackRule] = [
    .init("source is floats", says: "float32") { $0.source = slices(.int32) },
    .init("source has all rows", says: "6 rows") { $0.source = slices(rows: 5) },
    .init("heads agree", says: "1 heads") { $0.source = slices(heads: 1) },
    .init("channels agree", says: "of 2 channels") { $0.source = slices(channels: 2) },
    .init("panels have room", says: "3 panels") {
      $0.panels = shapedPanels(2, heads: 2, channels: 4)
    },
    .init("panels are floats", says: "panels") {
      $0.panels = Panels(tensor: shaped(.int32, 3, 2, 4, 4), heads: 2, channels: 4, width: 4)
    },
    .init("table counts the same panels", says: "counts panels of 8") {
      $0.extent = .ragged(shapedTable([5, 1], panelWidth: 8))
    },
    .init("table is complete", says: "segment table needs") {
      $0.extent = .ragged(shapedTable([5, 1], entries: 1))
    },
    .init("channels pair up", says: "do not pair up") {
      $0.source = slices(channels: 3)
      $0.panels = shapedPanels(3, heads: 2, channels: 3)
      $0.rotary = rotary(channels: 3)
    },
    .init("rotary table has the channels", says: "does not serve 4") {
      $0.rotary = rotary(channels: 6)
    },
    .init("rotary table is floats", says: "does not serve") { $0.rotary = rotary(.int32) },
    .init("rotary table has three dimensions", says: "does not serve") {
      $0.rotary = RotaryTable(tensor: shaped(.float32, 10, 4))
    },
    .init("rotary table has cosines and sines", says: "does not serve") {
      $0.rotary = RotaryTable(tensor: shaped(.float32, 5, 3, 4))
    },
    .init("rotary table reaches the last position", says: "ends at position 4") {
      $0.rotary = rotary(positions: 4)
    },
  ]

  @Test(arguments: packRules) func packColumns(_ rule: PackRule) {
    expectRefusal(of: rule, in: Self.pack) { $0 }
  }

  typealias RotateRule = BrokenRule<RotateRows>

  private static var rotate: RotateRows {
    RotateRows(
      slices(), rows: 6, positions: shaped(.int32, 6), rotary: rotary(), into: slices(stride: 5))
  }

  static let rotateRules: [RotateRule] = [
    .init("source is floats", says: "float32") { $0.source = slices(.int32) },
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows lie within the source", says: "7 rows") { $0.rows = 7 },
    .init("positions are complete", says: "positions needs 6") {
      $0.positions = shaped(.int32, 5)
    },
    .init("positions are integers", says: "positions must be int32") {
      $0.positions = shaped(.float32, 6)
    },
    .init("result has all rows", says: "6 rows") { $0.out = slices(rows: 5) },
    .init("result is floats", says: "float32") { $0.out = slices(.int32) },
    .init("result has the heads", says: "result has 1 heads") { $0.out = slices(heads: 1) },
    .init("result has the channels", says: "heads of 5 channels") { $0.out = slices(channels: 5) },
    .init("result's heads lie apart", says: "over each other") { $0.out = slices(stride: 3) },
    .init("result is not the source", says: "its own input") { $0.out = $0.source },
    .init("channels pair up", says: "do not pair up") {
      $0.source = slices(channels: 3)
      $0.out = slices(channels: 3)
    },
    .init("table has the channels", says: "does not serve") { $0.rotary = rotary(channels: 2) },
  ]

  @Test(arguments: rotateRules) func rotateRows(_ rule: RotateRule) {
    expectRefusal(of: rule, in: Self.rotate) { $0 }
  }

  typealias AttentionRule = BrokenRule<Attention>

  private static var attention: Attention {
    Attention(
      queries: slices(), keys: shapedPanels(3, heads: 2, channels: 4), values: slices(),
      segments: shapedTable([5, 1]), scale: 0.5, into: shaped(.float32, 6, 8))
  }

  static let attentionRules: [AttentionRule] = [
    .init("queries are floats", says: "float32") { $0.queries = slices(.int32) },
    .init("queries have all rows", says: "6 rows") { $0.queries = slices(rows: 5) },
    .init("values are floats", says: "float32") { $0.values = slices(.int32) },
    .init("values have all rows", says: "6 rows") { $0.values = slices(rows: 5) },
    .init("queries have the keys' heads", says: "differ") { $0.queries = slices(heads: 1) },
    .init("queries have the keys' channels", says: "differ") { $0.queries = slices(channels: 5) },
    .init("values have the keys' heads", says: "differ") { $0.values = slices(heads: 3) },
    .init("values have the keys' channels", says: "differ") { $0.values = slices(channels: 5) },
    .init("query heads lie side by side", says: "side by side") { $0.queries = slices(stride: 5) },
    .init("value heads lie side by side", says: "side by side") { $0.values = slices(stride: 5) },
    .init("heads are not too large", says: "at most 512") {
      let large = HeadSlices(
        shaped(.float32, 6, 513), headStride: 513, heads: 1, channels: 513)
      $0.queries = large
      $0.values = large
      $0.keys = shapedPanels(3, channels: 513)
    },
    .init("keys have their panels", says: "3 panels") {
      $0.keys = shapedPanels(2, heads: 2, channels: 4)
    },
    .init("table counts the same panels", says: "counts panels of 8") {
      $0.segments = shapedTable([5, 1], panelWidth: 8)
    },
    .init("table is complete", says: "segment table needs") {
      $0.segments = shapedTable([5, 1], entries: 1)
    },
    .init("result has room", says: "result needs 48") { $0.out = shaped(.float32, 47) },
    .init("result is floats", says: "result must be") { $0.out = shaped(.int32, 6, 8) },
    .init("scale is finite", says: "scale") { $0.scale = .nan },
  ]

  @Test(arguments: attentionRules) func attention(_ rule: AttentionRule) {
    expectRefusal(of: rule, in: Self.attention) { $0 }
  }
}
