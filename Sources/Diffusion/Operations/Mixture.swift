package import Engine

/// The components of a Gaussian mixture on a device, or the points of a data set: what the exact denoiser averages.
///
/// Components come in groups that share a variance, and in chunks: parts of one group that are summed side by side. A
/// chunk's components are a segment of the columns, so each starts a panel of its own.
package struct Mixture: Sendable {
  /// The means, `[components, channels]`.
  package let means: Tensor
  /// The means as columns: one head of `channels` channels.
  package let columns: Panels
  /// `|mean|²` and the log weight of each component, as columns of 2 channels.
  package let terms: Panels
  /// Which components a chunk has.
  package let chunks: SegmentTable
  /// `[chunks]`: the variance of the chunk's group.
  package let variances: Tensor

  package init(means: Tensor, columns: Panels, terms: Panels, chunks: SegmentTable, variances: Tensor) {
    self.means = means
    self.columns = columns
    self.terms = terms
    self.chunks = chunks
    self.variances = variances
  }

  package var channels: Int { columns.channels }
  package var components: Int { chunks.segments.rowCount }
  package var chunkCount: Int { chunks.segments.count }

  /// The most chunks: their weights lie in local memory when they are merged (`Kernels/pairwise/merge_averages.cl`).
  package static let chunkLimit = 1024

  /// Elements of a row's average over one chunk: its maximum and its sum, padded to 16, then the mean, padded to
  /// 32s (`Kernels/pairwise/averages.clh`).
  package static func partialWidth(channels: Int) -> Int { 16 + (channels + 31) / 32 * 32 }

  /// `[components, 2]`: `|mean|²`, summed in Double, and the log weight.
  package static func terms(means: [Float], channels: Int, logWeights: [Float]) -> [Float] {
    var terms: [Float] = []
    terms.reserveCapacity(2 * logWeights.count)
    for (component, logWeight) in logWeights.enumerated() {
      var square = 0.0
      for value in means[component * channels..<(component + 1) * channels] {
        square += Double(value) * Double(value)
      }
      terms += [Float(square), logWeight]
    }
    return terms
  }

  package func validate(_ name: StaticString) throws(EngineError) {
    let extent = Extent.ragged(chunks)
    try require(chunkCount <= Self.chunkLimit, name, "\(chunkCount) chunks; at most \(Self.chunkLimit) can be merged")
    try require(columns.heads == 1 && terms.heads == 1 && terms.channels == 2, name, "a mixture has one head")
    try columns.requirePanels(of: extent, name)
    try terms.requirePanels(of: extent, name)
    try require(terms.width == columns.width, name, "terms and means are packed to different widths")
    try require(means.width == channels, name, "means have \(means.width) channels, their columns \(channels)")
    try require(means, holds: components * channels, name, "the means")
    try require(variances, holds: chunkCount, name, "the variances")
  }

  /// What the operations only read.
  var inputs: [Tensor] { [means, columns.tensor, terms.tensor, chunks.tensor, variances] }
}

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

/// How the components of a mixture are cut into chunks. It depends on the mixture and the device alone: a sample's sum
/// does not depend on its batch.
package struct MixtureChunks: Sendable, Hashable {
  package let segments: Segments
  /// The group of each chunk.
  package let groups: [Int]

  /// Panels that make it worth starting a chunk.
  private static let leastPanels = 16

  /// Cuts groups of `groupSizes` components, each into chunks of nearly the same number of whole panels.
  ///
  /// - Parameters:
  ///   - groupSizes: components of each group; all positive.
  ///   - panelWidth: components of a panel.
  ///   - target: how many chunks there should be. If they would be small there are fewer, a power of two, so that most
  ///     devices can share them evenly; there is one a group at least.
  package init(groupSizes: [Int], panelWidth: Int, target: Int) {
    let panels = groupSizes.map { ($0 + panelWidth - 1) / panelWidth }
    let panelCount = panels.reduce(0, +)
    var chunkCount = target
    if panelCount / Self.leastPanels < target {
      chunkCount = 1
      while 2 * chunkCount <= panelCount / Self.leastPanels { chunkCount *= 2 }
    }
    var lengths: [Int] = []
    var groups: [Int] = []
    for (group, size) in groupSizes.enumerated() {
      let count = max(1, panels[group] * chunkCount / panelCount)
      for chunk in 0..<count {
        let first = panels[group] * chunk / count * panelWidth
        let end = min(panels[group] * (chunk + 1) / count * panelWidth, size)
        lengths.append(end - first)
        groups.append(group)
      }
    }
    segments = Segments(lengths: lengths)
    self.groups = groups
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
    try submission.append(PackColumns(HeadSlices(rows, channels: channels), extent: extent, into: columns))
    try submission.append(PackColumns(HeadSlices(termRows, channels: 2), extent: extent, into: terms))
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
