/// The part of an ``ArgmaxSearch`` that settles a class, the cheapest first.
public enum SearchStage: String, Sendable, Hashable, CaseIterable {
  /// Another class has the same vector.
  case duplicates
  /// The class's own vector as hidden vector.
  case vector
  /// The same without the mean of all.
  case centredVector = "centred vector"
  /// That in the metric of the vectors' covariance.
  case whitenedVector = "whitened vector"
  /// Reflections at the rivals in the way.
  case reflections
  /// Linear programs; what stays undecided ends here too.
  case linearPrograms = "linear programs"
}
