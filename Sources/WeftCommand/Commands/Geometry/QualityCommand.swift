import ArgumentParser
import Foundation
import Geometry
import ModelFiles
import Weft

struct QualityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quality",
    abstract: "Tell how far samples are from the data they should be like.",
    usage: "weft quality <samples> --reference <data> [<options>]",
    discussion: """
      Three numbers, from the numbers of samples and data as they are: pixels, or features of a network, which are the \
      better measure for pictures of any size.

        Fréchet distance   of two normal distributions with the sets' means and covariances; of Inception features it \
      is known as FID. 0 is best. It falls with the number of samples: compare sets of one size.
        precision          the share of samples that lie no further from some vector of the data than its k-th \
      neighbour does
        recall             the share of the data that lie so near to some sample

        weft sample --data DIGITS --count 1000 --array samples.npy
        weft quality samples.npy --reference DIGITS

      Samples of a model are pictures between 0 and 1; those of digits-unet are larger than the digits are:

        weft sample --model digits-unet --count 1000 --array samples.npy
        weft quality samples.npy --reference DIGITS --range 0,1 --resize
      """)

  @Argument(
    help: ArgumentHelp(
      "The samples: a .npy array, one sample after the other, or a tensor as in file.safetensors#name.",
      valueName: "samples"))
  var samples: String

  @Option(
    help: ArgumentHelp(
      "What they should be like: such a file, or DIGITS, the handwritten digits that come with Weft.",
      valueName: "data"))
  var reference: String

  @Option(
    name: .customShort("k"), parsing: .unconditional,
    help: ArgumentHelp("Neighbours that precision and recall ask for.", valueName: "n"))
  var k = 3

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Bring the data to the samples' units first: its smallest number becomes the one, its largest the other.",
      valueName: "low,high"), transform: { try Choice.list($0) })
  var range: [Float] = []

  @Flag(help: "Resize the data, images, to the samples' size, by linear interpolation.")
  var resize = false

  @Flag(help: "Print one JSON object instead of a report.")
  var json = false

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    guard k >= 1 else { throw ValidationError("-k is \(k): it must be at least 1") }
    guard range.isEmpty || (range.count == 2 && range[0] < range[1] && range.allSatisfy(\.isFinite)) else {
      throw ValidationError("--range takes two numbers, such as 0,1: the smaller first")
    }
  }

  func run() async throws {
    let set = try QualitySet(samples)
    var data = try QualitySet(reference)
    if range.count == 2 { data.fill(range[0]...range[1]) }
    if resize { try data.resize(like: set) }
    guard set.elements == data.elements else {
      throw GeometryError(
        "\(set.name) holds samples of shape \(set.shape), \(data.name) of \(data.shape)"
          + (resize ? "" : "; images of another size are brought to that of the samples with --resize"))
    }
    for some in [set, data] where some.count <= k {
      throw GeometryError("\(some.name) holds \(some.count) samples: more than \(k) are needed, or a smaller -k")
    }
    let remarks = [
      QualityReport.remark(on: set, data, isRanged: !range.isEmpty), QualityReport.remark(onFew: set),
      QualityReport.remark(onFew: data),
    ]
    for remark in remarks { if let remark { note(remark) } }

    let engine = try await device.engine()
    let (mine, theirs) = (try set.vectors(), try data.vectors())
    try QualityReport(
      samples: set, reference: data, distance: try await FrechetDistance(of: mine, to: theirs),
      overlap: try await engine.precisionAndRecall(of: mine, reference: theirs, k: k), device: engine.device.name
    ).show(json: json)
  }
}

/// What `weft quality` tells.
struct QualityReport: Report {
  let samples: QualitySet
  let reference: QualitySet
  let distance: FrechetDistance
  let overlap: PrecisionAndRecall
  let device: String

  /// A warning where samples and data seem to be in different units; else nil.
  static func remark(on samples: QualitySet, _ reference: QualitySet, isRanged: Bool) -> String? {
    func width(_ set: QualitySet) -> Double { Double(set.range.upperBound) - Double(set.range.lowerBound) }
    let (mine, theirs) = (width(samples), width(reference))
    guard mine > 4 * theirs || theirs > 4 * mine else { return nil }
    func text(_ set: QualitySet) -> String { "\(set.name) lies in \(set.range.lowerBound) … \(set.range.upperBound)" }
    return "\(text(samples)), \(text(reference)): are these the same units? "
      + (isRanged ? "--range gave the latter's" : "--range changes the latter's")
  }

