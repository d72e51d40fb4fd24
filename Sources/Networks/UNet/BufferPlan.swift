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
  let places: [Int]

  /// All buffers together.
  var bytes: Int { buffers.reduce(0, +) }

  /// Gives each value a buffer that no other needs in between, the largest first: each goes where it fits, and a buffer is
  /// never larger than the first value it was made for (Pisarchyk and Lee, 2020, "greedy by size").
  init(_ lives: [Life]) {
    var buffers: [Int] = []
    var taken: [[ClosedRange<Int>]] = []
    var places = [Int](repeating: 0, count: lives.count)
    let order = lives.indices.sorted { (-lives[$0].bytes, $0) < (-lives[$1].bytes, $1) }
    for value in order {
      let life = lives[value]
      // Of those that are free, the smallest: they come in falling order.
      let place =
        taken.lastIndex { others in !others.contains { $0.overlaps(life.steps) } }
        ?? {
          buffers.append(life.bytes)
          taken.append([])
          return buffers.count - 1
        }()
      taken[place].append(life.steps)
      places[value] = place
    }
    self.buffers = buffers
    self.places = places
  }
}

extension UNetGraph {
  /// Bytes of a value for a number of images.
  func bytes(of value: Value, images: Int, panelWidth: Int) -> Int {
    switch value.extent {
    case .images: return 4 * images * value.channels
    case .pixels(let level): return 4 * images * pixels(ofLevel: level) * value.channels
    case .keys(let level, _):
      // Each image's keys fill whole panels.
      let panels = (pixels(ofLevel: level) + panelWidth - 1) / panelWidth
      return 4 * images * panels * panelWidth * value.channels
    }
  }

  /// Where the values of a pass over so many images go.
  func buffers(images: Int, panelWidth: Int) -> BufferPlan {
    var lives: [ClosedRange<Int>?] = values.map { _ in nil }
    for (index, step) in steps.enumerated() {
      for place in step.reads(times: times) + [step.writes].compactMap({ $0 }) {
        lives[place] = (lives[place]?.lowerBound ?? index)...index
      }
    }
    return BufferPlan(
      zip(values, lives).map { value, steps in
        BufferPlan.Life(bytes: bytes(of: value, images: images, panelWidth: panelWidth), steps: steps ?? 0...0)
      })
  }
}
