internal import CPUBackend
public import Engine
public import Logging
internal import OpenCLBackend

/// Which device an engine computes on.
public enum DeviceSelection: Sendable, Hashable {
  /// The best OpenCL device; the reference implementation, with a warning, where there is none.
  case automatic
  /// Weft's own reference implementation: slow, and right.
  case reference
  /// An OpenCL device by its number, as `weft devices` lists them; the best one if nil.
  case openCL(index: Int?)
  /// The first OpenCL device whose name contains this, in any case.
  case named(String)

  /// Reads `auto`, `cpu`, `opencl`, `opencl:INDEX` or a device's name.
  public init(_ text: String) {
    let lowered = text.lowercased()
    if lowered == "auto" {
      self = .automatic
    } else if lowered == "cpu" {
      self = .reference
    } else if lowered == "opencl" {
      self = .openCL(index: nil)
    } else if lowered.hasPrefix("opencl:"), let index = Int(lowered.dropFirst("opencl:".count)) {
      self = .openCL(index: index)
    } else {
      self = .named(text)
    }
  }
}

extension Engine {
  /// Opens a device.
  ///
  /// - Parameters:
  ///   - selection: the device.
  ///   - precision: how exactly it multiplies.
  ///   - logger: where warnings go.
  /// - Throws: `EngineError` of kind `unknownDevice` if there is no such device; of kind `deviceFailure` if its driver
  ///   fails.
  public init(
    _ selection: DeviceSelection = .automatic, precision: Precision = .float32, logger: Logger = Logger(label: "weft")
  ) async throws(EngineError) {
    self = try Engine(selection, variant: nil, logger: logger).multiplying(at: precision)
  }

  /// Opens a device with the tiles of one's choice.
  ///
  /// - Parameters:
  ///   - selection: the device.
  ///   - variant: the tiles to use on an OpenCL device, whatever its kind; by its kind if nil.
  ///   - recordsTimeline: have an OpenCL device tell when commands ran.
  ///   - logger: where warnings go.
  /// - Throws: `EngineError` if there is no such device, or its driver fails.
  package init(
    _ selection: DeviceSelection, variant: TileShape.Variant?, recordsTimeline: Bool = false,
    logger: Logger = Logger(label: "weft")
  ) throws(EngineError) {
    switch selection {
    case .reference:
      logger.debug("tuning: the reference implementation has none")
      self.init(backend: CPUBackend(), logger: logger)
    case .automatic:
      let candidates = try DeviceCandidate.all()
      if let best = DeviceCandidate.automatic(among: candidates)?.candidate {
        try self.init(best, variant, recordsTimeline, logger)
      } else {
        logger.warning(
          "no usable OpenCL device; computing with the slow reference implementation (\(DeviceInventory.remedy))")
        self.init(backend: CPUBackend(), logger: logger)
      }
    case .openCL(let index):
      let candidates = try DeviceCandidate.all()
      let chosen =
        index.map { index in candidates.first { $0.index == index } }
        ?? DeviceCandidate.automatic(among: candidates)?.candidate
      guard let chosen else { throw Self.unknownDevice(index.map { "opencl:\($0)" } ?? "opencl", candidates) }
      try self.init(chosen, variant, recordsTimeline, logger)
    case .named(let name):
      let candidates = try DeviceCandidate.all()
      guard let chosen = candidates.first(where: { $0.name.lowercased().contains(name.lowercased()) }) else {
        throw Self.unknownDevice(name, candidates)
      }
      try self.init(chosen, variant, recordsTimeline, logger)
    }
  }

  private init(
    _ candidate: DeviceCandidate, _ variant: TileShape.Variant?, _ recordsTimeline: Bool, _ logger: Logger
  ) throws(EngineError) {
    if let obstacle = candidate.obstacle {
      throw EngineError(.unknownDevice, "opencl:\(candidate.index) (\(candidate.name)) cannot be used: \(obstacle)")
    }
    let backend = try OpenCLBackend(candidate, variant: variant, recordsTimeline: recordsTimeline, logger: logger)
    self.init(backend: backend, logger: logger)
  }

  private static func unknownDevice(_ name: String, _ candidates: [DeviceCandidate]) -> EngineError {
    let known = ["auto", "cpu"] + candidates.map { "opencl:\($0.index) (\($0.name))" }
    let advice = candidates.isEmpty ? "; there is no OpenCL device (\(DeviceInventory.remedy))" : ""
    return EngineError(.unknownDevice, "no device '\(name)'; known: \(known.joined(separator: ", "))\(advice)")
  }
}
