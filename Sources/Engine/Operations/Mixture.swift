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

  func validate(_ name: StaticString) throws(EngineError) {
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

/// How the components of a mixture are cut into chunks. A matter of the mixture and the device alone: a sample's sum
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
