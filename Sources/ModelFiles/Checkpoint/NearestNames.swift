/// Describes a tensor that is not there.
/// - Parameters:
///   - name: The name asked for.
///   - names: The names there are.
///   - file: The path to report.
/// - Returns: An error that shows the closest names, since the usual cause is a prefix that another
///   library adds or leaves out.
func missingTensor(_ name: String, among names: [String], file: String) -> ModelFileError {
  let near = nearestNames(to: name, among: names)
  let list = near.map(\.quoted).joined(separator: ", ")
  let hint = near.isEmpty ? "" : near.count == 1 ? "; the closest name is \(list)" : "; the closest names are \(list)"
  return ModelFileError(
    file: file, subject: "tensor \(name.quoted)",
    problem: "not among the \(names.count) tensors of the file\(hint)")
}

/// At most three names that share their last components with `name` or differ by few letters,
/// nearest first.
func nearestNames(to name: String, among names: [String]) -> [String] {
  let wanted = Array(name.utf8.prefix(200))
  let parts = name.split(separator: ".")
  var ranked: [(cost: Int, name: String)] = []
  for candidate in names.prefix(5_000) {  // a message is not worth more time
    let shared = zip(parts.reversed(), candidate.split(separator: ".").reversed())
      .prefix { $0 == $1 }.count
    let distance = editDistance(wanted, Array(candidate.utf8.prefix(200)))
    // One shared component, such as "weight", says nothing; two or more say more than letters do.
    if shared >= 2 || distance <= max(2, wanted.count / 5) {
      ranked.append((distance - 20 * shared, candidate))
    }
  }
  return ranked.sorted { ($0.cost, $0.name) < ($1.cost, $1.name) }.prefix(3).map(\.name)
}

/// Levenshtein's distance, in bytes.
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
  var row = Array(0...second.count)
  for (i, byte) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in second.enumerated() {
      let substituted = diagonal + (byte == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
