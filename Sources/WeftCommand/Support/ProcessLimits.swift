internal import Foundation
internal import Synchronization

/// What the system allows a process, looked at before the work begins.
enum ProcessLimits {
  /// Address space that the smallest run takes beside its threads.
  private static let smallestHeap = 64 << 20
  /// Address space that the C library reserves for a thread's allocations.
  private static let arena = 64 << 20

  /// Address space that PoCL takes with its compiler, LLVM. Neither says that it has too little: they end the process.
  private static let driver = 1 << 30

  /// Why the process cannot work with what the system allows it, and what to do; nil when it can.
  ///
  /// The task scheduler waits without end when it can start no thread, and Swift ends the process when it gets no memory.
  /// So threads are tried here, and where `ulimit -v` sets a limit, address space as well. With `withDriver`, whether there
  /// is room for an OpenCL driver, which is loaded later than the command starts.
  static func problem(withDriver: Bool = false) -> String? {
    let threads = ProcessInfo.processInfo.activeProcessorCount + 2
    if let limit = addressSpaceLimit() {
      let arenas = ProcessInfo.processInfo.environment["MALLOC_ARENA_MAX"].flatMap { Int($0) } ?? threads
      let needed = threads * stackSize() + min(max(arenas, 1), threads) * arena + (withDriver ? driver : smallestHeap)
      guard canReserve(needed) else {
        return """
          too little memory: 'ulimit -v' allows this process \(limit >> 20) MiB of address space, and its \(threads) \
          threads\(withDriver ? " and an OpenCL driver" : "") need \(needed >> 20) MiB beside what the program itself \
          takes; raise the limit, remove it with 'ulimit -v unlimited', \
          \(withDriver ? "or compute without a driver: --device cpu" : "or set MALLOC_ARENA_MAX=1, with which they need less")
          """
      }
    }
    guard !withDriver else { return nil }
    let started = startable(threads)
    guard started < threads else { return nil }
    return """
      the system lets this process start \(started) of the \(threads) threads that it needs: raise the limit on \
      processes ('ulimit -u', a container's limit on processes) or on memory ('ulimit -v'), or end other programs
      """
  }

  private static func addressSpaceLimit() -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
    return Int(exactly: limit.rlim_cur)  // no limit is a number beyond Int
  }

  /// Bytes of address space that a thread's stack takes.
  private static func stackSize() -> Int {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return 8 << 20 }
    defer { pthread_attr_destroy(&attributes) }
    var size = 0
    guard pthread_attr_getstacksize(&attributes, &size) == 0 else { return 8 << 20 }
    return size
  }

  private static func canReserve(_ byteCount: Int) -> Bool {
    let memory = mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { return false }
    munmap(memory, byteCount)
    return true
  }

  /// How many of some threads can exist at once.
  private static func startable(_ count: Int) -> Int {
    var threads: [pthread_t] = []
    // They all wait until the last has started.
    gate.withLock { _ in
      for _ in 0..<count {
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { _ in ProcessLimits.gate.withLock { _ in nil } }, nil) == 0 else { break }
        threads.append(thread)
      }
    }
    for thread in threads { pthread_join(thread, nil) }
    return threads.count
  }

  private static let gate = Mutex(())
}

/// What the system allows a process is too little.
struct LimitError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
