package import Engine
internal import Foundation

/// Sines and cosines of a noise level's time, at frequencies from high to low (Ho et al., 2020, after Vaswani et al., 2017):
/// `out[b] = [sin(2π t_b · turns_i) …, cos(2π t_b · turns_i) …]`, t_b the column `time` of sample b's row.
package struct TimeEmbedding: DeviceOperation {
  package var levels: CoefficientRows
  package var samples: Int
  package var frequencies: TimeFrequencies
  /// `[samples, channels]`
  package var out: Tensor

  package init(of levels: CoefficientRows, samples: Int, frequencies: TimeFrequencies, into out: Tensor) {
    self.levels = levels
    self.samples = samples
    self.frequencies = frequencies
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "time embedding"
    try require(samples > 0 && samples <= indexLimit, name, "\(samples) samples")
    try levels.validate(name, samples: samples)
    try require(frequencies.channels > 0, name, "\(frequencies.channels) channels")
    try require(
      frequencies.half == 0 || frequencies.tensor.count >= 2 * frequencies.half, name,
      "\(frequencies.tensor.count) numbers are not \(frequencies.half) frequencies in two parts")
    try require(frequencies.tensor, holds: 1, name, "the frequencies")
    try require(
      out.width == frequencies.channels, name,
      "the result has \(out.width) channels, the frequencies make \(frequencies.channels)")
    try require(out, holds: samples.multipliedClamping(by: frequencies.channels), name, "the result")
    try require(out, isNot: levels.table, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let row = try levels.reader(memory)
    let turns = try memory.floats(frequencies.tensor)
    let result = try memory.floats(out)
    let (channels, half) = (frequencies.channels, frequencies.half)
    for sample in 0..<samples {
      let time = row(sample)(.time)
      for i in 0..<half {
        let angle = (frequencies.ofLogarithm ? log(time) : time) * (Double(turns[i]) + Double(turns[half + i]))
        let (s, c) = (sin(2 * .pi * angle), cos(2 * .pi * angle))
        result[sample * channels + i] = Float(frequencies.cosineFirst ? c : s)
        result[sample * channels + half + i] = Float(frequencies.cosineFirst ? s : c)
      }
      if channels > 2 * half { result[sample * channels + 2 * half] = 0 }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "network/time_embedding.cl", "time_embedding", tiles,
        arguments: levels.arguments() + [
          "turns": .tensor(frequencies.tensor), "channels": .int(frequencies.channels),
          "cosine_first": .int(frequencies.cosineFirst ? 1 : 0), "of_logarithm": .int(frequencies.ofLogarithm ? 1 : 0),
          "out": .tensor(out),
        ],
        groups: [samples], groupSize: tiles.rowGroup)
    ]
  }
}

/// What a time embedding turns by.
package struct TimeFrequencies: Sendable {
  /// `[2, half]`: turns for each unit of time as floats, then what the floats left of them.
  package let tensor: Tensor
  /// Channels of the embedding: two for each frequency, and a zero if their number is odd.
  package let channels: Int
  /// Whether the cosines stand before the sines.
  package let cosineFirst: Bool
  /// Whether it is the natural logarithm of time that counts.
  package let ofLogarithm: Bool

  package init(tensor: Tensor, channels: Int, cosineFirst: Bool = false, ofLogarithm: Bool = false) {
    self.tensor = tensor
    self.channels = channels
    self.cosineFirst = cosineFirst
    self.ofLogarithm = ofLogarithm
  }

  package var half: Int { channels / 2 }

  /// The two parts of turns given in Double.
  package static func elements(turns: [Double]) -> [Float] {
    turns.map { Float($0) } + turns.map { Float($0 - Double(Float($0))) }
  }
}

extension Engine {
  /// Frequencies `exp(-ln(10,000) · i / (half - shift))` in radians for each unit of time.
  ///
  /// - Parameters:
  ///   - channels: of the embedding.
  ///   - shift: less than half of the channels.
  ///   - cosineFirst: whether cosines stand before sines (`flip_sin_to_cos`).
  /// - Returns: the frequencies, on the device.
  /// - Throws: `EngineError` if the shift leaves none, or the device has no room.
  package func makeTimeFrequencies(
    channels: Int, shift: Double, cosineFirst: Bool
  ) async throws(EngineError) -> TimeFrequencies {
    let half = Double(channels / 2)
    try require(
      channels > 1 && shift < half, "time embedding",
      "\(channels) channels leave no frequencies beside a shift of \(shift)")
    let turns = (0..<channels / 2).map { pow(10_000, -Double($0) / (half - shift)) / (2 * Double.pi) }
    return try await makeTimeFrequencies(turns: turns, channels: channels, cosineFirst: cosineFirst)
  }

  /// Given frequencies, in turns for each unit of time, or of its logarithm.
  package func makeTimeFrequencies(
    turns: [Double], channels: Int, cosineFirst: Bool, ofLogarithm: Bool = false
  ) async throws(EngineError) -> TimeFrequencies {
    try require(
      channels > 1 && turns.count == channels / 2, "time embedding",
      "\(turns.count) frequencies are not half of \(channels) channels")
    let tensor = try await upload(.float32(TimeFrequencies.elements(turns: turns)), shape: [2, turns.count])
    return TimeFrequencies(
      tensor: tensor, channels: channels, cosineFirst: cosineFirst, ofLogarithm: ofLogarithm)
  }
}
