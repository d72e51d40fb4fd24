import Foundation

@testable import ModelFiles

extension FuzzTarget {
  /// Files of numbers.
  static let tensors = [
    FuzzTarget(name: "safetensors") { input in
      let folder = try FuzzFolder()
      guard let file = try? SafetensorsFile(path: folder.write("x.safetensors", input)) else { return }
      var writer = SafetensorsWriter(metadata: file.metadata)
      for entry in file.tensors.values.sorted(by: { $0.name < $1.name }) {
        let bytes = try file.bytes(of: entry.name)
        try require(bytes.count == entry.byteRange.count, "\(entry.name) has \(bytes.count) bytes")
        let floats = try? file.floats(named: entry.name)
        try require((floats?.count ?? entry.count) == entry.count, "\(entry.name) has \(floats?.count ?? 0) numbers")
        let integers = try? file.integers(named: entry.name)
        try require(
          (integers?.count ?? entry.count) == entry.count, "\(entry.name) has \(integers?.count ?? 0) integers")
        writer.add(entry.name, StoredTensor(type: entry.elementType, shape: entry.shape, bytes: bytes))
        guard let matrix = try? MatrixFile(path: file.path, tensor: entry.name) else { continue }
        try checkRows(matrix)
      }
      let copy = "\(folder.path)/copy"
      try writer.write(to: copy)
      defer { unlink(copy) }
      let again = try SafetensorsFile(path: copy)
      try require(
        again.metadata == file.metadata && again.tensors.keys == file.tensors.keys, "another file was written")
      for (name, entry) in file.tensors {
        try require(again.tensors[name]?.shape == entry.shape, "\(name) has another shape")
        try require(try again.bytes(of: name) == file.bytes(of: name), "\(name) has other bytes")
      }
    },

    FuzzTarget(name: "npy") { input in
      let folder = try FuzzFolder()
      let path = try folder.write("x.npy", input)
      guard let array = try? NumPyArray(path: path) else {
        try require((try? MatrixFile(path: path)) == nil, "rows of a file that is refused")
        return
      }
      try require(array.values.count == array.shape.reduce(1, *), "as many numbers as the shape says")
      _ = array.firstNonFinite
      let again = try NumPyArray(path: folder.write("again.npy", NumPyWriter.file(array.values, shape: array.shape)))
      try require(again.shape == array.shape && areSame(again.values, array.values), "another array was written")
      guard let matrix = try? MatrixFile(path: path) else { return }
      try checkRows(matrix)
      try require(areSame(try matrix.floats(0..<matrix.rows), array.values), "the rows are the array")
    },

    FuzzTarget(name: "npz") { input in
      let folder = try FuzzFolder()
      guard let store = try? TensorStore(path: folder.write("x.npz", input)) else { return }
      for entry in store.entries {
        guard let tensor = try? store.tensor(named: entry.name) else { continue }
        try require(tensor.shape == entry.shape && tensor.type == entry.elementType, "\(entry.name) is another tensor")
        _ = tensor.floats
      }
    },
  ]

  private static func areSame(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
  }

  /// Rows one by one are the rows together.
  private static func checkRows(_ matrix: MatrixFile) throws {
    let all = try matrix.floats(0..<matrix.rows)
    for row in 0..<min(8, matrix.rows) {
      let values = try matrix.floats(row..<row + 1)
      try require(areSame(values, Array(all[row * matrix.columns..<(row + 1) * matrix.columns])), "row \(row)")
      let element = Float(try matrix.element(row, matrix.columns - 1))
      try require(areSame([element], [values[matrix.columns - 1]]), "the last element of row \(row)")
    }
  }
}
