import Foundation
import Testing

/// `weft argmaxable`: verdicts, the file of proofs, and what it refuses.
@Suite struct ArgmaxableTests {
  @Test func theMiddleWordIsNeverPredicted() async throws {
    let files = try LayerFiles()
    for tensor in ["square", "half"] {
      let run = try await files.argmaxable("--tensor", tensor, "--vocab", "vocab.txt")
      #expect(run.status == 0 && run.errorText.isEmpty)
      #expect(run.text.contains("\(tensor): 5 classes of dimension 2\n"))
      #expect(run.text.contains("argmaxable    4  predicted for some hidden vector"))
      #expect(run.text.contains("unargmaxable  1  never predicted, whatever the hidden vector"))
      #expect(run.lines.contains { $0.contains("4  middle  below an average of 'left', 'low'") })
    }
  }

  @Test func jsonListsWhatIsNotPredicted() async throws {
    let files = try LayerFiles()
    let run = try await files.argmaxable("--tensor", "square", "--vocab", "vocab.txt", "--json")
    #expect(run.status == 0 && run.lines.count == 1)
    let report = try run.object()
    #expect(try report.string("tensor") == "square" && report.integer("classes") == 5)
    #expect(try report.object("counts").integer("argmaxable") == 4)
    #expect(try report.object("counts").integer("undecided") == 0)
    let never = try report.objects("unargmaxable")
    #expect(never.count == 1)
    #expect(try never[0].integer("class") == 4 && never[0].string("word") == "middle")
    #expect(try never[0].integers("below").count == 2)
    #expect(try report.number("seconds") > 0 && report.number("processor_seconds") > 0)
  }

  @Test func biasesAndBoxes() async throws {
    let files = try LayerFiles()
    func counts(_ arguments: String...) async throws -> [Int] {
      let run = try await Weft.run(
        ["argmaxable", "--device", "cpu", "model.safetensors", "--json"] + arguments, directory: files.folder.path)
      let counts = try run.object().object("counts")
      return try ["argmaxable", "unargmaxable", "tied", "undecided"].map(counts.integer)
    }
    #expect(try await counts("--tensor", "square", "--bias", "square.bias") == [5, 0, 0, 0])
    #expect(try await counts("--tensor", "line") == [2, 1, 0, 0])
    #expect(try await counts("--tensor", "line", "--bias", "line.bias") == [3, 0, 0, 0])
    #expect(try await counts("--tensor", "line", "--bias", "line.bias", "--box", "15") == [2, 1, 0, 0])
    #expect(try await counts("--tensor", "line", "--bias", "line.bias", "--box", "9") == [1, 2, 0, 0])
    #expect(try await counts("--tensor", "twins") == [2, 0, 4, 0])
  }

