/// The outputs that a multistep method keeps: the newest first, in registers that take turns.
struct OutputHistory {
  /// A kept output and the level it was taken at.
  struct Entry {
    let register: Int
    let level: NoiseLevel
  }

  /// The newest first.
  private(set) var entries: [Entry] = []
  private let registers: Range<Int>

  /// A history in `registers`; one of them is always free for the next output.
  init(registers: Range<Int>) { self.registers = registers }

  var count: Int { entries.count }

  /// A register that an update may write to while it reads the others; nil if nothing is to be kept.
  var free: Int? { registers.first { register in !entries.contains { $0.register == register } } }

  /// Notes that the output at a level was kept in `free`, and drops the oldest if no register would stay free.
  mutating func push(_ level: NoiseLevel) {
    guard let register = free else { return }
    entries.insert(Entry(register: register, level: level), at: 0)
    if entries.count == registers.count { entries.removeLast() }
  }

  /// A term of an update's sum: an entry and its weight.
  func term(_ index: Int, _ weight: Double) -> PlannedUpdate.HistoryTerm {
    PlannedUpdate.HistoryTerm(entries[index].register, weight)
  }
}
