import Geometry
import ModelFiles

/// A proof as a line of JSON.
enum ArgmaxableProofLine {
  static func write(_ proof: ClassProof, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("class")
    writer.integer(proof.index)
    writer.name("verdict")
    writer.string(proof.verdict.rawValue)
    switch proof.claim {
    case .argmaxable(let direction): write(direction, to: &writer)
    case .unargmaxable(let combination): write(combination, to: &writer)
    case .tied(let other, let together):
      writer.name("with")
      writer.integer(other)
      switch together {
      case .above(let direction): write(direction, to: &writer)
      case .below(let combination): write(combination, to: &writer)
      case .unsaid: break
      }
    case .undecided(let combination, let bound):
      writer.name("bound")
      writer.number(bound)
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
    case .vector(let elements):
      writer.name("h")
      write(elements, to: &writer)
    }
  }

  private static func write(_ name: String, _ scale: Double, to writer: inout JSONWriter) {
    writer.name("h")
    writer.string(name)
    writer.name("scale")
    writer.number(scale)
  }

  private static func write(_ combination: Combination, to writer: inout JSONWriter) {
    writer.name("support")
    writer.beginArray()
    for index in combination.classes { writer.integer(index) }
    writer.endArray()
    writer.name("weights")
    write(combination.weights, to: &writer)
  }

  private static func write(_ numbers: [Double], to writer: inout JSONWriter) {
    writer.beginArray()
    for number in numbers { writer.number(number) }
    writer.endArray()
  }

  private static func direction(_ fields: JSONFields) throws(ModelFileError) -> Direction? {
    guard case .string(let name)? = fields["h"] else { return try numbers(fields, "h").map { .vector($0) } }
    guard let scale = try fields.number("scale") else { throw fields.error("scale", "is missing") }
    switch name {
    case "row": return .row(scale: scale)
    case "centred row": return .centredRow(scale: scale)
    default: throw fields.error("h", "\(name.quoted) is neither 'row' nor 'centred row'")
    }
  }

  private static func combination(_ fields: JSONFields) throws(ModelFileError) -> Combination? {
    guard let support = try fields.array("support"), let weights = try numbers(fields, "weights") else { return nil }
    var classes: [Int] = []
    for element in support {
      guard case .integer(let index) = element else { throw fields.error("support", "holds what is no class") }
      classes.append(index)
    }
    return Combination(classes: classes, weights: weights)
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
