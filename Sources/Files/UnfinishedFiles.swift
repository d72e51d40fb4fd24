internal import Foundation
internal import Synchronization

/// What the process is writing and has not finished, so that a signal that ends the process leaves none of it behind.
///
/// A library does not change how its host treats signals: nothing is removed unless the process asks for it with
/// ``removeWhenInterrupted()``.
package enum UnfinishedFiles {
  /// A place in the table; nil when the table was full.
  package typealias Entry = Int?

  /// How something is removed.
  package enum Kind { case file, folder }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// A signal handler may read memory, and call `unlink` and `rmdir`; it may not allocate, lock or free. So the table
  /// has a fixed place in memory, its entries are pointers to C strings that are exchanged atomically, and a string is
  /// freed only as long as no handler has begun to read.
  private struct Table: @unchecked Sendable {  // Sendable: every access to what it points to is atomic
    /// Far more than one process writes at once.
    static let capacity = 256

    let files = allocate()
    let folders = allocate()
    let isEnding: UnsafeMutablePointer<Atomic<Bool>>
    /// How many threads are making a file or folder now.
    let making: UnsafeMutablePointer<Atomic<Int>>

    init() {
      isEnding = .allocate(capacity: 1)
      isEnding.initialize(to: Atomic(false))
      making = .allocate(capacity: 1)
      making.initialize(to: Atomic(0))
    }

    private static func allocate() -> UnsafeMutablePointer<Atomic<UInt>> {
      let places = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: capacity)
      for place in 0..<capacity { (places + place).initialize(to: Atomic(0)) }
      return places
    }
  }

  private static let table = Table()

  /// From now on SIGINT, SIGTERM and SIGHUP remove what is unfinished before they end the process. A signal that the
  /// process was started to ignore, as `nohup` and a shell's background jobs do, stays ignored.
  ///
  /// To be called before anything else: a driver that is loaded later may set handlers of its own, and then it can no
  /// longer be known which signals were ignored.
  package static func removeWhenInterrupted() {
    _ = table  // made now, since a handler may not make it
    for number in signals {
      var current = sigaction()
      guard sigaction(number, nil, &current) == 0 else { continue }
      let handler = unsafeBitCast(current.__sigaction_handler.sa_handler, to: UInt.self)
      guard handler == unsafeBitCast(SIG_DFL, to: UInt.self) else { continue }
      _ = signal(number) { number in  // only calls that are safe in a handler
        UnfinishedFiles.removeAll()
        _ = signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// Notes a file or folder, and makes it. When the process is ending, nothing is made, and this waits for the end.
  ///
  /// Without the wait, another thread could make a file between the handler's look at the table and the end. The
  /// thread's signals are held back meanwhile, because a handler that interrupted it would wait for it in vain.
  package static func make<Made>(_ path: String, _ kind: Kind, _ body: () -> Made) -> (entry: Entry, made: Made) {
    var (held, before) = (sigset_t(), sigset_t())
    sigemptyset(&held)
    for number in signals { sigaddset(&held, number) }
    pthread_sigmask(SIG_BLOCK, &held, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    table.making.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if table.isEnding.pointee.load(ordering: .sequentiallyConsistent) {
      table.making.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      while true { pause() }
    }
    defer { table.making.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    let entry = add(path, kind)
    return (entry, body())
  }

  /// Notes a file before it is made in a folder that goes with it.
  package static func add(_ path: String, _ kind: Kind) -> Entry {
    let places = kind == .file ? table.files : table.folders
    guard let text = strdup(path) else { return nil }
    let value = UInt(bitPattern: text)
    for place in 0..<Table.capacity
    where places[place].compareExchange(expected: 0, desired: value, ordering: .sequentiallyConsistent).exchanged {
      return kind == .file ? place : Table.capacity + place
    }
    free(text)
    return nil
  }

  /// Forgets an entry, when it has its name or is removed.
  package static func remove(_ entry: Entry) {
    guard let entry else { return }
    let place = entry % Table.capacity
    let places = entry < Table.capacity ? table.files : table.folders
    let value = places[place].exchange(0, ordering: .sequentiallyConsistent)
    // A handler that has begun may be reading the text. The process ends then, and its memory with it.
    guard !table.isEnding.pointee.load(ordering: .sequentiallyConsistent) else { return }
    free(UnsafeMutableRawPointer(bitPattern: value))
  }

  /// Removes everything in the table, files before the folders that hold them.
  private static func removeAll() {
    table.isEnding.pointee.store(true, ordering: .sequentiallyConsistent)
    // At most a second: a file system that does not answer must not keep the process.
    var (waits, millisecond) = (0, timespec(tv_sec: 0, tv_nsec: 1_000_000))
    while waits < 1_000, table.making.pointee.load(ordering: .sequentiallyConsistent) > 0 {
      nanosleep(&millisecond, nil)
      waits += 1
    }
    // A folder may have been given another file meanwhile. Once it is gone it can be given none.
    var tries = 0
    while tries < 100, !removeOnce() { tries += 1 }
  }

  /// - Returns: whether no folder is left because of files in it.
  private static func removeOnce() -> Bool {
    for place in 0..<Table.capacity {
      let value = table.files[place].load(ordering: .sequentiallyConsistent)
      if let path = UnsafePointer<CChar>(bitPattern: value) { unlink(path) }
    }
    var isDone = true
    for place in 0..<Table.capacity {
      let value = table.folders[place].load(ordering: .sequentiallyConsistent)
      if let path = UnsafePointer<CChar>(bitPattern: value), rmdir(path) != 0, errno == ENOTEMPTY { isDone = false }
    }
    return isDone
  }
}
