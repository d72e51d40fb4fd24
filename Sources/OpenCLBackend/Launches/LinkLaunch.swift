internal import Engine

extension LinkJoin {
  func launch(_ shape: TileShape) -> KernelLaunch {
    let defines = shape.defines.merging(["LJ_TYPED": head.biases == nil ? 0 : 1]) { $1 }
    return KernelLaunch(
      spec: KernelSpec(source: "pairwise/link_join.cl", entry: "link_join", defines: defines),
      arguments: head.arguments + tail.arguments + [
        .tensor(pairs), .int(pairCount), .int(predicates), .int(head.channels), .float(scale),
        .float(head.biases?.scale ?? 0), .float(threshold), .int(capacity), .tensor(hits), .tensor(found),
      ],
      groups: [ceilingDivide(pairCount, shape.linkGroup), 1, 1], groupSize: shape.linkGroup)
  }
}

extension LinkScores {
  /// Rows, columns and biases; a kernel without biases does not look at the last.
  fileprivate var arguments: [KernelLaunch.Argument] {
    rows.arguments + columns.arguments + [.tensor(biases?.tensor ?? rows.tensor)]
  }
}
