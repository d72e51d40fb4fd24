internal import ModelFiles

/// The field `head` of a description: what all heads of a model have in common.
struct HeadForm {
  let kind: HeadKind
  let dialect: HeadDialect
  let headSize: Int
  /// The field itself, for what depends on the file.
  let fields: JSONFields

  /// Reads the field.
  /// - Parameter description: the whole file.
  /// - Throws: `ModelFileError` that names what is missing, unknown or out of range.
  init(of description: JSONFields) throws(ModelFileError) {
    guard let head = try description.object("head") else { throw description.error("head", "is missing") }
    fields = head
    let kindName = try head.string("kind") ?? ""
    guard let kind = HeadKind(rawValue: kindName) else {
      throw head.error(
        "kind", "\"\(kindName)\" is unknown; known: \(HeadKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.kind = kind
    dialect = try Self.dialect(head)
    guard let headSize = try head.integer("head_size", in: 1...4096) else {
      throw head.error("head_size", "is missing")
    }
    self.headSize = headSize
  }

  /// Refuses a rotation of channels that do not pair up.
  func check(rope: Bool) throws(ModelFileError) {
    guard !rope || headSize.isMultiple(of: 2) else {
      throw fields.error("head_size", "\(headSize) is odd, and rotation needs pairs of channels")
    }
  }

  /// The dialect; that of the normal form may say how its bias is made, every other settles that itself.
  private static func dialect(_ head: JSONFields) throws(ModelFileError) -> HeadDialect {
    let name = try head.string("dialect") ?? ""
    guard let dialect = HeadDialect.named(name) else {
      throw head.error(
        "dialect", "\"\(name)\" is unknown; known: \(HeadDialect.all.map(\.name).joined(separator: ", "))")
    }
    let scale = try head.number("bias_scale")
    let input = try head.string("bias_input")
    guard dialect == .normal else {
      for (field, isGiven) in [("bias_scale", scale != nil), ("bias_input", input != nil)] where isGiven {
        throw head.error(
          field,
          "is for the dialect \"\(HeadDialect.normal.name)\"; \"\(dialect.name)\" settles it: leave the field out")
      }
      return dialect
    }
    if let scale, !Float(scale).isFinite { throw head.error("bias_scale", "\(scale) is out of range") }
    var biasInput = dialect.biasInput
    if let input {
      guard let known = HeadDialect.BiasInput(rawValue: input) else {
        throw head.error(
          "bias_input",
          "\"\(input)\" is unknown; known: \(HeadDialect.BiasInput.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      biasInput = known
    }
    return .normal(biasScale: scale.map { Float($0) } ?? dialect.biasScale, biasInput: biasInput)
  }
}
