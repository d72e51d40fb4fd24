import Foundation
import Geometry
import ModelFiles

// The file in which a search keeps its proofs: JSON lines, first a header and then a line for each class. Runs append
// whole lines only, so that what a killed run has left can be gone on from.

/// The first line of a file of proofs: what they are about.
struct ArgmaxableProofHeader: Equatable {
  static let format = "weft argmaxability proofs 1"

  let tensor: String
  let bias: String?
  let box: Double?
  let classes: Int
  let dimension: Int
  /// A fingerprint of the numbers, which shows another tensor of the same name at once.
  let fingerprint: String

  init(_ layer: ArgmaxableLayer) {
    (tensor, bias, box) = (layer.tensor, layer.biasTensor, layer.box)
    (classes, dimension) = (layer.classes.count, layer.classes.dimension)
    fingerprint = String(layer.classes.fingerprint, radix: 16)
  }

  init(_ line: [UInt8], of file: String) throws(ModelFileError) {
    let fields = try JSONFields(line: line, of: file)
    guard try fields.string("format") == Self.format else {
      throw fields.error("format", "\(Self.format.quoted) expected: this is no file of such proofs")
    }
    let limits = 1...Int.max
    tensor = try fields.string("tensor") ?? ""
    bias = try fields.string("bias")
    box = try fields.number("box")
    classes = try fields.integer("classes", in: limits) ?? 0
    dimension = try fields.integer("dimension", in: limits) ?? 0
    fingerprint = try fields.string("fingerprint") ?? ""
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("format", Self.format)
    writer.field("tensor", tensor)
    writer.field("bias", bias)
    writer.field("box", box)
    writer.field("classes", classes)
    writer.field("dimension", dimension)
    writer.field("fingerprint", fingerprint)
    writer.endObject()
    writer.newline()
  }

  /// Whether a text is what a run that was killed at once may have left of this header: nothing, or its line from the
  /// start to somewhere after the name of the format. A shorter text may be part of any file.
  func isCut(to text: [UInt8]) -> Bool {
    var writer = JSONWriter()
    write(to: &writer)
    return text.isEmpty || (text.count > Self.format.utf8.count + 12 && writer.bytes.starts(with: text))
  }

  /// What is different about another header, for a person; nil if nothing is.
  func difference(from other: ArgmaxableProofHeader) -> String? {
    if tensor != other.tensor { return "they are about tensor \(other.tensor.quoted), not \(tensor.quoted)" }
    if bias != other.bias { return "they were made \(Self.with("bias", other.bias)), not \(Self.with("bias", bias))" }
    if box != other.box {
      return
        "they were made \(Self.with("box", other.box.map { "\($0)" })), not \(Self.with("box", box.map { "\($0)" }))"
    }
    if (classes, dimension) != (other.classes, other.dimension) {
      return "they are about \(other.classes) classes of dimension \(other.dimension), not \(classes) of \(dimension)"
    }
    return fingerprint == other.fingerprint ? nil : "they are about a tensor with other numbers"
  }

  private static func with(_ option: String, _ value: String?) -> String {
    value.map { "with --\(option) \($0)" } ?? "without --\(option)"
  }
}

/// A proof as a line of JSON.
enum ArgmaxableProofLine {
  static func write(_ proof: ClassProof, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("class", proof.index)
    writer.field("verdict", proof.verdict.rawValue)
    switch proof.claim {
    case .argmaxable(let direction): write(direction, to: &writer)
    case .unargmaxable(let combination): write(combination, to: &writer)
    case .tied(let other, let together):
      writer.field("with", other)
      switch together {
      case .above(let direction): write(direction, to: &writer)
      case .below(let combination): write(combination, to: &writer)
      case .unsaid: break
      }
    case .undecided(let combination, let bound):
      writer.field("bound", bound)
      write(combination, to: &writer)
    }
    writer.endObject()
    writer.newline()
  }

