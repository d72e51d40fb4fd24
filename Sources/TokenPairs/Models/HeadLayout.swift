package import ModelFiles

/// One token-pair head of a checkpoint: its kind and shape, where its tensors are, and how they are laid out.
package struct HeadLayout: Sendable {
  package let kind: HeadKind
  package let dialect: HeadDialect
  /// Channels of a query and of a key.
  package let headSize: Int
  /// Score matrices: one a label, or one a predicate.
  package let types: Int
  package let rope: Bool
  /// Only cells whose row is not after their column are scored.
  package let triangular: Bool
  /// The layer that queries and keys come from; its tensors are `name.weight` and `name.bias`.
  package let projectionName: String
  /// The layer that biases come from; nil for a plain head.
  package let biasName: String?
  /// The names of the types: the file that lists them, and its field.
  private let typesFile: String
  private let typesField: String

  package init(
    kind: HeadKind, dialect: HeadDialect, headSize: Int, types: Int, rope: Bool, triangular: Bool,
    projectionName: String, biasName: String?, typesFile: String, typesField: String
  ) {
    self.kind = kind
    self.dialect = dialect
    self.headSize = headSize
    self.types = types
    self.rope = rope
    self.triangular = triangular
    self.projectionName = projectionName
    self.biasName = biasName
    self.typesFile = typesFile
    self.typesField = typesField
  }

  /// Reads the head's tensors and brings them into normal form.
  ///
  /// - Parameters:
  ///   - checkpoint: where the tensors are.
  ///   - hiddenSize: the width of the encoder's output.
  /// - Returns: the parameters, whatever dialect they were stored in.
  /// - Throws: `ModelFileError` for a tensor that is missing or of another shape, or made for another number of
  ///   labels or predicates than the description lists.
  package func parameters(from checkpoint: Checkpoint, hiddenSize: Int) throws(ModelFileError) -> HeadParameters {
    let block = 2 * headSize
    let stored = dialect.storesInputsFirst
    try checkTypeCount(checkpoint)
    let projection = try LayerParameters(
      checkpoint, projectionName, outputs: kind == .efficient ? block : types * block, inputs: hiddenSize,
      storedInputsFirst: stored)
    var bias: LayerParameters?
    if let biasName {
      bias = try LayerParameters(
        checkpoint, biasName, outputs: 2 * types, inputs: dialect.biasInput == .hidden ? hiddenSize : block,
        storedInputsFirst: stored)
    }
    return HeadParameters(
      kind: kind, dialect: dialect, types: types, headSize: headSize, rope: rope, triangular: triangular,
      projection: projection, bias: bias)
  }

  /// Says it in terms of labels when the tensors were made for another number of them.
  private func checkTypeCount(_ checkpoint: Checkpoint) throws(ModelFileError) {
    let name = (biasName ?? projectionName) + ".bias"
    let perType = kind == .efficient ? 2 : 2 * headSize
    guard let shape = checkpoint.entry(named: name)?.shape, shape.count == 1, shape != [perType * types],
      shape[0].isMultiple(of: perType)
    else { return }
    throw ModelFileError(
      file: typesFile, subject: "field '\(typesField)'",
      problem:
        "\(types) \(typesField) are listed, tensor '\(name)' of \(checkpoint.path) has \(shape[0] / perType)")
  }
}
