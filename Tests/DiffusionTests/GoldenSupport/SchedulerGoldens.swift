import Foundation
import Testing

@testable import Diffusion

/// The lines of a file of goldens that hold a scheduler, its config and runs of several numbers of steps.
struct SchedulerGoldens: Sendable {
  struct Line: Decodable, Sendable, CustomTestStringConvertible {
    let scheduler: String
    let config: DiffusersSettings
    let runs: [Run]
    /// The config with the class, as scheduler_config.json has it.
    fileprivate(set) var file = ""

    private enum CodingKeys: String, CodingKey { case scheduler, config, runs }

    var testDescription: String { file }

    func mapping(steps: Int) throws -> DiffusersMapping {
      let step = try JSONDecoder().decode(DiffusersSettings.self, from: Data("{}".utf8))
      let arguments = Data(#"{"num_inference_steps": \#(steps)}"#.utf8)
      return DiffusersMapping(
        scheduler: scheduler, config: config,
        setTimesteps: try JSONDecoder().decode(DiffusersSettings.self, from: arguments), step: step)
    }

    /// What the front end reads of the config.
    func configuration() throws -> SchedulerConfiguration {
      let folder = try Folder()
      defer { withExtendedLifetime(folder) {} }
      return try SchedulerConfiguration(file: try folder.write("scheduler_config.json", file.utf8))
    }

    /// Whether the front end knows the class.
    var isRead: Bool { SchedulerConfiguration.classes.contains { $0.name == scheduler } }
  }

  /// What diffusers did with a number of steps.
  struct Run: Decodable, Sendable {
    let steps: Int
    let error: String?
    let timesteps: [Double]?
    /// Where cutting off fractions depends on the last digit, the timesteps with float64.
    let timestepsInDouble: [Double]?
    let sigmas: [Double]?
    let initNoiseSigma: Double?
    /// After the last call of `step()`; nil if it is not finite.
    let sample: [Double]?
    /// After the call before, where the last is not finite.
    let before: [Double]?

    private enum CodingKeys: String, CodingKey {
      case steps, error, timesteps, sigmas, sample, before
      case timestepsInDouble = "timesteps_in_double"
      case initNoiseSigma = "init_noise_sigma"
    }
  }

  private struct Header: Decodable { let elements: [Int]? }

  let elements: [Int]
  let lines: [Line]

  static let grids: Result<SchedulerGoldens, any Error> = Result { try SchedulerGoldens("grids.jsonl") }
  static let ends: Result<SchedulerGoldens, any Error> = Result { try SchedulerGoldens("ends.jsonl") }

  private init(_ name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let texts = try String(contentsOf: folder.appending(path: "Goldens/\(name)"), encoding: .utf8)
      .split(separator: "\n").map { Data($0.utf8) }
    elements = try JSONDecoder().decode(Header.self, from: texts.first ?? Data()).elements ?? []
    lines = try texts.dropFirst().map { text in
      var line = try JSONDecoder().decode(Line.self, from: text)
      let members = try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:]
      var fields = members["config"] as? [String: Any] ?? [:]
      fields["_class_name"] = line.scheduler
      line.file = String(
        decoding: try JSONSerialization.data(withJSONObject: fields, options: .sortedKeys), as: UTF8.self)
      return line
    }
  }
}
