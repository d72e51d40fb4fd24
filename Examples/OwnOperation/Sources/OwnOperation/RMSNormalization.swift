import Weft

/// RMS normalisation of each row (Zhang and Sennrich, 2019):
/// `out[t, c] = x[t, c] / √(Σ_c x[t, c]² / channels + epsilon) · gain[c]`.
struct RMSNormalization: DeviceOperation {
  /// float32 `[rows, channels]`
  var input: Tensor
  /// float32 `[channels]`
  var gain: Tensor
  var epsilon: Float
  /// float32 `[rows, channels]`
  var out: Tensor
  var rows: Int

  func validate() throws(EngineError) {
    func require(_ condition: Bool, _ problem: String) throws(EngineError) {
      if !condition { throw EngineError(.invalidOperation, "RMS normalisation: \(problem)") }
    }
    let channels = input.width
    try require(rows > 0 && rows <= input.rowCount, "\(rows) rows of \(input.rowCount)")
    try require(gain.count >= channels, "\(gain.count) gains for \(channels) channels")
    try require(out.count >= rows * channels, "the result has room for \(out.count) numbers")
    try require(out.storage !== input.storage, "the result may not be its own input")
    try require([input, gain, out].allSatisfy { $0.elementType == .float32 }, "all tensors must be float32")
    try require(epsilon >= 0 && epsilon.isFinite, "epsilon must be finite and not negative")
  }

  func reference(_ memory: HostMemory) throws(EngineError) {
    let (x, gains, result) = (try memory.floats(input), try memory.floats(gain), try memory.floats(out))
    let channels = input.width
    for t in 0..<rows {
      let row = (0..<channels).map { Double(x[t * channels + $0]) }
      let mean = row.reduce(0) { $0 + $1 * $1 } / Double(channels)
      let scale = 1 / (mean + Double(epsilon)).squareRoot()
      for c in 0..<channels { result[t * channels + c] = Float(row[c] * scale * Double(gains[c])) }
    }
  }

  func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        KernelSource(
          name: "rms_normalization.cl", text: String(decoding: PackageResources.rms_normalization_cl, as: UTF8.self)),
        "rms_normalization", tiles,
        arguments: [
          "x": .tensor(input), "gain": .tensor(gain), "out": .tensor(out), "channels": .int(input.width),
          "epsilon": .float(epsilon),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}
