internal import Foundation
internal import ModelFiles

/// Why a schedule, a plan or a sampling run was refused.
public struct DiffusionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the error is about.
  public enum Kind: Sendable, Hashable {
    /// A number or a combination of options that makes no sense; nothing was run.
    case invalidOption
    /// Data that cannot be used, such as a value that is not finite.
    case invalidData
    /// A device or a denoiser failed.
    case failed
  }

  /// What the error is about.
  public let kind: Kind
  /// One sentence for people: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message.printable }
}

/// Checks one condition of an option, or of something else if `kind` says so.
func require(
  _ condition: Bool, _ problem: @autoclosure () -> String, kind: DiffusionError.Kind = .invalidOption
) throws(DiffusionError) {
  guard !condition else { return }
  throw DiffusionError(kind, problem())
}

/// The largest number of a sample and the largest σ: devices compute in float32, and a sum of 10⁸ of their squares still
/// fits there.
let largestNumber = 1e15

/// Checks that numbers are finite and no larger than `largestNumber`.
func requireRange(_ values: [Float], _ name: String) throws(DiffusionError) {
  try require(values.allSatisfy(\.isFinite), "\(name) has a number that is not finite", kind: .invalidData)
  guard let large = values.first(where: { abs(Double($0)) > largestNumber }) else { return }
  throw DiffusionError(
    .invalidData,
    "\(name) has the number \(large): float32 cannot square more than \(largestNumber); bring data to about 1")
}

/// Evenly spaced numbers from `start` to `end`, both included, rounded the way numpy's `linspace` rounds them.
func evenlySpaced(from start: Double, to end: Double, count: Int) -> [Double] {
  guard count > 1 else { return count == 1 ? [start] : [] }
  let step = (end - start) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? end : start + Double($0) * step }
}

// The few functions of the C library that the planners need.

func naturalLogarithm(_ x: Double) -> Double { log(x) }
func exponential(_ x: Double) -> Double { exp(x) }
func cosine(_ angle: Double) -> Double { cos(angle) }
func sine(_ angle: Double) -> Double { sin(angle) }
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
