internal import ModelFiles

extension Checkpoint {
  /// What attention's layers were called until 2023.
  private static let oldNames = [
    (".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn."),
  ]

  /// The name under which the file has a tensor: its own, or the one it had until 2023.
  func stored(_ name: String) -> String {
    guard !contains(name) else { return name }
    for (new, old) in Self.oldNames {
      let other = name.replacing(new, with: old)
      if other != name && contains(other) { return other }
    }
    return name
  }

  /// Checks that the file holds a network's tensors, in their shapes, and no others: before any is read.
  /// - Throws: `ModelFileError` that names the first one at fault.
  func check(_ tensors: [ExpectedTensor], configuration: String) throws(ModelFileError) {
    var expected: Set<String> = []
    for tensor in tensors {
      let name = stored(tensor.name)
      expected.insert(name)
      guard let entry = entry(named: name) else { throw missing(name) }
      guard entry.shape == tensor.shape else {
        throw ModelFileError(
          file: path, subject: "tensor \(name.quoted)",
          problem: "shape \(entry.shape), where \(configuration) asks for \(tensor.shape)")
      }
    }
    let others = names.filter { !expected.contains($0) }
    guard let first = others.first else { return }
    let rest = others.count > 1 ? ", nor are \(others.count - 1) others" : ""
    throw ModelFileError(
      file: path, subject: "tensor \(first.quoted)",
      problem: "is no part of the network that \(configuration) describes\(rest)")
  }
}
