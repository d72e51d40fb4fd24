import CPUBackend
import Engine
import OpenCLBackend
import Testing

/// A backend to run the kit on: the reference, or a device and the family of kernels it is given.
enum TestBackend: Sendable, CustomTestStringConvertible {
  case reference
  case device(DeviceCandidate, TileShape.Variant)

  /// Every OpenCL device with both families of kernels, whatever it would choose itself.
  static let devices: [TestBackend] = {
    let candidates = (try? DeviceCandidate.all()) ?? []
    return candidates.filter { $0.obstacle == nil }.flatMap { candidate in
      TileShape.Variant.allCases.map { TestBackend.device(candidate, $0) }
    }
  }()

  var testDescription: String {
    switch self {
    case .reference: "reference"
    case .device(let candidate, let variant):
      "\(candidate.index): \(candidate.name), \(variant.rawValue) kernels"
    }
  }

  func open() throws -> any Backend {
    switch self {
    case .reference: CPUBackend()
    case .device(let candidate, let variant): try OpenCLBackend(candidate, variant: variant)
    }
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips, in sight, where there is nothing to run on.
  static var needsDevice: Self {
    .enabled(if: !TestBackend.devices.isEmpty, "no usable OpenCL device")
  }
}
