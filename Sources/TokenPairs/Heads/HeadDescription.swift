package import ModelFiles

/// `globalpointer.json`: what a model's head recognises, and where its tensors are.
package struct HeadDescription: Sendable {
  /// The file's name in a model directory.
  package static let fileName = "globalpointer.json"

  package let labels: [String]
  package let kind: HeadKind
  package let dialect: HeadDialect
  package let headSize: Int
  package let rope: Bool
  package let triangular: Bool
  /// What the encoder's tensor names start with.
  package let encoderPrefix: String
  private let file: String
  private let projectionName: String
  private let biasName: String?

  /// Reads and checks the file of a model directory.
  package init(directory: String) throws(ModelFileError) {
    let fields = try JSONFields(file: directory + "/" + Self.fileName)
    file = fields.file
    let task = try fields.string("task") ?? "entities"
    guard task == "entities" else {
      throw fields.error("task", "\"\(task)\" is not a task of this file; \"entities\" is")
    }
    guard let labels = try fields.strings("labels"), !labels.isEmpty else {
      throw fields.error("labels", "at least one label expected")
    }
    guard Set(labels).count == labels.count else { throw fields.error("labels", "a label stands there twice") }
    self.labels = labels
    encoderPrefix = try fields.string("encoder_prefix") ?? ""

    guard let head = try fields.object("head") else { throw fields.error("head", "is missing") }
    let kindName = try head.string("kind") ?? ""
    guard let kind = HeadKind(rawValue: kindName) else {
      throw head.error(
        "kind", "\"\(kindName)\" is unknown; known: \(HeadKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.kind = kind
    let dialectName = try head.string("dialect") ?? ""
    guard let dialect = HeadDialect.named(dialectName) else {
      throw head.error(
        "dialect", "\"\(dialectName)\" is unknown; known: \(HeadDialect.all.map(\.name).joined(separator: ", "))")
    }
    self.dialect = dialect
    guard let headSize = try head.integer("head_size", in: 1...4096) else {
      throw head.error("head_size", "is missing")
    }
    self.headSize = headSize
    rope = try head.bool("rope") ?? true
    guard !rope || headSize.isMultiple(of: 2) else {
      throw head.error("head_size", "\(headSize) is odd, and rotation needs pairs of channels")
    }
    triangular = try head.bool("triangular") ?? true

    let tensors = try head.object("tensors")
    switch kind {
    case .globalPointer:
      projectionName = try tensors?.string("dense") ?? "dense"
      biasName = nil
    case .efficient:
      projectionName = try tensors?.string("p_dense") ?? "p_dense"
      biasName = try tensors?.string("q_dense") ?? "q_dense"
    }
  }

  /// Reads the head's tensors and brings them into normal form.
  ///
  /// - Parameters:
  ///   - checkpoint: where the tensors are.
  ///   - hiddenSize: the width of the encoder's output.
  /// - Returns: the parameters, whatever dialect they were stored in.
  /// - Throws: `ModelFileError` for a tensor that is missing or of another shape.
  package func parameters(from checkpoint: Checkpoint, hiddenSize: Int) throws(ModelFileError) -> HeadParameters {
    let block = 2 * headSize
    let stored = dialect.storesInputsFirst
    try checkLabelCount(checkpoint)
    let projection = try LayerParameters(
      checkpoint, projectionName, outputs: kind == .efficient ? block : labels.count * block, inputs: hiddenSize,
      storedInputsFirst: stored)
    var bias: LayerParameters?
    if let biasName {
      bias = try LayerParameters(
        checkpoint, biasName, outputs: 2 * labels.count,
        inputs: dialect.biasInput == .hidden ? hiddenSize : block, storedInputsFirst: stored)
    }
    return HeadParameters(
      kind: kind, dialect: dialect, types: labels.count, headSize: headSize, rope: rope, triangular: triangular,
      projection: projection, bias: bias)
  }

  /// Says it in terms of labels when the tensors were made for another number of them.
  private func checkLabelCount(_ checkpoint: Checkpoint) throws(ModelFileError) {
    let name = (biasName ?? projectionName) + ".bias"
    let perLabel = kind == .efficient ? 2 : 2 * headSize
    guard let shape = checkpoint.entry(named: name)?.shape, shape.count == 1, shape != [perLabel * labels.count],
      shape[0].isMultiple(of: perLabel)
    else { return }
    throw ModelFileError(
      file: file, subject: "field 'labels'",
      problem: "\(labels.count) labels are listed, tensor '\(name)' of \(checkpoint.path) has \(shape[0] / perLabel)")
  }
}
