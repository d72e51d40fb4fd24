import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Find the people and places in a page of a novel, and draw digits from noise.",
    usage: "weft demo [<options>]")

  @OptionGroup var device: DeviceOptions

  @Option(help: ArgumentHelp("A text to read instead, one paragraph a line.", valueName: "file"))
  var text: String?

  @Option(help: ArgumentHelp("Where the JSON lines go.", valueName: "file"))
  var output = "demo-entities.jsonl"

  @Option(help: ArgumentHelp("Where the picture of the digits goes.", valueName: "file.png"))
  var digits = "weft-digits.png"

  func validate() throws {
    try OutputName.check(digits, "--digits", isA: "png")
    try OutputName.checkDiffer([("--output", output), ("--digits", digits)], inputs: [("--text", text)])
  }

  func run() async throws {
    let reader = try LineReader(paths: [try text ?? BundledModels.exampleText()])
    let engine = try await device.engine()
    let extractor = try await Extractor(model: try BundledModels.directory(), on: engine)
    let file = try OutputFile(path: output)
    let terminal = Terminal(describing: STDOUT_FILENO)
    let renderer = SpanRenderer(terminal: terminal, labels: extractor.labels, indent: 2)

    print("\nReading with \(BundledModels.entities) on \(engine.device.name)\n")
    var counts: [String: Int] = [:]
    var writer = JSONWriter()
    let clock = ContinuousClock()
    let start = clock.now
    var tokens = 0
    let documents = DocumentRun(extractor: extractor, lines: AsyncInputLines(reader), arePlain: true)
    try await documents.forEach { finished in
      guard let document = finished.document, let line = try? finished.line.get() else { return }
      tokens += document.tokenCount
      let spans = document.entities.map {
        LabelledSpan(start: $0.codePoints.lowerBound, end: $0.codePoints.upperBound, label: $0.label)
      }
      for span in spans { counts[span.label, default: 0] += 1 }
      print(renderer.render(document.text, spans: spans))
      writer.removeAll()
      let result = ResultRecord(document, task: extractor.task, offsets: .codepoint)
      OutputRecord.write(result, isTruncated: document.isTruncated, of: line, number: finished.number, to: &writer)
      try file.write(writer.bytes)
    }
    try file.commit()
    let seconds = (clock.now - start) / .seconds(1)
    let legend = extractor.labels.compactMap { label in counts[label].map { (label, $0) } }
    print("  " + renderer.legend(legend))
    let meanings = legend.compactMap { entry in Self.meanings[entry.0].map { "\(entry.0) \($0)" } }
    print("  " + Style.dim.apply(to: meanings.joined(separator: ", "), colours: terminal.colours) + "\n")
    print(String(format: "%d tokens in %.2f s. The entities as JSON lines: \(output)", tokens, seconds))
    // As it was called: it need not be on the path.
    let program = CommandLine.arguments.first ?? "weft"
    print("Your own text:  \(program) extract --lines FILE.txt\n")

    try await DigitsDemo(terminal: terminal).draw(to: digits, on: engine)
    print("Your own model: \(program) sample --model DIRECTORY --count 64 --output grid.png")
    print("Your own data:  \(program) sample --data FILE.npy --count 64 --output grid.png\n")
  }

  /// What the bundled model's labels stand for.
  private static let meanings = [
    "PER": "people", "FAC": "buildings and roads", "GPE": "towns and countries", "LOC": "other places",
    "ORG": "organisations", "VEH": "vehicles",
  ]
}
