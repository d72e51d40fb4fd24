internal import Engine

extension PairLinks {
  func launch(_ shape: TileShape) -> KernelLaunch {
    let defines = shape.defines.merging(["PL_TYPED": head.biases == nil ? 0 : 1]) { $1 }
    return KernelLaunch(
      spec: KernelSpec(source: "pairwise/pair_links.cl", entry: "pair_links", defines: defines),
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