  /// A warning where there are too few samples for their covariance; else nil.
  static func remark(onFew set: QualitySet) -> String? {
    guard set.count <= set.elements else { return nil }
    return
      "\(set.name) holds \(set.count) samples of \(set.elements) numbers: their covariance is singular, and a Fréchet "
      + "distance is only comparable with others of as many samples; more than \(set.elements) say more"
  }

  func text(on terminal: Terminal) -> String {
    func share(_ part: Int, _ whole: Int) -> String {
      String(format: "%.4f", Double(part) / Double(whole)) + "  \(Quantity.grouped(part)) of \(Quantity.grouped(whole))"
    }
    let bold = { (text: String) in Style.bold.apply(to: text, colours: terminal.colours) }
    return bold(samples.name) + ": \(Quantity.grouped(samples.count)) samples of \(Quantity.grouped(samples.elements)) "
      + "numbers, against \(Quantity.grouped(reference.count)) of \(reference.name)\n\n"
      + String(
        format: "  Fréchet distance  %.6g  means %.4g, covariances %.4g\n", distance.value, distance.means,
        distance.covariances)
      + "  precision         \(share(overlap.preciseSamples, overlap.sampleCount))\n"
      + "  recall            \(share(overlap.recalledReferences, overlap.referenceCount))\n"
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(samples.name, forKey: "samples")
    try fields.encode(reference.name, forKey: "reference")
    try fields.encode(samples.count, forKey: "count")
    try fields.encode(reference.count, forKey: "reference_count")
    try fields.encode(samples.elements, forKey: "elements")
    try fields.encode(overlap.k, forKey: "k")
    try fields.encode(distance.value, forKey: "frechet_distance")
    try fields.encode(distance.means, forKey: "means")
    try fields.encode(distance.covariances, forKey: "covariances")
    try fields.encode(overlap.precision, forKey: "precision")
    try fields.encode(overlap.recall, forKey: "recall")
    try fields.encode(device, forKey: "device")
  }
}

/// Samples, or what they are compared with: images, or vectors of features.
struct QualitySet {
  let name: String
  /// The sizes of one sample.
  private(set) var shape: [Int]
  private var values: [Float]

  /// Reads a set: a `.npy` array whose first axis counts samples, a tensor as in `file.safetensors#name`, or the bundled
  /// digits.
  /// - Throws: `ModelFileError` or `GeometryError` if there is none, or it has no samples.
  init(_ name: String) throws {
    let path = SampleData.path(of: name) ?? name
    self.name = path == name ? name : SampleData.bundledName
    if !path.contains("#"), !path.hasSuffix(".safetensors") {
      let array = try NumPyArray(path: path)
      guard array.shape.count >= 2, !array.shape.contains(0) else {
        throw GeometryError("\(name): shape \(array.shape), where [samples, …] is expected, one sample after the other")
      }
      try array.checkFinite(file: path)
      (shape, values) = (Array(array.shape.dropFirst()), array.values)
    } else {
      let file = try VectorFile(named: path)
      (shape, values) = ([file.dimension], try file.floats(0..<file.count))
      if let place = values.firstIndex(where: { !$0.isFinite }) {
        throw GeometryError(
          "\(name): sample \(place / file.dimension) has \(values[place]) at \(place % file.dimension), where a finite "
            + "number is expected")
      }
    }
  }

  var elements: Int { shape.reduce(1, *) }
  var count: Int { values.count / elements }
  var range: ClosedRange<Float> { (values.min() ?? 0)...(values.max() ?? 0) }

  /// With its smallest and its largest number at the ends of a range.
  mutating func fill(_ target: ClosedRange<Float>) {
    let (low, width) = (Double(range.lowerBound), Double(range.upperBound) - Double(range.lowerBound))
    let (start, span) = (Double(target.lowerBound), Double(target.upperBound) - Double(target.lowerBound))
    values = values.map { Float(start + span * (width > 0 ? (Double($0) - low) / width : 0)) }
  }

  /// With images of another size.
  /// - Throws: `GeometryError` if the two are not images, or of other channels.
  mutating func resize(like other: QualitySet) throws {
    let (mine, target) = (shape.suffix(2), other.shape.suffix(2))
    guard (2...3).contains(shape.count), (2...3).contains(other.shape.count),
      shape.dropLast(2).reduce(1, *) == other.shape.dropLast(2).reduce(1, *), let height = mine.first,
      let width = mine.last, let newHeight = target.first, let newWidth = target.last
    else {
      throw GeometryError(
        "\(name): samples of shape \(shape) cannot be resized to \(other.shape): [height, width] or "
          + "[channels, height, width] are, with as many channels")
    }
    values = BilinearResize(from: (height, width), to: (newHeight, newWidth)).apply(values)
    shape = other.shape
  }

  func vectors() throws -> Vectors { try Vectors(values, dimension: elements) }
}
