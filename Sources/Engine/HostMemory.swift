internal import Memory

/// The memory of the reference backend, as references see it.
public struct HostMemory: Sendable {
  package init() {}

  /// The elements of a float32 tensor.
  /// - Throws: `EngineError` of kind `invalidOperation` if the tensor is another device's.
  public func floats(_ tensor: Tensor) throws(EngineError) -> UnsafeMutableBufferPointer<Float> {
    try bytes(of: tensor).bindMemory(to: Float.self)
  }

  /// The elements of an int32 tensor.
  /// - Throws: `EngineError` of kind `invalidOperation` if the tensor is another device's.
  public func integers(_ tensor: Tensor) throws(EngineError) -> UnsafeMutableBufferPointer<Int32> {
    try bytes(of: tensor).bindMemory(to: Int32.self)
  }

  /// Row-major vectors.
  /// - Throws: `EngineError` of kind `invalidOperation` if their tensor is another device's.
  public func vectors(_ slices: HeadSlices) throws(EngineError) -> VectorReader {
    VectorReader(try floats(slices.tensor)) { start, index, head, channel in
      (start + index) * slices.tensor.width + slices.offset + head * slices.headStride + channel
    }
  }

  /// Vectors that lie in panels.
  /// - Throws: `EngineError` of kind `invalidOperation` if their tensor is another device's.
  public func vectors(_ panels: Panels) throws(EngineError) -> VectorReader {
    VectorReader(try floats(panels.tensor)) { start, index, head, channel in
      let panel = start + index / panels.width
      return ((panel * panels.heads + head) * panels.channels + channel) * panels.width + index % panels.width
    }
  }

  package func bytes(of tensor: Tensor) throws(EngineError) -> UnsafeMutableRawBufferPointer {
    guard let storage = tensor.storage as? HostStorage else {
      throw EngineError(.invalidOperation, "a tensor of another device was given to the reference backend")
    }
    return storage.bytes
  }
}

/// Memory of the reference backend: plain host memory, freed with its last tensor.
///
/// `@unchecked`: the bytes are touched only on the backend's serial queue.
package final class HostStorage: TensorStorage, @unchecked Sendable {
  package let bytes: UnsafeMutableRawBufferPointer
  private let onRelease: @Sendable (_ byteCount: Int) -> Void

  /// Room for so many bytes, 64 at least aligned; `onRelease` is called when they are freed.
  /// - Throws: `EngineError` of kind `exhausted` if the system does not give so much.
  package init(
    byteCount: Int, onRelease: @escaping @Sendable (_ byteCount: Int) -> Void
  ) throws(EngineError) {
    do { bytes = try HostAllocation.allocate(byteCount: byteCount) } catch {
      throw EngineError(.exhausted, "a tensor \(error.description)")
    }
    self.onRelease = onRelease
  }

  deinit {
    onRelease(bytes.count)
    HostAllocation.free(bytes)
  }

  package var byteCount: Int { bytes.count }
}

/// Reads vectors of one side of a product, whichever way they are stored.
public struct VectorReader {
  private let elements: UnsafeMutableBufferPointer<Float>
  private let locate: (_ start: Int, _ index: Int, _ head: Int, _ channel: Int) -> Int

  fileprivate init(
    _ elements: UnsafeMutableBufferPointer<Float>,
    _ locate: @escaping (_ start: Int, _ index: Int, _ head: Int, _ channel: Int) -> Int
  ) {
    self.elements = elements
    self.locate = locate
  }

  /// A vector, widened.
  ///
  /// - Parameters:
  ///   - start: the first row of its segment, or the first panel.
  ///   - index: the vector's number within the segment.
  ///   - head: its head.
  ///   - channels: how many elements are read.
  /// - Returns: the elements.
  public func vector(start: Int, index: Int, head: Int, channels: Int) -> [Double] {
    (0..<channels).map { Double(elements[locate(start, index, head, $0)]) }
  }
}

/// One segment of an extent.
public struct SegmentBounds: Sendable, Hashable {
  /// Its rows.
  public let count: Int
  /// Where they start among all rows.
  public let firstRow: Int
  /// Where its panels start.
  public let firstPanel: Int
}

extension Extent {
  /// The bounds of each segment; of the one there is, if the extent is whole.
  public func segmentBounds(panelWidth: Int) -> [SegmentBounds] {
    switch self {
    case .whole(let count): return [SegmentBounds(count: count, firstRow: 0, firstPanel: 0)]
    case .ragged(let table):
      let entries = table.segments.table(panelWidth: panelWidth)
      return (0..<table.segments.count).map {
        SegmentBounds(
          count: Int(entries[4 * $0 + 1]), firstRow: Int(entries[4 * $0]), firstPanel: Int(entries[4 * $0 + 2]))
      }
    }
  }
}

/// The inner product, summed in order in Double.
package func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for c in a.indices { sum += a[c] * b[c] }
  return sum
}
