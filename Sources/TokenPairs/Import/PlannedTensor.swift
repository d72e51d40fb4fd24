internal import ModelFiles

/// One tensor of the model that is written, and how it comes from a stored one: moved, never rounded.
struct PlannedTensor {
  /// Its name in the model that is written.
  let name: String
  /// The stored one's name.
  let source: String
  /// Its shape in the model that is written.
  let shape: [Int]
  /// The stored one has its two dimensions the other way round.
  var isTransposed = false
  /// Which row each row comes from, after the transposition.
  var rows: [Int]?
  /// Which column each column comes from, after the transposition.
  var columns: [Int]?
  /// A tensor whose first row is added to every row; the one exception to the rule.
  var addend: String?

  /// Reads the stored tensor and brings it into the model's form.
  /// - Throws: `ModelFileError` if its bytes are damaged or a number in it is not finite.
  func read(from store: TensorStore) throws(ModelFileError) -> StoredTensor {
    var tensor = try store.tensor(named: source)
    if let floats = tensor.floats, let place = floats.firstIndex(where: { !$0.isFinite }) {
      throw ModelFileError(
        file: store.path, subject: "tensor \(source.quoted)",
        problem: "element \(place) is \(floats[place]), where a finite number is expected")
    }
    if isTransposed { tensor = tensor.transposed }
    if let rows { tensor = tensor.rows(rows) }
    if let columns { tensor = tensor.columns(columns) }
    guard let addend else { return tensor }
    let added = try store.tensor(named: addend).floats ?? []
    let sums = (tensor.floats ?? []).enumerated().map { $1 + added[$0 % shape[1]] }
    return StoredTensor(floats: sums, shape: shape)
  }
}

/// Everything that an import will write, decided before anything is written.
struct ImportPlan {
  var tensors: [PlannedTensor] = []
  /// Stored tensors that the model has no place for.
  var leftOut: [String] = []
  var kind: HeadKind
  var headSize: Int
}
