/// An open safetensors file: its tensors' descriptions, checked, and their bytes, read when they are asked for.
package final class SafetensorsFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String
  /// Free text about the file.
  package let metadata: [String: String]
  /// The tensors by name.
  package let tensors: [String: TensorEntry]

  private let file: InputFile
  private let dataStart: Int

  /// Opens and checks a file; the tensors are not read.
  /// - Parameter path: The path of a regular file.
  /// - Throws: `ModelFileError` naming what cannot be opened or the rule that the file breaks.
  package init(path: String) throws(ModelFileError) {
    self.path = path
    file = try InputFile(path: path)
    let header = try SafetensorsHeader(file)
    metadata = header.metadata
    dataStart = header.dataStart
    var tensors: [String: TensorEntry] = [:]
    for entry in header.entries {
      // Names that differ in bytes only by Unicode normal form are one key to a dictionary.
      guard tensors.updateValue(entry, forKey: entry.name) == nil else {
        throw entry.error(in: path, "two tensors have this name in different Unicode forms")
      }
    }
    self.tensors = tensors
  }

  /// A tensor's description.
  /// - Throws: `ModelFileError` with the names closest to `name` if there is no such tensor.
  package func entry(named name: String) throws(ModelFileError) -> TensorEntry {
    guard let entry = tensors[name] else {
      throw missingTensor(name, among: tensors.keys.sorted(), file: path)
    }
    return entry
  }

  /// A tensor's bytes, row major and little endian.
  /// - Throws: `ModelFileError` if there is no such tensor or it cannot be read.
  package func bytes(of name: String) throws(ModelFileError) -> [UInt8] { try bytes(of: try entry(named: name)) }

  /// A tensor's elements as Float.
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - shape: The shape that the tensor must have; `nil` accepts any.
  /// - Returns: The elements, row major: F32 as stored, F16 and BF16 widened exactly, F64 rounded to
  ///   nearest.
  /// - Throws: `ModelFileError` if the tensor is missing, of another shape or not of these types.
  package func floats(
    named name: String, shape: [Int]? = nil
  ) throws(ModelFileError) -> [Float] {
    let entry = try entry(named: name)
    try entry.check(shape: shape, file: path)
    guard entry.elementType.isReal,
      let floats = try file.floats(
        at: dataStart + entry.byteRange.lowerBound, count: entry.count, of: entry.elementType)
    else {
      throw entry.error(
        in: path, "holds \(entry.elementType.rawValue), where F16, BF16, F32 or F64 is expected")
    }
    return floats
  }

  /// A tensor's elements as Int.
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - shape: The shape that the tensor must have; `nil` accepts any.
  /// - Returns: The elements, row major.
  /// - Throws: `ModelFileError` if the tensor is missing, of another shape, or not of an integer
  ///   type or BOOL, or if a value exceeds Int.
  package func integers(
    named name: String, shape: [Int]? = nil
  ) throws(ModelFileError) -> [Int] {
    let entry = try entry(named: name)
    try entry.check(shape: shape, file: path)
    guard let integers = try bytes(of: entry).withUnsafeBytes({ widenedToInt($0, from: entry.elementType) }) else {
      throw entry.error(
        in: path, "holds \(entry.elementType.rawValue) or a value that is not an Int")
    }
    return integers
  }

  private func bytes(of entry: TensorEntry) throws(ModelFileError) -> [UInt8] {
    let start = dataStart + entry.byteRange.lowerBound
    return try file.bytes(start..<start + entry.byteRange.count)
  }
}

extension TensorEntry {
  /// Refuses a tensor whose shape is not the expected one.
  fileprivate func check(shape expected: [Int]?, file: String) throws(ModelFileError) {
    guard let expected, expected != shape else { return }
    throw error(in: file, "shape \(expected) expected, \(shape) found")
  }
}

/// What a checkpoint says about one tensor.
package struct TensorEntry: Hashable, Sendable {
  /// The tensor's name.
  package let name: String
  /// The type of its elements.
  package let elementType: StoredType
  /// Its extents, outermost first; empty for a single number. Row major.
  package let shape: [Int]
  /// Its bytes within the file's data part, which follows the header.
  package let byteRange: Range<Int>

  /// The number of elements.
  package var count: Int { byteRange.count / elementType.size }
}

/// The checked header of a safetensors file.
///
///     8 bytes   N, little endian      N bytes   JSON, from '{'      the rest   data
///
/// The rules are those of the format's description and its reference implementation
/// (https://github.com/huggingface/safetensors): they make every byte of the data part belong to
/// exactly one tensor, so nothing can hide in a file and nothing can read outside of it.
struct SafetensorsHeader {
  /// The reference implementation's limit on N.
  static let byteLimit = 100_000_000

  /// Free text about the file, from `__metadata__`.
  let metadata: [String: String]
  /// The tensors in the order of their bytes.
  let entries: [TensorEntry]
  /// Where the data part begins in the file, in bytes.
  let dataStart: Int

  private let file: String

