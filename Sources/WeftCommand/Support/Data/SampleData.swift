import ModelFiles
import Weft

/// A data set that samples are drawn from.
struct SampleData: Sendable {
  /// What `--data` calls the bundled digits.
  static let bundledName = "DIGITS"

  /// Where the data came from, as the user gave it.
  let name: String
  let space: SampleSpace
  let count: Int
  /// The samples as a sampler sees them.
  let values: [Float]

  var shape: [Int] { space.shape }
  var normalization: Normalization { space.normalization }

  /// Reads a NumPy file, or the bundled digits.
  ///
  /// - Parameters:
  ///   - name: a path, or `DIGITS` in any case.
  ///   - mode: how the data are scaled; by default images to -1 … 1 and points to unit variance.
  /// - Throws: `ModelFileError` if the file cannot be read or does not hold points or images.
  init(_ name: String, normalize mode: Normalization.Mode? = nil) throws {
    let isBundled = Self.isBundled(name)
    let path = isBundled ? try BundledModels.exampleDigits() : name
    let array = try NumPyArray(path: path)
    func refusal(_ problem: String) -> ModelFileError { ModelFileError(file: path, problem: problem) }

    let kind: SampleSpace.Kind
    switch array.shape.count {
    case 2: kind = .points
    case 3, 4: kind = .images
    default:
      throw refusal(
        "shape \(array.shape); points have the shape [N, d], images [N, height, width] or [N, channels, height, width]")
    }
    let isFloat = [.float16, .float32, .float64].contains(array.type.element)
    guard isFloat || (kind == .images && array.type.element == .uint8) else {
      throw refusal(
        "element type '\(array.type)'; "
          + (kind == .points ? "points are float numbers" : "images are uint8 or float numbers")
          + ": save it with .astype('float32')")
    }
    guard !array.shape.contains(0) else { throw refusal("shape \(array.shape) holds no numbers") }
    guard array.shape.count != 4 || array.shape[1] == 1 || array.shape[1] == 3 else {
      throw refusal("shape \(array.shape) has \(array.shape[1]) channels; images have 1 or 3, before height and width")
    }
    try array.checkFinite(file: path)

    self.name = isBundled ? Self.bundledName : name
    let shape = Array(array.shape.dropFirst())
    count = array.shape[0]
    let normalization = Normalization(
      mode ?? (kind == .images ? .range : .unit), of: array.values, elements: shape.reduce(1, *))
    space = SampleSpace(
      kind: kind, shape: shape, normalization: normalization,
      range: (array.values.min() ?? 0)...(array.values.max() ?? 0))
    values = normalization.apply(array.values)
    do { try MixtureDenoiser.check(values, shape: shape) } catch { throw refusal("\(error.message), with --normalize") }
  }

  /// The file that `--data` names; nil where it cannot be found, which reading it will say.
  static func path(of name: String?) -> String? {
    guard let name, isBundled(name) else { return name }
    return try? BundledModels.exampleDigits()
  }

  private static func isBundled(_ name: String) -> Bool { name.uppercased() == bundledName }
}
