import Foundation
import Testing

/// `weft tune`, and what other commands make of it.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct TuneTests {
  @Test func tunesAndIsUsedAndForgets() async throws {
    let model = try TemporaryFolder()
    try SmallModel().write(into: model)
    let folder = try TemporaryFolder()
    let cache: [String: String?] = ["XDG_CACHE_HOME": folder.path, "WEFT_CACHE": nil]
    func run(_ arguments: String..., input: String = "") async throws -> CommandRun {
      try await Weft.run(arguments, input: input, environment: cache)
    }
    func extract() async throws -> CommandRun {
      try await run(
        "extract", "--model", model.path, "--device", "opencl", "--verbose", input: "{\"text\": \"mr . reed left\"}\n")
    }
    let plain = try await extract()
    #expect(plain.status == 0 && plain.errorText.contains("weft: tuning: defaults"), "\(plain.errorText)")

    let tuned = try await run("tune", "--model", model.path, "--device", "opencl", "--seconds", "2", "--json")
    try #require(tuned.status == 0, "\(tuned.errorText)")
    let report = try tuned.object()
    let operations = try report.objects("operations")
    #expect(!operations.isEmpty)
    for operation in operations {
      #expect(try operation.number("default_seconds") > 0 && operation.number("seconds") > 0)
      #expect(try operation.integer("runs") > 0 && !operation.string("operation").isEmpty)
      for trial in try operation.objects("trials") { #expect(trial.members["problem"] == nil) }
    }
    let path = try report.string("file")
    #expect(path.hasPrefix(folder.path) && FileManager.default.fileExists(atPath: path))

    let second = try await extract()
    #expect(second.status == 0 && second.output == plain.output)
    #expect(second.errorText.contains("of \(operations.count) operations have other tiles, by \(path)"))

    // A choice that the file holds is named when it is used. The short text has other rows than what was tuned.
    let content = try JSONSerialization.jsonObject(with: try Data(contentsOf: URL(filePath: path)))
    var file = try #require(content as? [String: Any])
    let entry = try #require((file["operations"] as? [[String: Any]])?.first)
    let variant = try report.string("variant")
    let key = "\(variant) float32: dense 8 -> 24, rows 2^3"
    let (name, value) = variant == "cpu" ? ("PW_BLOCKED", 1) : ("PW_UNROLL", 4)
    file["operations"] = [entry.merging(["choice": [name: value], "key": key]) { $1 }]
    try JSONSerialization.data(withJSONObject: file).write(to: URL(filePath: path))
    let third = try await extract()
    #expect(third.status == 0 && third.output == plain.output)
    #expect(third.errorText.contains("weft: tuning: \(key): \(name) \(value)"), "\(third.errorText)")

    try Data("{\"format\":".utf8).write(to: URL(filePath: path))
    let damaged = try await extract()
    #expect(damaged.status == 0 && damaged.output == plain.output)
    #expect(damaged.errorText.contains(path) && damaged.errorText.contains("weft tune --forget"))

    let forgotten = try await run("tune", "--device", "opencl", "--forget")
    #expect(forgotten.status == 0 && forgotten.text.contains("removed \(path)"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func refusesWhatCannotBeTuned() async throws {
    let reference = try await Weft.run("tune", "--device", "cpu")
    #expect(reference.status == 64 && reference.errorText.contains("OpenCL device"))
    let nowhere = try await Weft.run(["tune", "--device", "opencl"], environment: ["WEFT_CACHE": "off"])
    #expect(nowhere.status == 64 && nowhere.errorText.contains("WEFT_CACHE"))
    for wrong in [["--seconds", "0"], ["--shape", "large"], ["--forget", "--model", "x"]] {
      #expect(try await Weft.run(["tune"] + wrong).status == 64, "\(wrong)")
    }
  }
}
