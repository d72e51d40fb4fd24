internal import CPUBackend
package import Engine

extension OperationRecorder {
  /// A recorder of what the reference runs: what the kit would launch, seen without a device.
  package convenience init(transformsConvolutions: Bool? = nil) {
    self.init(CPUBackend(), transformsConvolutions: transformsConvolutions)
  }
}

extension ConformanceKit {
  /// What the kit's kernels are compiled from with a device's tiles. The cases run on the reference to find out, which
  /// takes as long as that.
  ///
  /// - Parameters:
  ///   - tiles: the device's tiles; or those of several devices.
  ///   - small: only the tiny cases; they lack most head sizes of attention, and nothing else.
  ///   - filter: only the case of this name, or those whose name contains this text.
  /// - Returns: one launch of each program, in the order in which the cases make them.
  /// - Throws: `Mismatch` if a case fails, whose later launches would be missing.
  package static func launches(
    with tiles: TileShape..., small: Bool = false, filter: String? = nil
  ) async throws(Mismatch) -> [KernelLaunch] {
    let recorder = OperationRecorder(transformsConvolutions: tiles.contains { $0.variant == .cpu })
    for outcome in await run(on: recorder, small: small, filter: filter) {
      if let failure = outcome.failure { throw Mismatch("\(outcome.name) fails on the reference: \(failure)") }
    }
    var seen: Set<KernelProgram> = []
    var launches: [KernelLaunch] = []
    for submission in recorder.submissions {
      for tiles in tiles {
        for units in tiles.unitsOfDevices(at: submission.precision) {
          let shape = tiles.multiplying(at: submission.precision, by: units)
          for launch in submission.operations.flatMap({ $0.launches(shape) })
          where seen.insert(launch.program).inserted { launches.append(launch) }
        }
      }
    }
    return launches
  }
}

extension TileShape {
  /// What devices with these tiles may compute products with.
  fileprivate func unitsOfDevices(at precision: Precision) -> [ProductUnits] {
    switch (variant, precision) {
    case (_, .float32): [.float32]
    case (.cpu, _): [.float32, .avx512]
    case (.gpu, _): [.float32, .nvidia, .emulated]
    }
  }
}
