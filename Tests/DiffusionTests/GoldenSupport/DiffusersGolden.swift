import Foundation

@testable import Diffusion

/// One line of diffusers.jsonl: a scheduler's run as Goldens/make_diffusers_goldens.py describes it.
struct DiffusersGolden: Decodable, Sendable {
  let name: String
  let scheduler: String
  let config: DiffusersSettings
  let setTimesteps: DiffusersSettings
  let step: DiffusersSettings
  let timesteps: [Double]
  let sigmas: [Double]?
  let initNoiseSigma: Double
  /// What the start is multiplied by besides the initial noise's size.
  let startScale: Double
  /// How far single precision moved a sample from the same run in double precision.
  let rounding: Double
  /// After every call of `step()`.
  let samples: [[Double]]
  /// The same in double precision, where it differs noticeably.
  let double: [[Double]]?

  private enum CodingKeys: String, CodingKey {
    case name, scheduler, config, step, timesteps, sigmas, rounding, samples, double
    case setTimesteps = "set_timesteps"
    case initNoiseSigma = "init_noise_sigma"
    case startScale = "start_scale"
  }

  /// The batch that every run works on has this many elements, a fourth of them in each sample.
  static let batchSize = 768

  /// Element f of arange(768) / 768 as (3, 8, 8, 4), its last axis moved to the front.
  static let start = (0..<batchSize).map { (element: Int) -> Double in
    let place = (element % 192) * 4 + element / 192
    return Double(place) / 768
  }

  /// The toy denoiser.
  static func model(_ x: [Double], _ level: NoiseLevel) -> [Double] {
    x.map { $0 * level.time / (level.time + 1) }
  }

  /// Its second output.
  static func secondOutput(_ x: [Double], _ level: NoiseLevel) -> [Double] { x.map { cos(3 * $0) } }

  /// What stands in for normal noise.
  static func noise(call: Int, element: Int) -> Double {
    let phase = 0.9 + 2.3 * Double(call) + 0.7 * Double(element)
    return 2.0.squareRoot() * cos(phase)
  }
}

/// The stored runs.
struct DiffusersGoldens: Sendable {
  let elements: [Int]
  let runs: [DiffusersGolden]

  private struct Header: Decodable { let elements: [Int] }

  static let stored: Result<DiffusersGoldens, any Error> = Result { try DiffusersGoldens() }

  private init() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = try String(contentsOf: folder.appending(path: "Goldens/diffusers.jsonl"), encoding: .utf8)
    let lines = file.split(separator: "\n").map { Data($0.utf8) }
    elements = try JSONDecoder().decode(Header.self, from: lines.first ?? Data()).elements
    runs = try lines.dropFirst().map { try JSONDecoder().decode(DiffusersGolden.self, from: $0) }
  }
}
