/// Where the search takes a number for 0. Nothing rests on these: they say what is tried, and the check says what holds.
enum SearchTolerance {
  /// A program's margin up to which its multipliers are looked at as a certificate.
  static let margin = 1e-6
  /// A multiplier next to the largest: smaller ones are not in the basis but for rounding.
  static let multiplier = 1e-13
  /// A weight: smaller ones are 0 but for rounding.
  static let weight = 1e-13
  /// A pivot next to the largest element: below it a column depends on those before it.
  static let pivot = 1e-11
  /// A multiplier next to the largest, where a face is looked for: smaller ones are classes off the face.
  static let faceMember = 1e-4
  /// What is left of an edge of a face besides the edges before it, next to the edge: below it, it depends on them.
  static let faceEdge = 1e-7
  /// What is left of a difference besides its part along a face, next to the difference: below it, it is in the face.
  static let offFace = 1e-9
  /// The share that classes off a face start with; the refinement finds the exact weights.
  static let traceOffFace = 1e-8
}
