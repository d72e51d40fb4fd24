/// What a kernel is compiled from: the key of the compiled programs in memory.
struct KernelSpec: Hashable, Sendable {
  /// Path below `Kernels/`.
  let source: String
  let entry: String
  let defines: [String: Int]

  /// Compiler options, in a fixed order.
  var options: [String] {
    defines.sorted { $0.key < $1.key }.map { "-D\($0.key)=\($0.value)" }
  }
}
