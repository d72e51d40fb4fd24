import Testing

/// Runs of `weft argmaxable` that end before their time, and what the next run makes of it.
@Suite struct ArgmaxableInterruptionTests {
  private static let layer = "argmaxable --device cpu large.safetensors --tensor large --proofs proofs.jsonl"

  /// `env` undoes that a shell's jobs in the background ignore interrupts.
  @Test(arguments: [("KILL", 9), ("INT", 2), ("TERM", 15)] as [(String, Int32)])
  func anEndedRunGoesOn(signal: String, number: Int32) async throws {
    let files = try LayerFiles()
    try files.writeLargeLayer()
    let killed = try await Weft.shell(
      """
      env --default-signal=INT "$WEFT" \(Self.layer) &
      run=$!
      while kill -0 $run && ! { [ -s proofs.jsonl ] && [ $(wc -l < proofs.jsonl) -gt 100 ]; }; do sleep 0.01; done
      kill -\(signal) $run
      wait $run
      """, directory: files.folder.path)
    #expect(killed.status == 128 + number && killed.output.isEmpty, "\(killed.errorText)")
    try await expectToGoOn(files)
  }

  /// A limit on the size of files stands for a disk that fills up in the middle of a line.
  @Test func aRunThatFillsTheDiskGoesOn() async throws {
    let files = try LayerFiles()
    try files.writeLargeLayer()
    let full = try await Weft.shell(
      "trap '' XFSZ; ulimit -f 150; \"$WEFT\" \(Self.layer)", directory: files.folder.path)
    #expect(full.status == 1 && full.output.isEmpty)
    #expect(full.complaints == ["Error: cannot write proofs.jsonl: File too large"])
    try await expectToGoOn(files)
  }

  /// Whole lines and perhaps a part of one are there; a second run keeps the whole ones and finds the rest.
  private func expectToGoOn(_ files: LayerFiles) async throws {
    let left = try #require(files.folder.contents(of: "proofs.jsonl"))
    let whole = left.prefix(through: left.lastIndex(of: "\n") ?? left.startIndex)
    let count = whole.count { $0 == "\n" } - 1
    #expect(count >= 100 && count < LayerFiles.largeCount, "\(count)")
    let run = try await Weft.shell("\"$WEFT\" \(Self.layer) --json", directory: files.folder.path)
    #expect(run.status == 0)
    #expect(run.complaints.count == 1 && run.complaints[0].hasPrefix("weft: going on from "), "\(run.errorText)")
    let report = try run.object()
    #expect(try report.objects("unargmaxable").map { try $0.integer("class") } == LayerFiles.planted)
    #expect(try report.object("counts").integer("argmaxable") == LayerFiles.largeCount - LayerFiles.planted.count)
    #expect(try files.lines("proofs.jsonl").count == LayerFiles.largeCount + 1)
    #expect(files.folder.contents(of: "proofs.jsonl")?.hasPrefix(whole) == true)
    let check = try await Weft.shell(
      "\"$WEFT\" argmaxable large.safetensors --tensor large --verify proofs.jsonl", directory: files.folder.path)
    #expect(check.status == 0 && check.text.hasPrefix("2,600 proofs hold: "), "\(check.text)")
  }

  @Test func aFullDeviceIsReported() async throws {
    let files = try LayerFiles()
    // Proofs are read again by the run that goes on from them.
    let device = try await files.argmaxable("--tensor", "square", "--proofs", "/dev/full")
    #expect(device.status == 1 && device.output.isEmpty)
    #expect(device.complaints == ["Error: /dev/full: is a device, where a regular file is expected"])
    for options in ["", "--json", "--verify proofs.jsonl", "--verify proofs.jsonl --json"] {
      _ = try await files.argmaxable("--tensor", "square", "--proofs", "proofs.jsonl")
      let report = try await Weft.shell(
        "\"$WEFT\" argmaxable --device cpu model.safetensors --tensor square \(options) > /dev/full",
        directory: files.folder.path)
      #expect(report.status == 1)
      #expect(report.complaints == ["Error: cannot write <stdout>: No space left on device"], "\(options)")
    }
  }

  @Test func twoRunsDoNotShareAFile() async throws {
    let files = try LayerFiles()
    try files.write("proofs.jsonl", "")
    let run = try await Weft.shell(
      "flock proofs.jsonl \"$WEFT\" argmaxable --device cpu model.safetensors --tensor square --proofs proofs.jsonl",
      directory: files.folder.path)
    #expect(run.status == 1)
    #expect(run.complaints.count == 1 && run.errorText.contains("another run is writing it"), "\(run.errorText)")
    #expect(files.folder.contents(of: "proofs.jsonl") == "")
  }
}
