import Foundation
import OpenCL
import Testing

/// The device to test on: the first usable one; `OCL_ICD_VENDORS` chooses among drivers.
let testDevice: Device? = {
  guard let platforms = try? Platform.all() else { return nil }
  for platform in platforms {
    guard let devices = try? platform.devices() else { continue }
    if let device = devices.first(where: \.isUsable) { return device }
  }
  return nil
}()

extension Trait where Self == ConditionTrait {
  /// Skips, in sight, where there is nothing to run on.
  static var needsDevice: Self { .enabled(if: testDevice != nil, "no usable OpenCL device") }
}

/// One context and one compiled program for all tests: contexts are thread-safe, and compiling is
/// what takes the time.
struct Bench: Sendable {
  let device: Device
  let context: Context
  let program: Program

  private static let shared = Result { try Bench() }

  /// The bench; throws what went wrong when it was set up.
  static func open() throws -> Bench { try shared.get() }

  private init() throws {
    device = try #require(testDevice)
    context = try Context(device: device)
    program = try Program.build(name: "bench", source: Self.source, context: context)
  }

  static let source = """
    __kernel void scale(__global float *x, const float factor)
    {
      x[get_global_id(0)] *= factor;
    }

    __kernel void arguments(__global ulong *out, const int a, const uint b, const float c,
                            const ulong d, const float4 e, __local uint *scratch)
    {
      const int i = get_local_id(0);
      scratch[i] = i + 1;
      barrier(CLK_LOCAL_MEM_FENCE);
      if (i != 0) return;
      uint sum = 0;
      for (uint j = 0; j < get_local_size(0); ++j) sum += scratch[j];
      out[0] = (ulong)(long)a;
      out[1] = b;
      out[2] = (ulong)(c * 4);
      out[3] = d;
      out[4] = (ulong)(e.x + 10 * e.y + 100 * e.z + 1000 * e.w);
      out[5] = sum;
    }

    __kernel void is_null(__global int *out, __global const int *x)
    {
      *out = x == 0;
    }
    """
}

extension CommandQueue {
  /// `count` values from the start of `buffer`, once everything before is done.
  func values<Value: BitwiseCopyable>(
    of buffer: Buffer, _ count: Int, as zero: Value, offset: Int = 0
  ) throws -> [Value] {
    var values = [Value](repeating: zero, count: count)
    try values.withUnsafeMutableBytes {
      try enqueueRead(buffer, offset: offset, into: $0).wait()
    }
    return values
  }

  /// Writes an array's bytes.
  func write<Value: BitwiseCopyable>(
    values: [Value], to buffer: Buffer, offset: Int = 0
  ) throws {
    try values.withUnsafeBytes { try write($0, to: buffer, offset: offset) }
  }
}

/// Calls `body` with a directory that is gone afterwards.
func withTemporaryDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent("opencl-tests-\(UUID().uuidString)")
  let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
  try FileManager.default.createDirectory(
    at: directory, withIntermediateDirectories: true, attributes: mode)
  defer { try? FileManager.default.removeItem(at: directory) }
  return try await body(directory.path)
}
