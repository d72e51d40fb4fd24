import Geometry
import ModelFiles

/// The first line of a file of proofs: what they are about.
struct ArgmaxableProofHeader: Equatable {
  static let format = "weft argmaxability proofs 1"

  let tensor: String
  let bias: String?
  let box: Double?
  let classes: Int
  let dimension: Int
  /// Of the numbers, so that another tensor of the same name is noticed at once.
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
    writer.name("format")
    writer.string(Self.format)
    writer.name("tensor")
    writer.string(tensor)
    writer.name("bias")
    if let bias { writer.string(bias) } else { writer.null() }
    writer.name("box")
    if let box { writer.number(box) } else { writer.null() }
    writer.name("classes")
    writer.integer(classes)
    writer.name("dimension")
    writer.integer(dimension)
    writer.name("fingerprint")
    writer.string(fingerprint)
    writer.endObject()
    writer.newline()
  }

  /// Whether a text is what a run that was killed at once may have left of this header: nothing, or its line from the
  /// start up to somewhere behind the name of the format. Less than that may be anybody's.
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
