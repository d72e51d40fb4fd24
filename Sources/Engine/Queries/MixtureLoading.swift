/// Consecutive components of a mixture that share a variance.
package struct MixtureGroup: Sendable, Hashable {
  package var components: Int
  /// The variance of each channel: 0 for points of a data set.
  package var variance: Float

  package init(components: Int, variance: Float) {
    self.components = components
    self.variance = variance
  }
}

extension Engine {
  /// Chunks that keep this device busy with a single sample, and few enough that their averages stay small.
  package var mixtureChunks: Int { min(256, max(32, 4 * device.computeUnits)) }

  /// Brings a mixture to the device. It takes the memory of `means` twice: as rows and as columns.
  ///
  /// - Parameters:
  ///   - means: the components' means, centred.
  ///   - groups: the components' variances, in order; one group of variance 0 for a data set.
  ///   - logWeights: the log of each component's weight, up to a constant: `-∞` switches it off. Nil: equal weights.
  /// - Returns: the mixture, ready for `PosteriorMean`.
  /// - Throws: `EngineError` if the parts contradict each other, or the device has no room.
  package func makeMixture(
    means: Vectors, groups: [MixtureGroup], logWeights: [Float]? = nil
  ) async throws(EngineError) -> Mixture {
    let name: StaticString = "mixture"
    let (count, channels) = (means.count, means.dimension)
    let logWeights = logWeights ?? [Float](repeating: 0, count: count)
    try require(count <= indexLimit, name, "\(count) components")
    try require(
      groups.allSatisfy { $0.components > 0 } && groups.reduce(0) { $0 + $1.components } == count, name,
      "groups of \(groups.map(\.components)) components do not add up to \(count)")
    try require(
      groups.allSatisfy { $0.variance >= 0 && $0.variance.isFinite }, name,
      "a variance is negative or not finite")
    try require(
      logWeights.count == count, name, "\(logWeights.count) log weights are given for \(count) components")
    try require(
      logWeights.allSatisfy { $0 < .infinity } && logWeights.contains { $0 > -.infinity }, name,
      "a log weight is not a number or +∞, or all components are switched off")

    // Each group has a chunk of its own at least: with many groups fewer are left to share.
    let target = max(1, min(mixtureChunks, Mixture.chunkLimit - groups.count))
    let plan = MixtureChunks(groupSizes: groups.map(\.components), panelWidth: panelWidth, target: target)
    let rows = try makeTensor(.float32, count, channels)
    let termRows = try makeTensor(.float32, count, 2)
    let variances = try makeTensor(.float32, plan.segments.count)
    var submission = Submission()
    try submission.upload(.float32(means.elements), to: rows)
    try submission.upload(
      .float32(Mixture.terms(means: means.elements, channels: channels, logWeights: logWeights)), to: termRows)
    try submission.upload(.float32(plan.groups.map { groups[$0].variance }), to: variances)
    let chunks = try makeSegmentTable(plan.segments, uploadedBy: &submission)
    let extent = Extent.ragged(chunks)
    let columns = try makePanels(for: extent, channels: channels)
    let terms = try makePanels(for: extent, channels: 2)
    try submission.append(.pack(PackColumns(HeadSlices(rows, channels: channels), extent: extent, into: columns)))
    try submission.append(.pack(PackColumns(HeadSlices(termRows, channels: 2), extent: extent, into: terms)))
    let mixture = Mixture(means: rows, columns: columns, terms: terms, chunks: chunks, variances: variances)
    try mixture.validate(name)
    _ = try await run(submission)
    return mixture
  }

  /// Room for the averages of `rows` samples.
  package func makePartials(rows: Int, of mixture: Mixture) throws(EngineError) -> Tensor {
    try makeTensor(.float32, rows, mixture.chunkCount, Mixture.partialWidth(channels: mixture.channels))
  }
}
