/// Spearman's rank correlation, with middle ranks for ties; nil if either side is constant.
public func spearmanCorrelation(_ x: [Double], _ y: [Double]) -> Double? {
  precondition(x.count == y.count)
  let (a, b) = (middleRanks(x), middleRanks(y))
  let mean = Double(x.count - 1) / 2
  var (covariance, mine, theirs) = (0.0, 0.0, 0.0)
  for (rank, other) in zip(a, b) {
    covariance += (rank - mean) * (other - mean)
    mine += (rank - mean) * (rank - mean)
    theirs += (other - mean) * (other - mean)
  }
  guard mine > 0, theirs > 0 else { return nil }
  return covariance / (mine * theirs).squareRoot()
}

private func middleRanks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var first = 0
  while first < order.count {
    var end = first + 1
    while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
    for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 }
    first = end
  }
  return ranks
}
