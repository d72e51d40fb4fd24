internal import Engine

extension MergeTopK {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "pairwise/merge_top_k.cl", entry: "merge_top_k", defines: shape.defines),
      arguments: [
        .tensor(lists), .int(rowCount), .int(chunkCount), .int(k), .tensor(values), .tensor(indices),
      ],
      groups: [ceilingDivide(rowCount, shape.mergeGroup), 1, 1], groupSize: shape.mergeGroup)
  }
}
