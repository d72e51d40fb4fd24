internal import Engine
internal import Foundation
internal import Logging
internal import OpenCL

/// What a device multiplies with at less than float32. Settled for each precision when it is first asked for: units that
/// the device seems to have are used if they pass a test on it.
actor ProductUnitsChoice {
  private var choices: [Precision: Task<ProductUnits, Never>] = [:]

  /// - Parameters:
  ///   - precision: below float32.
  ///   - settle: finds the units out; called once for each precision.
  /// - Returns: the units.
  func units(
    for precision: Precision, settle: @escaping @Sendable () async -> ProductUnits
  ) async -> ProductUnits {
    let choice = choices[precision] ?? Task { await settle() }
    choices[precision] = choice
    return await choice.value
  }
}

/// Compares a device's units with what they should compute, on that device.
struct ProductUnitsTest: Sendable {
  let backend: any Backend
  let precision: Precision

  /// Rows, columns and channels of the products: more than a tile, and no multiples of anything.
  private static let shape = (rows: 150, columns: 70, channels: 83)

  /// What they may differ by, in relation to the sum of absolute products: matrix units round sums of their own way.
  private static let tolerance = 4e-6

  /// Compares two kinds of units.
  ///
  /// - Parameters:
  ///   - units: what is tested.
  ///   - known: what computes the same for sure.
  /// - Returns: why `units` cannot be used; nil if they can.
  func problem(of units: ProductUnits, comparedWith known: ProductUnits) async -> String? {
    do throws(EngineError) {
      for isExact in [true, false] {
        var generator = SplitMix64(seed: 0x5EED)
        let (rows, columns, channels) = Self.shape
        let rowElements = Self.draw(rows * channels, isExact, &generator)
        let columnElements = Self.draw(columns * channels, isExact, &generator)
        let got = try await product(rowElements, columnElements, by: units)
        let expected = try await product(rowElements, columnElements, by: known)
        for i in 0..<rows {
          for j in 0..<columns {
            // Sums of products of eighths have no rounding in them: these are known to the bit.
            var allowed = 0.0
            if !isExact {
              for c in 0..<channels {
                allowed += abs(Double(rowElements[i * channels + c]) * Double(columnElements[j * channels + c]))
              }
              allowed *= Self.tolerance
            }
            let (value, exact) = (got[i * columns + j], expected[i * columns + j])
            // Not `difference > allowed`: a NaN must fail.
            guard abs(Double(value) - Double(exact)) <= allowed else {
              return "they compute \(value), where \(exact) is right"
            }
          }
        }
      }
      return nil
    } catch { return error.description }
  }

  /// Multiples of 1/8 in -1 ... 1, or numbers with all the bits that a float has.
  private static func draw(_ count: Int, _ isExact: Bool, _ generator: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in
      let bits = generator.next()
      return isExact ? Float(Int(bits % 17) - 8) / 8 : Float(Int64(bitPattern: bits) >> 39) / 16_777_216
    }
  }

  private func product(
    _ rowElements: [Float], _ columnElements: [Float], by units: ProductUnits
  ) async throws(EngineError) -> [Float] {
    let (rowCount, columnCount, channels) = Self.shape
    let rows = try backend.makeTensor(.float32, [rowCount, channels])
    let columns = try backend.makeTensor(.float32, [columnCount, channels])
    let extent = Extent.whole(columnCount)
    let width = backend.panelWidth
    let panels = Panels(
      tensor: try backend.makeTensor(.float32, [extent.panelCount(width: width), 1, channels, width]), heads: 1,
      channels: channels, width: width)
    let out = try backend.makeTensor(.float32, [1, rowCount, columnCount])
    var submission = Submission()
    submission.precision = precision
    submission.units = units
    try submission.upload(.float32(rowElements), to: rows)
    try submission.upload(.float32(columnElements), to: columns)
    try submission.append(PackColumns(HeadSlices(columns, channels: channels), extent: extent, into: panels))
    try submission.append(
      PairwiseProduct(
        rows: HeadSlices(rows, channels: channels), columns: panels, rowExtent: .whole(rowCount), columnExtent: extent,
        epilogue: StoredScores(into: out)))
    try submission.download(out)
    return try await backend.run(submission)[0].floats
  }
}

extension OpenCLBackend {
  /// The units for a precision: the device's own if they pass the test; if not, one line says so.
  func settleUnits(for precision: Precision) async -> ProductUnits {
    guard let own = quirks.units(for: precision, shape.variant) else {
      logger.debug(
        "\(precision.rawValue) on \(device.name): \(precision == .bfloat16 ? "\(ProductUnits.float32)" : "float32")")
      return .float32
    }
    let test = ProductUnitsTest(backend: self, precision: precision)
    let known: ProductUnits = shape.variant == .gpu ? .emulated : .float32
    if let problem = await test.problem(of: own, comparedWith: known) {
      // A compiler's messages are many lines.
      let reason = problem.split(separator: "\n").first.map(String.init) ?? problem
      logger.warning("\(own) of \(device.name) are not used at \(precision.rawValue): \(reason)")
      logger.debug("\(problem)")
      return .float32
    }
    logger.debug("\(precision.rawValue) on \(device.name): \(own)")
    return own
  }
}

extension DeviceQuirks {
  /// The units that a device seems to have for products of bfloat16; nil if none.
  func units(for precision: Precision, _ variant: TileShape.Variant) -> ProductUnits? {
    switch (variant, precision) {
    case (_, .float32): nil
    // Three products of half the width take longer than one in float32.
    case (.cpu, .bfloat16x3): nil
    case (.cpu, .bfloat16): hasAVX512BF16 ? .avx512 : nil
    case (.gpu, _): hasNVIDIAMatrixUnits ? .nvidia : nil
    }
  }
}

/// The processor of this machine.
enum Processor {
  /// Whether it has AVX512-BF16; false where the system does not say (`/proc/cpuinfo`).
  static let hasAVX512BF16: Bool = {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let flags = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    return flags.split(separator: " ").contains("avx512_bf16")
  }()
}
