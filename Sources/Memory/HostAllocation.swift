internal import Foundation
internal import Synchronization

/// Large pieces of host memory: where the system refuses one, that is an error. Swift's own allocations end the process.
package enum HostAllocation {
  /// Memory that the system did not give.
  package struct Refused: Error, Hashable, CustomStringConvertible {
    /// Bytes asked for.
    package let byteCount: Int

    /// The rest of a sentence, with what to do.
    package var description: String {
      "needs \(byteCount) bytes of memory, which the system does not give: use a machine with more, or less at a time"
    }
  }

  /// Smaller arrays are not asked for beforehand: who cannot have them cannot go on at all.
  private static let askedFor = 1 << 20

  /// Looks whether the system would give so much, before an array of that size is made.
  /// - Throws: `Refused` if it would not.
  package static func check(_ byteCount: Int) throws(Refused) {
    guard byteCount >= 0, plan?.passes() ?? true else { throw Refused(byteCount: byteCount) }
    guard byteCount >= askedFor else { return }
    // Not `malloc`: a compiler leaves out a pair of calls whose memory no one uses.
    guard let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { throw Refused(byteCount: byteCount) }
    munmap(memory, byteCount)
  }

  /// Uninitialised memory, a multiple of 64 bytes aligned; `free(_:)` gives it back.
  /// - Throws: `Refused` if there is not so much.
  package static func allocate(byteCount: Int) throws(Refused) -> UnsafeMutableRawBufferPointer {
    guard byteCount >= 0, plan?.passes() ?? true else { throw Refused(byteCount: byteCount) }
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, max(1, byteCount)) == 0, let memory else {
      throw Refused(byteCount: byteCount)
    }
    return UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
  }

  /// Gives memory of `allocate` back.
  package static func free(_ memory: UnsafeMutableRawBufferPointer) { Foundation.free(memory.baseAddress) }

  // MARK: Failing on purpose

  /// Runs `body` with one of its requests refused, for tests of what happens then. Task-local, as child tasks inherit it.
  /// `occurrence` says which request, from 1; nil refuses none, to count them.
  package static func refusing<Result>(
    _ occurrence: Int?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> (result: Result, requests: Int) {
    let plan = Plan(occurrence)
    let result = try await $plan.withValue(plan, operation: body)
    return (result, plan.requests)
  }

  @TaskLocal private static var plan: Plan?

  private final class Plan: Sendable {
    private let occurrence: Int?
    private let count = Mutex(0)

    init(_ occurrence: Int?) { self.occurrence = occurrence }

    var requests: Int { count.withLock { $0 } }

    func passes() -> Bool {
      count.withLock { count in
        count += 1
        return count != occurrence
      }
    }
  }
}
