/// Two spans that the head links and the tail links of a predicate both join.
package struct LinkHit: Sendable, Hashable {
  /// Index of the first span in its list.
  package let first: Int
  /// Index of the second span in its list.
  package let second: Int
  /// Which matrix of links; 0 where there is one.
  package let predicate: Int
  /// The lower of the two scores: both are above the threshold only if it is.
  package let score: Float

  package init(first: Int, second: Int, predicate: Int, score: Float) {
    self.first = first
    self.second = second
    self.predicate = predicate
    self.score = score
  }
}
