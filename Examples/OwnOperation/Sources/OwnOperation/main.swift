import Conformance
import Foundation
import Weft

// Both operations through the conformance kit, on the reference and on the best OpenCL device, then one of them at work.

for device in [DeviceSelection.reference, .openCL(index: nil)] {
  let engine = try await Engine(device)
  let outcomes = await ConformanceKit.run(cases, on: engine)
  for outcome in outcomes { if let reason = outcome.failure { print("FAILED \(outcome.name): \(reason)") } }
  let failed = outcomes.filter { $0.failure != nil }.count
  print("\(outcomes.count - failed) passed, \(failed) failed on \(engine.device.name)")
  if failed > 0 { exit(1) }
}

// The Gaussian kernel of three points with themselves, on a device.
let engine = try await Engine()
let points: [Float] = [0, 0, 1, 0, 0, 2]
let rows = HeadSlices(try await engine.upload(.float32(points), shape: [3, 2]), channels: 2)
let lengths = try await engine.upload(.float32(squares(points, 2)), shape: [3])
let out = try engine.makeTensor(.float32, 3, 3)
let columns = try engine.makePanels(for: .whole(3), channels: 2)
var submission = Submission()
try submission.append(PackColumns(rows, extent: .whole(3), into: columns))
try submission.append(
  PairwiseProduct(
    rows: rows, columns: columns, rowExtent: .whole(3), columnExtent: .whole(3),
    epilogue: GaussianKernel(gamma: 1, rowSquares: lengths, columnSquares: lengths, out: out)))
try submission.download(out)
let kernel = try await engine.run(submission)[0].floats
for row in 0..<3 { print(kernel[3 * row..<3 * row + 3].map { String(format: "%.4f", $0) }.joined(separator: "  ")) }
