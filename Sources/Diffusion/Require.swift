/// Checks one condition of an option, or of something else if `kind` says so.
func require(
  _ condition: Bool, _ problem: @autoclosure () -> String, kind: DiffusionError.Kind = .invalidOption
) throws(DiffusionError) {
  guard !condition else { return }
  throw DiffusionError(kind, problem())
}

/// Evenly spaced numbers from `start` to `end`, both included, rounded the way numpy's `linspace` rounds them.
func evenlySpaced(from start: Double, to end: Double, count: Int) -> [Double] {
  guard count > 1 else { return count == 1 ? [start] : [] }
  let step = (end - start) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? end : start + Double($0) * step }
}