  /// Reads and checks the header of a file.
  /// - Throws: `ModelFileError` naming the first rule that the file breaks.
  init(_ input: InputFile) throws(ModelFileError) {
    let file = input.path
    self.file = file
    guard input.count >= 8 else {
      throw ModelFileError(
        file: file, problem: "\(input.count) bytes are too few for a safetensors file")
    }
    let length = try input.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(Self.byteLimit) else {
      throw ModelFileError(
        file: file,
        problem: "the header claims \(length) bytes, more than the \(Self.byteLimit) allowed; "
          + "this is not a safetensors file")
    }
    dataStart = 8 + Int(length)
    guard dataStart <= input.count else {
      throw ModelFileError(
        file: file,
        problem: "the header claims \(length) bytes but the file has \(input.count - 8) after it; "
          + "the file is cut short")
    }
    let text = try input.bytes(8..<dataStart)
    guard text.first == UInt8(ascii: "{") else {
      throw ModelFileError(file: file, problem: "the header is not a JSON object")
    }
    guard case .object(let members) = try JSONValue(parsing: text, file: file) else {
      throw ModelFileError(file: file, problem: "the header is not a JSON object")
    }

    var metadata: [String: String] = [:]
    var entries: [TensorEntry] = []
    for member in members {
      if member.name == "__metadata__" {
        metadata = try Self.metadata(member.value, file: file)
      } else {
        entries.append(try Self.entry(member, file: file))
      }
    }
    self.metadata = metadata
    // A stable order for tensors without elements, which share their place with a neighbour.
    entries.sort {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    self.entries = entries
    try checkCover(dataCount: input.count - dataStart)
  }

  private static func metadata(
    _ value: JSONValue, file: String
  ) throws(ModelFileError) -> [String: String] {
    guard case .object(let members) = value else {
      throw ModelFileError(
        file: file, subject: "field '__metadata__'",
        problem: "an object expected, \(value.kind) found")
    }
    var metadata: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else {
        throw ModelFileError(
          file: file, subject: "field \("__metadata__.\(member.name)".quoted)",
          problem: "a string expected, \(member.value.kind) found")
      }
      metadata[member.name] = text
    }
    return metadata
  }

  /// Refuses bytes that belong to two tensors or to none.
  private func checkCover(dataCount: Int) throws(ModelFileError) {
    var end = 0
    for entry in entries {
      let range = entry.byteRange
      guard range.upperBound <= dataCount else {
        throw entry.error(
          in: file,
          "bytes \(range.lowerBound)..<\(range.upperBound) lie outside of the \(dataCount) bytes of "
            + "data; the file is cut short")
      }
      guard range.lowerBound >= end else {
        throw entry.error(in: file, "overlaps the tensor before it at byte \(range.lowerBound)")
      }
      guard range.lowerBound == end else {
        throw entry.error(
          in: file, "bytes \(end)..<\(range.lowerBound) before it belong to no tensor")
      }
      end = range.upperBound
    }
    guard end == dataCount else {
      throw ModelFileError(
        file: file, problem: "the last \(dataCount - end) bytes belong to no tensor")
    }
  }

  /// Reads one tensor's description: `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`.
  private static func entry(
    _ member: JSONMember, file: String
  ) throws(ModelFileError) -> TensorEntry {
    func error(_ problem: String) -> ModelFileError {
      ModelFileError(file: file, subject: "tensor \(member.name.quoted)", problem: problem)
    }
    guard case .object(let fields) = member.value else {
      throw error("an object expected, \(member.value.kind) found")
    }
    var type: StoredType?
    var shape: [Int]?
    var offsets: [Int]?
    for field in fields {
      switch (field.name, field.value) {
      case ("dtype", .string(let name)):
        guard let known = StoredType(rawValue: name) else {
          throw error("unknown element type \(name.quoted)")
        }
        type = known
      case ("shape", .array(let values)): shape = naturals(values)
      case ("data_offsets", .array(let values)): offsets = naturals(values)
      default: throw error("unexpected field \(field.name.quoted) holding \(field.value.kind)")
      }
    }
    guard let type else { throw error("field 'dtype' is missing") }
    guard let shape else { throw error("field 'shape' is missing or not a list of sizes") }
    guard let offsets, offsets.count == 2 else {
      throw error("field 'data_offsets' is missing or not a pair of offsets")
    }
    guard offsets[0] <= offsets[1] else {
      throw error("its bytes end (\(offsets[1])) before they begin (\(offsets[0]))")
    }
    var byteCount = type.size
    for extent in shape {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw error("shape \(shape) is too large") }
      byteCount = product
    }
    guard byteCount == offsets[1] - offsets[0] else {
      throw error(
        "shape \(shape) of \(type.rawValue) takes \(byteCount) bytes, "
          + "\(offsets[1] - offsets[0]) found")
    }
    return TensorEntry(
      name: member.name, elementType: type, shape: shape, byteRange: offsets[0]..<offsets[1])
  }

  /// A list of non-negative integers; `nil` if it holds anything else.
  private static func naturals(_ values: [JSONValue]) -> [Int]? {
    var numbers: [Int] = []
    for value in values {
      guard case .integer(let number) = value, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}

extension TensorEntry {
  /// An error about this tensor.
  func error(in file: String, _ problem: String) -> ModelFileError {
    ModelFileError(file: file, subject: "tensor \(name.quoted)", problem: problem)
  }
}
