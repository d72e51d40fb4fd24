import ArgumentParser
import Foundation
import Geometry
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
    guard (1...1024).contains(k) else { throw ValidationError("-k is \(k): it must be from 1 to 1024") }
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
    let report = QualityReport(
      samples: set, reference: data, distance: try await FrechetDistance(of: mine, to: theirs),
      overlap: try await engine.precisionAndRecall(of: mine, reference: theirs, k: k), device: engine.device.name)
    print(json ? report.json : report.text(on: Terminal(describing: STDOUT_FILENO)), terminator: "")
  }
}
