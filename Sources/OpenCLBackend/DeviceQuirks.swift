internal import OpenCL

/// What drivers do that the standard does not foresee, and what is done about it: one place, each with its reason.
struct DeviceQuirks: Sendable, Hashable {
  /// All work of the process goes through one queue.
  ///
  /// PoCL (3.1 to 5 at least) loads a kernel anew for a grid wider than any before, and when a run ends it looks for what
  /// to let go by name and group size alone. If another queue is running the kernel meanwhile, it finds the wrong one,
  /// and sooner or later an assertion (`pocl_release_dlhandle_cache`) ends the process. In one queue, kernels never
  /// overlap. All cores work on each kernel, so little is lost.
  let sharesOneQueue: Bool

  init(_ device: Device) {
    sharesOneQueue = device.platformName == "Portable Computing Language"
  }
}