  @Test func twinsAreExplained() async throws {
    let run = try await LayerFiles().argmaxable("--tensor", "twins")
    #expect(run.lines.contains { $0.contains("0  the same as 2; together they can be at the top") })
    #expect(run.lines.contains { $0.contains("2  the same as 0") })
    #expect(
      run.lines.contains {
        $0.contains("4  the same as 5; together below an average of 3 classes")
          || $0.contains("4  the same as 5; together below an average of")
      })
  }

  @Test func proofsAreWrittenAndHold() async throws {
    let files = try LayerFiles()
    for arguments in [
      ["square"], ["twins"], ["line", "--bias", "line.bias"], ["line", "--bias", "line.bias", "--box", "15"],
    ] {
      let name = "\(arguments.joined()).jsonl"
      let layer = ["argmaxable", "--device", "cpu", "model.safetensors", "--tensor"] + arguments
      let run = try await Weft.run(layer + ["--proofs", name], directory: files.folder.path)
      #expect(run.status == 0 && run.errorText.isEmpty)
      let lines = try files.lines(name)
      #expect(try JSONObject(lines[0]).string("format") == "weft argmaxability proofs 1")
      let check = try await Weft.run(layer + ["--verify", name], directory: files.folder.path)
      #expect(check.status == 0 && check.text.hasPrefix("\(lines.count - 1) proofs hold: "), "\(check.text)")
    }
  }

  /// Float64 numbers are not rounded: in float32 the last class would never win.
  @Test func doublesAreTakenAsTheyAre() async throws {
    let files = try LayerFiles()
    let run = try await files.argmaxable("--tensor", "double", "--proofs", "double.jsonl", "--json")
    #expect(try run.status == 0 && run.object().object("counts").integer("argmaxable") == 3)
    let check = try await files.argmaxable("--tensor", "double", "--verify", "double.jsonl")
    #expect(check.status == 0 && check.text == "3 proofs hold: 3 argmaxable\n", "\(check.text)\(check.errorText)")
    // A layer with a bias of float32 next to vectors of float64.
    let biased = try await files.argmaxable("--tensor", "double", "--bias", "short.bias", "--json")
    #expect(try biased.object().object("counts").integer("argmaxable") == 3)
  }

  /// Every verdict has a proof that holds, in a box as well, and at its edge.
  @Test func boxesAreKept() async throws {
    let files = try LayerFiles()
    for (name, box, expected) in [
      ("near", "1000", "3 proofs hold: 2 argmaxable, 1 unargmaxable\n"),
      ("near", "6000", "3 proofs hold: 3 argmaxable\n"),
      ("edge", "0.75", "3 proofs hold: 2 argmaxable, 1 unargmaxable\n"),
      ("edge", "0.76", "3 proofs hold: 3 argmaxable\n"),
      ("copies", "1", "4 proofs hold: 2 argmaxable, 2 tied\n"),
    ] {
      let layer = ["--tensor", name, "--bias", "\(name).bias", "--box", box]
      func run(_ arguments: String...) async throws -> CommandRun {
        try await Weft.run(
          ["argmaxable", "--device", "cpu", "model.safetensors"] + layer + arguments, directory: files.folder.path)
      }
      #expect(try await run("--proofs", "\(name)\(box).jsonl").status == 0)
      let check = try await run("--verify", "\(name)\(box).jsonl")
      #expect(check.status == 0 && check.text == expected, "\(name) \(box): \(check.text)\(check.errorText)")
    }
    // Where the class ties at the edge the proof is exact, and its numbers are texts.
    let proof = try #require(files.lines("edge0.75.jsonl").first { $0.contains("unargmaxable") })
    #expect(proof == #"{"class":1,"verdict":"unargmaxable","support":[0],"weights":["1"]}"#)
    for (wrong, complaint) in [
      (#"["1/2"]"#, "the weights do not add up to 1"), (#"["-1"]"#, "the weights must be positive"),
      (#"["1.0"]"#, "holds what is no number such as '3/7'"), (#"["1",1]"#, "holds what is no number such as '3/7'"),
      (#"["1","1"]"#, "1 classes and 2 weights"), (#"[1.0]"#, "misses the vector"),
    ] {
      let lines = try files.lines("edge0.75.jsonl").map { $0 == proof ? $0.replacing(#"["1"]"#, with: wrong) : $0 }
      try files.write("edited.jsonl", lines.map { $0 + "\n" }.joined())
      let check = try await files.argmaxable(
        "--tensor", "edge", "--bias", "edge.bias", "--box", "0.75", "--verify", "edited.jsonl")
      #expect(check.status == 1 && check.errorText.contains(complaint), "\(wrong): \(check.errorText)")
    }
  }

  /// Earlier versions called copies below others unargmaxable, and took hidden vectors outside of the box.
  @Test func whatEarlierVersionsGotWrongIsDecidedAnew() async throws {
    let files = try LayerFiles()
    for (name, box, wrong, count) in [
      (
        "copies", nil,
        [
          #"{"class":0,"verdict":"unargmaxable","support":[2],"weights":[1.0]}"#,
          #"{"class":1,"verdict":"unargmaxable","support":[2],"weights":[1.0]}"#,
        ], "4 proofs hold: 2 argmaxable, 2 tied\n"
      ),
      (
        "near", "1000", [#"{"class":1,"verdict":"argmaxable","h":[24495142.0]}"#],
        "3 proofs hold: 2 argmaxable, 1 unargmaxable\n"
      ),
    ] as [(String, String?, [String], String)] {
      let layer = ["--tensor", name, "--bias", "\(name).bias"] + (box.map { ["--box", $0] } ?? [])
      func run(_ arguments: String...) async throws -> CommandRun {
        try await Weft.run(
          ["argmaxable", "--device", "cpu", "model.safetensors"] + layer + arguments, directory: files.folder.path)
      }
      _ = try await run("--proofs", "\(name).jsonl")
      let new = try files.lines("\(name).jsonl")
      // The older file has a right line before the wrong ones and one after them.
      let right = new.filter { line in !wrong.contains { line.hasPrefix($0.prefix(11)) } }
      let old = Array(right.prefix(2)) + wrong + right.dropFirst(2)
      try files.write("old.jsonl", old.map { $0 + "\n" }.joined())
      let refused = try await run("--verify", "old.jsonl")
      #expect(refused.status == 1 && refused.complaints.count == wrong.count + 1, "\(refused.errorText)")
      let resumed = try await run("--proofs", "old.jsonl")
      #expect(
        resumed.status == 0 && resumed.complaints.count == 2
          && resumed.complaints[0].contains("old.jsonl: \(wrong.count) ") && resumed.complaints[0].contains("anew"),
        "\(resumed.errorText)")
      let lines = try files.lines("old.jsonl")
      #expect(Array(lines.prefix(right.count)) == right && Set(lines) == Set(new))
      let check = try await run("--verify", "old.jsonl")
      #expect(check.status == 0 && check.text == count, "\(check.text)\(check.errorText)")
    }
  }

  /// A run that was killed leaves whole lines and perhaps a part of one.
  @Test func anInterruptedRunGoesOn() async throws {
    let files = try LayerFiles()
    _ = try await files.argmaxable("--tensor", "square", "--proofs", "all.jsonl")
    let all = try files.lines("all.jsonl")
    for (kept, rest) in [
      (6, ""), (4, ""), (3, String(all[3].dropLast(5))), (1, "{"), (1, ""), (0, String(all[0].prefix(60))), (0, ""),
    ] {
      try files.write("part.jsonl", all.prefix(kept).map { $0 + "\n" }.joined() + rest)
      let run = try await files.argmaxable("--tensor", "square", "--proofs", "part.jsonl", "--json")
      #expect(run.status == 0)
      #expect(run.complaints == (kept > 1 ? ["weft: going on from \(kept - 1) proofs in part.jsonl"] : []))
      #expect(try files.lines("part.jsonl").prefix(kept) == all.prefix(kept))
      #expect(try Set(files.lines("part.jsonl")) == Set(all), "\(kept) \(rest)")
      #expect(try run.object().object("counts").integer("argmaxable") == 4)
      #expect(try run.object().objects("unargmaxable").count == 1)
    }
  }

  /// What an earlier run gave up is tried again, and its line may stay.
  @Test func undecidedClassesAreTriedAgain() async throws {
    let files = try LayerFiles()
    _ = try await files.argmaxable("--tensor", "square", "--proofs", "all.jsonl")
    let undecided = #"{"class":4,"verdict":"undecided","bound":9.0,"support":[0],"weights":[1.0]}"#
    let kept = try files.lines("all.jsonl").filter { !$0.contains("unargmaxable") } + [undecided]
    try files.write("proofs.jsonl", kept.map { $0 + "\n" }.joined())
    let run = try await files.argmaxable("--tensor", "square", "--proofs", "proofs.jsonl", "--json")
    #expect(run.status == 0 && run.complaints == ["weft: going on from 4 proofs in proofs.jsonl"])
    let counts = try run.object().object("counts")
    #expect(try counts.integer("unargmaxable") == 1 && counts.integer("undecided") == 0)
    let lines = try files.lines("proofs.jsonl")
    #expect(lines.count == 7 && Array(lines.prefix(6)) == kept && lines[6].contains("unargmaxable"))
    let check = try await files.argmaxable("--tensor", "square", "--verify", "proofs.jsonl")
    #expect(check.status == 0 && check.text == "5 proofs hold: 4 argmaxable, 1 unargmaxable\n", "\(check.errorText)")
  }

  @Test func aRunDoesNotGoOnFromWhatIsNotItsOwn() async throws {
    let files = try LayerFiles()
    _ = try await files.argmaxable("--tensor", "square", "--proofs", "proofs.jsonl")
    let whole = try #require(files.folder.contents(of: "proofs.jsonl"))
    func complaint(_ arguments: String...) async throws -> String {
      let run = try await Weft.run(
        ["argmaxable", "--device", "cpu", "model.safetensors", "--proofs", "proofs.jsonl"] + arguments,
        directory: files.folder.path)
      #expect(run.status == 1 && run.complaints.count == 1 && run.output.isEmpty, "\(run.errorText)")
      return run.complaints.first ?? ""
    }
    #expect(try await complaint("--tensor", "other").contains("they are about tensor 'square', not 'other'"))
    #expect(
      try await complaint("--tensor", "square", "--bias", "square.bias")
        .contains("they were made without --bias, not with --bias square.bias"))
    #expect(try await complaint("--tensor", "square", "--box", "3").contains("without --box, not with --box 3.0"))
    #expect(files.folder.contents(of: "proofs.jsonl") == whole)

    // A line that proves nothing is not taken over.
    try files.write("proofs.jsonl", whole.replacing("\"class\":4", with: "\"class\":3"))
    #expect(try await complaint("--tensor", "square").contains("delete the line, or give another name"))
    try files.write("proofs.jsonl", whole + "no proof\n")
    #expect(try await complaint("--tensor", "square").contains("line 7: not valid JSON"))
    let unfinished = [
      "{", "{\"format\":", "{\"format\":\"weft argmaxability proofs 1\",\"tensor\":\"mine\"",
      "{\"format\":\"weft argmaxability proofs 1\",\"tensor\":\"square\"} and notes",
    ]
    for text in ["somebody's notes", "somebody's notes\n", "{\"format\":\"another\"}\n"] + unfinished {
      try files.write("proofs.jsonl", text)
      #expect(try await complaint("--tensor", "square").contains("is no file of proofs"))
      #expect(files.folder.contents(of: "proofs.jsonl") == text)
    }
    let same = try await files.argmaxable("--tensor", "square", "--proofs", "model.safetensors")
    #expect(same.status == 64 && same.errorText.contains("would be overwritten"))
  }

  @Test func verificationFindsFaults() async throws {
    let files = try LayerFiles()
    _ = try await files.argmaxable("--tensor", "square", "--proofs", "proofs.jsonl")
    let lines = try files.lines("proofs.jsonl")
    let never = try #require(lines.first { $0.contains("unargmaxable") })
    let others = lines.filter { $0 != never }
    func faults(_ lines: [String], cut: String = "", _ arguments: [String] = ["--tensor", "square"]) async throws
      -> String
    {
      try files.write("edited.jsonl", lines.map { $0 + "\n" }.joined() + cut)
      let run = try await Weft.run(
        ["argmaxable", "model.safetensors", "--verify", "edited.jsonl"] + arguments, directory: files.folder.path)
      #expect(run.status == (run.errorText.isEmpty ? 0 : 1))
      return run.errorText
    }
    #expect(try await faults(lines) == "")
    #expect(try await faults(others).contains("1 class has no proof that holds: 4"))
    let moved = never.replacing("0.5", with: "0.25")
    #expect(try await faults(others + [moved]).contains("line 6: class 4: the weights add up to 0.5"))
    let swapped = never.replacing("\"support\":[0,2]", with: "\"support\":[1,2]").replacing(
      "\"support\":[2,0]", with: "\"support\":[2,1]"
    )
    .replacing("\"support\":[1,3]", with: "\"support\":[1,2]").replacing("\"support\":[3,1]", with: "\"support\":[2,1]")
    #expect(swapped != never)
    #expect(try await faults(others + [swapped]).contains("line 6: class 4: the combination misses the vector"))
    let claimed = #"{"class":4,"verdict":"argmaxable","h":"row","scale":1.0}"#
    #expect(try await faults(others + [claimed]).contains("line 6: class 4: the hidden vector does not put it above"))
    #expect(try await faults(lines + [never]).contains("line 7: class 4 has a proof already"))
    #expect(try await faults(lines + ["{}"]).contains("line 7: field 'class': is missing"))
    #expect(try await faults(lines, cut: never).contains("the last line has no end"))
    #expect(try await faults(lines, ["--tensor", "other"]).contains("about tensor 'square', not 'other'"))
    #expect(try await faults(lines, ["--tensor", "square", "--box", "1"]).contains("--box"))
    let renamed = [lines[0].replacing("square", with: "other")] + lines.dropFirst()
    #expect(try await faults(renamed, ["--tensor", "other"]).contains("a tensor with other numbers"))
    #expect(try await faults([]).contains("holds no proofs"))

    let missing = try await Weft.run(
      ["argmaxable", "model.safetensors", "--tensor", "square", "--verify", "none.jsonl"], directory: files.folder.path)
    #expect(missing.status == 1 && missing.complaints == ["Error: none.jsonl: there is no such file"])
    try files.write("edited.jsonl", others.map { $0 + "\n" }.joined())
    let json = try await Weft.run(
      ["argmaxable", "model.safetensors", "--tensor", "square", "--verify", "edited.jsonl", "--json"],
      directory: files.folder.path)
    #expect(json.status == 1)
    #expect(try json.object().integers("missing") == [4] && json.object().strings("faults") == [])
  }

  @Test func badInputIsRefused() async throws {
    let files = try LayerFiles()
    func complaint(_ arguments: String...) async throws -> String {
      let run = try await Weft.run(
        ["argmaxable", "--device", "cpu", "model.safetensors"] + arguments, directory: files.folder.path)
      #expect(run.status == 1 && run.complaints.count == 1 && run.output.isEmpty, "\(run.errorText)")
      return run.complaints.first ?? ""
    }
    let unknown = try await complaint("--tensor", "sqare")
    #expect(
      unknown.contains("tensor 'sqare': not among the 19 tensors of the file") && unknown.contains("'square' [5, 2]"))
    #expect(!unknown.contains("cube") && !unknown.contains("short.bias"))
    #expect(
      try await complaint("--tensor", "cube").contains("has shape [2, 2, 2], where [classes, dimension] is expected"))
    #expect(
      try await complaint("--tensor", "short.bias").contains("has shape [3], where [classes, dimension] is expected"))
    #expect(try await complaint("--tensor", "nan").contains("the vector of class 1 holds nan at 1"))
    #expect(try await complaint("--tensor", "indices").contains("holds I32, where F16, BF16, F32 or F64 is expected"))
    #expect(
      try await complaint("--tensor", "square", "--bias", "short.bias")
        .contains("has shape [3], but 'square' has 5 classes: [5] is expected"))
    #expect(try await complaint("--tensor", "square", "--bias", "none").contains("'square.bias' [5]"))
    #expect(
      try await complaint("--tensor", "square", "--bias", "infinite.bias").contains("the bias of class 3 is -inf"))
    #expect(
      try await complaint("--tensor", "twins", "--vocab", "vocab.txt")
        .contains("has 5 lines, but 'twins' has 6 classes: it is another model's"))
    #expect(try await complaint("--tensor", "square", "--vocab", "none.txt").contains("none.txt"))
    #expect(
      try await complaint("--tensor", "square", "--proofs", "no/such/folder.jsonl").contains("no/such/folder.jsonl"))
    let file = try await Weft.run(
      ["argmaxable", "--tensor", "square", "none.safetensors"], directory: files.folder.path)
    #expect(file.status == 1 && file.complaints.count == 1)
  }

  @Test(arguments: [
    [], ["--tensor", "square", "--box", "0"], ["--tensor", "square", "--box", "nan"],
    ["--tensor", "square", "--proofs", "a", "--verify", "b"], ["--tensor", "square", "--proofs", ""],
  ])
  func wrongCalls(arguments: [String]) async throws {
    let run = try await Weft.run(["argmaxable", "model.safetensors"] + arguments)
    #expect(run.status == 64 && run.output.isEmpty)
  }
}
