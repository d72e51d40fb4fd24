internal import Files
internal import ModelFiles

/// Writes features, window by window; the file appears when it is complete.
final class FeatureWriter {
  private let file: ReplacingFile
  private let precision: FeaturePrecision
  private var checksum = Checksum()

  /// Starts a file.
  /// - Throws: `ModelFileError` if the system refuses.
  init(_ path: String, _ layout: FeatureLayout) throws(ModelFileError) {
    do { file = try ReplacingFile(path) } catch { throw ModelFileError(error) }
    precision = layout.precision
    try write(layout.header)
  }

  /// Writes the next window's rows.
  /// - Throws: `ModelFileError` if the system refuses, as it does when the disk is full.
  func add(_ rows: [Float]) throws(ModelFileError) {
    switch precision {
    case .float32: try write(rows.map(\.bitPattern.littleEndian))
    case .float16: try write(rows.map { HalfPrecision.narrow($0).littleEndian })
    }
  }

  /// Completes the file.
  /// - Throws: `ModelFileError` if the system refuses.
  func finish() throws(ModelFileError) {
    try write([checksum.value.littleEndian])
    do { try file.commit() } catch { throw ModelFileError(error) }
  }

  private func write<Element: BitwiseCopyable>(_ elements: [Element]) throws(ModelFileError) {
    try elements.withUnsafeBufferPointer { (elements) throws(ModelFileError) in
      let bytes = UnsafeRawBufferPointer(elements)
      checksum.add(bytes)
      do throws(WriteError) { try file.write(bytes) } catch { throw ModelFileError(error) }
    }
  }
}