  /// - Throws: `ModelFileError` that says what is wrong with the line.
  static func read(_ line: [UInt8], of file: String) throws(ModelFileError) -> ClassProof {
    let fields = try JSONFields(line: line, of: file)
    guard let index = try fields.integer("class", in: 0...Int.max) else { throw fields.error("class", "is missing") }
    guard let name = try fields.string("verdict"), let verdict = Verdict(rawValue: name) else {
      throw fields.error("verdict", "must be one of \(Verdict.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let claim: ClassProof.Claim
    switch verdict {
    case .argmaxable:
      guard let direction = try direction(fields) else { throw fields.error("h", "is missing") }
      claim = .argmaxable(direction)
    case .unargmaxable:
      guard let combination = try combination(fields) else { throw fields.error("support", "is missing") }
      claim = .unargmaxable(combination)
    case .tied:
      guard let other = try fields.integer("with", in: 0...Int.max) else { throw fields.error("with", "is missing") }
      if let direction = try direction(fields) {
        claim = .tied(with: other, .above(direction))
      } else if let combination = try combination(fields) {
        claim = .tied(with: other, .below(combination))
      } else {
        claim = .tied(with: other, .unsaid)
      }
    case .undecided:
      guard let combination = try combination(fields), let bound = try fields.number("bound") else {
        throw fields.error("bound", "it and a combination belong to this verdict")
      }
      claim = .undecided(combination, bound: bound)
    }
    return ClassProof(index: index, claim: claim)
  }

  // MARK: Parts

  private static func write(_ direction: Direction, to writer: inout JSONWriter) {
    switch direction {
    case .row(let scale): write("row", scale, to: &writer)
    case .centredRow(let scale): write("centred row", scale, to: &writer)
    case .vector(let elements): writer.field("h", elements)
    case .exact(let elements): write("h", elements, to: &writer)
    }
  }

  private static func write(_ name: String, _ scale: Double, to writer: inout JSONWriter) {
    writer.field("h", name)
    writer.field("scale", scale)
  }

  private static func write(_ combination: Combination, to writer: inout JSONWriter) {
    writer.field("support", combination.classes)
    if let weights = combination.exactWeights {
      write("weights", weights, to: &writer)
    } else {
      writer.field("weights", combination.weights)
    }
  }

  /// Exact numbers are texts such as `"-3/7"`: JSON's own are read in double precision.
  private static func write(_ name: String, _ numbers: [ExactNumber], to writer: inout JSONWriter) {
    writer.name(name)
    writer.beginArray()
    for number in numbers { writer.string(number.description) }
    writer.endArray()
  }

  private static func direction(_ fields: JSONFields) throws(ModelFileError) -> Direction? {
    guard case .string(let name)? = fields["h"] else {
      if let exact = try exactNumbers(fields, "h") { return .exact(exact) }
      return try numbers(fields, "h").map { .vector($0) }
    }
    guard let scale = try fields.number("scale") else { throw fields.error("scale", "is missing") }
    switch name {
    case "row": return .row(scale: scale)
    case "centred row": return .centredRow(scale: scale)
    default: throw fields.error("h", "\(name.quoted) is neither 'row' nor 'centred row'")
    }
  }

  private static func combination(_ fields: JSONFields) throws(ModelFileError) -> Combination? {
    guard let support = try fields.array("support") else { return nil }
    var classes: [Int] = []
    for element in support {
      guard case .integer(let index) = element else { throw fields.error("support", "holds what is no class") }
      classes.append(index)
    }
    if let weights = try exactNumbers(fields, "weights") { return Combination(classes: classes, exactWeights: weights) }
    return try numbers(fields, "weights").map { Combination(classes: classes, weights: $0) }
  }

  /// An array of texts; nil if there is no array, or the first of its elements is no text.
  private static func exactNumbers(_ fields: JSONFields, _ name: String) throws(ModelFileError) -> [ExactNumber]? {
    guard let array = try fields.array(name), case .string? = array.first else { return nil }
    var numbers: [ExactNumber] = []
    for element in array {
      guard case .string(let text) = element, let number = ExactNumber(text) else {
        throw fields.error(name, "holds what is no number such as '3/7'")
      }
      numbers.append(number)
    }
    return numbers
  }

  private static func numbers(_ fields: JSONFields, _ name: String) throws(ModelFileError) -> [Double]? {
    guard let array = try fields.array(name) else { return nil }
    var numbers: [Double] = []
    numbers.reserveCapacity(array.count)
    for element in array {
      switch element {
      case .integer(let value): numbers.append(Double(value))
      case .number(let value): numbers.append(value)
      default: throw fields.error(name, "holds what is no number")
      }
    }
    return numbers
  }
}

/// A line of a file of proofs.
struct NumberedProof {
  let line: Int
  /// Where its bytes are in the file, the end of the line included.
  let bytes: Range<Int>
  let proof: ClassProof
}

/// Reads a file of proofs. A last line without an end is left out: a process was killed while writing it.
struct ArgmaxableProofReader {
  let header: ArgmaxableProofHeader
  /// Bytes up to the end of the last whole line that was read.
  private(set) var wholeBytes: Int
  private let path: String
  private let content: [UInt8]
  private var line = 1

  /// Opens a file; nil if there is no such file, or nothing in it but a part of the header that is expected.
  /// - Throws: `ModelFileError` if it cannot be read, or is no file of proofs.
  static func open(
    _ path: String, expecting expected: ArgmaxableProofHeader
  ) throws(ModelFileError) -> ArgmaxableProofReader? {
    guard fileExists(path) else { return nil }
    let content = try fileContent(path)
    guard let end = content.firstIndex(of: UInt8(ascii: "\n")) else {
      guard expected.isCut(to: content) else {
        throw ModelFileError(file: path, problem: "is no file of proofs; give another name")
      }
      return nil
    }
    let header: ArgmaxableProofHeader
    do { header = try ArgmaxableProofHeader(Array(content[..<end]), of: path) } catch {
      throw ModelFileError(file: path, problem: "is no file of proofs (\(error.problem)); give another name")
    }
    return ArgmaxableProofReader(header: header, path: path, content: content, wholeBytes: end + 1)
  }

  private init(header: ArgmaxableProofHeader, path: String, content: [UInt8], wholeBytes: Int) {
    (self.header, self.path, self.content, self.wholeBytes) = (header, path, content, wholeBytes)
  }

  /// The next proofs, `count` at most; empty at the end. Lines that are no proofs are handed to `fault`.
  mutating func next(_ count: Int, fault: (_ line: Int, String) throws -> Void) throws -> [NumberedProof] {
    var proofs: [NumberedProof] = []
    while proofs.count < count, let end = content[wholeBytes...].firstIndex(of: UInt8(ascii: "\n")) {
      line += 1
      do throws(ModelFileError) {
        let proof = try ArgmaxableProofLine.read(Array(content[wholeBytes..<end]), of: path)
        proofs.append(NumberedProof(line: line, bytes: wholeBytes..<end + 1, proof: proof))
      } catch {
        try fault(line, error.subject.map { "\($0): \(error.problem)" } ?? error.problem)
      }
      wholeBytes = end + 1
    }
    return proofs
  }

  /// What was read, less some lines.
  func content(without lines: [NumberedProof]) -> [UInt8] {
    var kept: [UInt8] = []
    var start = 0
    for line in lines {
      kept += content[start..<line.bytes.lowerBound]
      start = line.bytes.upperBound
    }
    return kept + content[start..<wholeBytes]
  }

  /// Whether bytes without an end of line follow what was read.
  var isCut: Bool { wholeBytes < content.count }
}

/// Appends proofs to a file, a whole line at a time.
struct ArgmaxableProofWriter {
  private let path: String
  private let descriptor: FileDescriptor

  /// Opens the file, new or with what it holds, and keeps other runs from writing it.
  /// - Throws: `OutputError` if it cannot be written; `ModelFileError` if another run writes it.
  init(path: String) throws {
    self.path = path
    guard let descriptor = FileDescriptor(opening: path, flags: O_RDWR | O_CREAT | O_APPEND) else {
      throw OutputError(path: path, code: errno)
    }
    self.descriptor = descriptor
    guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
      throw ModelFileError(file: path, problem: "another run is writing it; give another name or wait for its end")
    }
  }

  /// Cuts the file to its whole lines; a new one gets its header.
  func start(keeping bytes: Int, header: ArgmaxableProofHeader) throws {
    guard ftruncate(descriptor.rawValue, off_t(bytes)) == 0 else { throw OutputError(path: path, code: errno) }
    guard bytes == 0 else { return }
    var writer = JSONWriter()
    header.write(to: &writer)
    try write(writer.bytes)
  }

  func append(_ proofs: [ClassProof]) throws {
    var writer = JSONWriter()
    for proof in proofs { ArgmaxableProofLine.write(proof, to: &writer) }
    try write(writer.bytes)
  }

  private func write(_ bytes: [UInt8]) throws {
    let code = descriptor.writeAll(bytes)
    if code != 0 { throw OutputError(path: path, code: code) }
  }
}
