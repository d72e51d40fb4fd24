package import Engine

/// Which values of a pass share memory: known before anything is computed, from their sizes and the steps between which
/// they are needed.
struct BufferPlan: Sendable, Hashable {
  /// A value's size, and the first and the last step that touch it.
  struct Life: Sendable, Hashable {
    let bytes: Int
    let steps: ClosedRange<Int>
  }

  /// Bytes of each buffer.
  let buffers: [Int]
  /// The buffer of each value.
  let assignment: [Int]

  /// All buffers together.
  var bytes: Int { buffers.reduce(0, +) }

  /// Gives each value a buffer that no other needs in between, the largest first: each goes where it fits, and a buffer is
  /// never larger than the first value it was made for (Pisarchyk and Lee, 2020, "greedy by size").
  init(_ lives: [Life]) {
    var buffers: [Int] = []
    var taken: [[ClosedRange<Int>]] = []
    var assignment = [Int](repeating: 0, count: lives.count)
    let order = lives.indices.sorted { (-lives[$0].bytes, $0) < (-lives[$1].bytes, $1) }
    for value in order {
      let life = lives[value]
      // Of those that are free, the smallest: they come in falling order.
      let buffer =
        taken.lastIndex { others in !others.contains { $0.overlaps(life.steps) } }
        ?? {
          buffers.append(life.bytes)
          taken.append([])
          return buffers.count - 1
        }()
      taken[buffer].append(life.steps)
      assignment[value] = buffer
    }
    self.buffers = buffers
    self.assignment = assignment
  }

  private init(buffers: [Int], assignment: [Int]) {
    self.buffers = buffers
    self.assignment = assignment
  }

  /// The same sharing among values of other sizes: a buffer is as large as the largest of its values.
  func resized(_ bytes: [Int]) -> BufferPlan {
    var sizes = [Int](repeating: 0, count: buffers.count)
    for (value, buffer) in assignment.enumerated() { sizes[buffer] = max(sizes[buffer], bytes[value]) }
    return BufferPlan(buffers: sizes, assignment: assignment)
  }
}

/// Device memory that a network takes, in bytes: known from its graph alone.
package struct NetworkMemory: Sendable, Hashable {
  /// Of the weights.
  package let weights: Int
  /// Of the values of a pass, after they share buffers.
  package let pass: Int
  /// Of the largest of those buffers.
  package let largestBuffer: Int
  /// Of the same values without sharing.
  package let unshared: Int
}

/// How the values of a graph share memory on a device.
///
/// Which values share is decided once, for a typical item. So what several items take together is never more than the sum
/// of what each takes alone, and a batch that is chosen by that sum fits.
package struct MemoryPlan: Sendable {
  private let values: [Value]
  private let typical: BufferPlan
  private let layout: WeightLayout
  private let weights: Int

  init(_ graph: NetworkGraph, layout: WeightLayout) {
    var lives: [ClosedRange<Int>?] = graph.values.map { _ in nil }
    func extend(_ value: Value, to step: Int) {
      lives[value.index] = (lives[value.index]?.lowerBound ?? step)...step
    }
    for (index, step) in graph.steps.enumerated() {
      for value in step.reads + step.writes { extend(value, to: index) }
    }
    for value in graph.results { extend(value, to: graph.steps.count) }
    typical = BufferPlan(
      zip(graph.values, lives).map { value, steps in
        BufferPlan.Life(
          bytes: value.bytes(in: graph.typicalBatch, panelWidth: layout.panelWidth), steps: steps ?? 0...0)
      })
    values = graph.values
    self.layout = layout
    weights = graph.weightBytes(in: layout).packed
  }

  /// The buffers for a batch.
  func buffers(for batch: BatchShape) -> BufferPlan { typical.resized(sizes(in: batch)) }

  /// What a pass over a batch takes.
  package func memory(of batch: BatchShape) -> NetworkMemory {
    let sizes = sizes(in: batch)
    let plan = typical.resized(sizes)
    return NetworkMemory(
      weights: weights, pass: plan.bytes, largestBuffer: plan.buffers.max() ?? 0, unshared: sizes.reduce(0, +))
  }

  private func sizes(in batch: BatchShape) -> [Int] {
    values.map { $0.bytes(in: batch, panelWidth: layout.panelWidth) }
  }
}

extension NetworkGraph {
  /// How values share memory on a device with panels of this width.
  package func memoryPlan(in layout: WeightLayout) -> MemoryPlan { MemoryPlan(self, layout: layout) }

  /// What a pass over a batch takes.
  package func memory(of batch: BatchShape, in layout: WeightLayout) -> NetworkMemory {
    memoryPlan(in: layout).memory(of: batch)
  }
}

extension DeviceDescription {
  /// The part of the memory that an engine uses.
  package var usableBytes: Int { memoryBytes / 4 * 3 }

  /// Checks that weights and a pass over one item fit.
  ///
  /// - Parameters:
  ///   - bytes: what they take.
  ///   - subject: whose weights they are.
  ///   - item: what the pass is over.
  /// - Throws: `EngineError` of kind `exhausted` that says by how much they do not.
  package func checkFits(_ bytes: Int, _ subject: String, _ item: String) throws(EngineError) {
    let usable = usableBytes
    guard bytes > usable else { return }
    func mebibytes(_ bytes: Int) -> String { "\((bytes + 1 << 20 - 1) >> 20) MiB" }
    throw EngineError(
      .exhausted,
      "\(subject) takes \(mebibytes(bytes)) for its weights and \(item), \(mebibytes(bytes - usable)) more than the "
        + "\(mebibytes(usable)) that may be used of \(name)'s memory")
  }
}
