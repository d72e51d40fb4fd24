internal import Foundation

/// Cuts `count` items into blocks and works on them on all processors.
/// - Returns: what `body` returned for each block, in order.
func inParallel<Part: Sendable>(
  _ count: Int, blockSize: Int, _ body: @escaping @Sendable (Range<Int>) throws -> Part
) async throws -> [Part] {
  let blocks = (count + blockSize - 1) / blockSize
  let workers = min(blocks, ProcessInfo.processInfo.activeProcessorCount)
  return try await withThrowingTaskGroup(of: (Int, Part).self) { group in
    func add(_ block: Int) {
      group.addTask {
        (block, try body(block * blockSize..<min(count, (block + 1) * blockSize)))
      }
    }
    for block in 0..<workers { add(block) }
    var parts: [Part?] = Array(repeating: nil, count: blocks)
    var next = workers
    while let (block, part) = try await group.next() {
      try Task.checkCancellation()
      parts[block] = part
      if next < blocks {
        add(next)
        next += 1
      }
    }
    return parts.compactMap { $0 }
  }
}
