import Conformance
import Engine
import OpenCL
import Testing

@testable import OpenCLBackend

/// Host and kernel agree by name: each launch that the kit makes, beside what its compiled kernel says of itself.
@Suite struct LaunchArgumentTests {
  /// One launch of each program that the kit makes with a variant's tiles; its small run makes all of them.
  private static func launches(_ variant: TileShape.Variant) async throws -> [KernelLaunch] {
    var seen: Set<KernelProgram> = []
    let tiles = TileShape(variant, maxWorkGroupSize: 256)
    return try await ConformanceKit.launches(with: tiles, small: true).filter { launch in
      // Not every compiler takes what is written for one kind of processor; its parameters are those of the emulation.
      guard [nil, "WEFT_EMULATED"].contains(launch.program.defines["WEFT_UNITS"]) else { return false }
      // The size of attention's heads changes no parameter, and there are many.
      return seen.insert(
        KernelProgram(
          source: launch.program.source, entry: launch.program.entry,
          defines: launch.program.defines.filter { $0.key != "AT_CHANNELS" })
      ).inserted
    }
  }

  @Test(.needsDevice, arguments: TileShape.Variant.allCases)
  func everyLaunchHasItsKernelsParameters(_ variant: TileShape.Variant) async throws {
    guard case .device(let candidate, _) = try #require(TestBackend.devices.first) else { return }
    let context = try Context(device: candidate.device)
    let launches = try await Self.launches(variant)
    #expect(launches.count > 50)
    for launch in launches {
      let program = try Program.build(
        name: launch.program.source.name, source: try launch.program.source.flattened(),
        options: launch.program.options + ["-cl-kernel-arg-info"], context: context)
      let parameters = try program.makeKernel(launch.program.entry).parameters()
      let label = "\(launch.program.entry) \(launch.program.options)"
      #expect(launch.arguments.list.map(\.name) == parameters.map(\.name), "\(label)")
      for (argument, parameter) in zip(launch.arguments.list, parameters) {
        #expect(argument.value.fits(parameter.type), "\(label): \(parameter.name) is \(parameter.type)")
      }
    }
  }
}

extension KernelArguments.Value {
  /// Whether a parameter of this type can take the value. Structures are words to the host, and where a kernel does not
  /// look at one, any tensor stands in for it.
  fileprivate func fits(_ type: String) -> Bool {
    switch self {
    case .int: ["int", "uint"].contains(type)
    case .float: type == "float"
    case .tensor(let tensor):
      switch type {
      case "float*": tensor.elementType == .float32
      case "int*", "uint*": tensor.elementType == .int32
      default: type.hasSuffix("*")
      }
    }
  }
}
