internal import Engine
internal import ModelFiles

/// A model's heads on a device.
struct ModelHeads: Sendable {
  /// The two heads that join spans.
  struct Links: Sendable {
    let head: PairHead
    let tail: PairHead
    let rule: LinkRule
  }

  /// Finds spans, a type a label.
  let spans: PairHead
  /// Nil for entities.
  let links: Links?

  init(
    _ description: ModelDescription, _ checkpoint: Checkpoint, hiddenSize: Int, positions: Int, on engine: Engine
  ) async throws {
    func load(_ layout: HeadLayout) async throws -> PairHead {
      try await PairHead(
        try layout.parameters(from: checkpoint, hiddenSize: hiddenSize), positions: positions, on: engine)
    }
    spans = try await load(description.spanHead)
    links =
      if let layouts = description.linkHeads, let rule = LinkRule(description) {
        Links(head: try await load(layouts.head), tail: try await load(layouts.tail), rule: rule)
      } else { nil }
  }

  /// Device memory that a sequence takes while it is scored, in bytes.
  func bytes(forTokens count: Int) -> Int {
    [spans, links?.head, links?.tail].reduce(0) { $0 + ($1?.bytes(forTokens: count) ?? 0) }
  }
}
