/// The vectors of all classes as doubles, some rows at a time: few enough to stay in a cache.
struct ScoreChunks {
  struct Chunk {
    let first: Int
    let count: Int
    /// `[count, dimension]`, valid while the chunk is looked at; one row of zeros follows an odd count.
    let rows: UnsafePointer<Double>
    /// A bias a class; 0 where there is none.
    let bias: UnsafePointer<Double>
  }

  private let classes: OutputClasses
  private let size: Int

  init(_ classes: OutputClasses) {
    self.classes = classes
    // About 96 KiB, and an even number of rows.
    size = max(2, 12_288 / classes.dimension / 2 * 2)
  }

  func forEach(_ body: (Chunk) -> Void) {
    let dimension = classes.dimension
    withUnsafeTemporaryAllocation(of: Double.self, capacity: size * (dimension + 1)) { memory in
      memory.initialize(repeating: 0)
      guard let rows = memory.baseAddress else { return }
      let bias = rows + size * dimension
      for first in stride(from: 0, to: classes.count, by: size) {
        let count = min(size, classes.count - first)
        classes.elements.withUnsafeBufferPointer { elements in
          for place in 0..<count * dimension { rows[place] = Double(elements[first * dimension + place]) }
        }
        if let values = classes.bias { for row in 0..<count { bias[row] = Double(values[first + row]) } }
        body(Chunk(first: first, count: count, rows: rows, bias: bias))
      }
    }
  }
}
