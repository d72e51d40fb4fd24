/// What a check said of a hidden vector.
enum WitnessOutcome {
  case proven(ClassProof)
  /// The classes that it is not proven to put below, the highest first.
  case beaten(by: [Int])
}

extension ArgmaxSearch {
  /// Checks directions that may put their classes on top. Their hidden vectors are rounded to few decimals, for a short
  /// proof, and those that need them get more.
  func check(_ candidates: [Candidate]) async -> [WitnessOutcome] {
    var outcomes = [WitnessOutcome](repeating: .beaten(by: []), count: candidates.count)
    var open = Array(candidates.indices)
    for digits in [4, 8, nil] {
      guard !open.isEmpty else { break }
      var vectors: [[Double]] = []
      var places: [Int] = []
      for place in open {
        guard let hidden = points.hidden(candidates[place].direction) else { continue }
        vectors.append(digits.map { hidden.rounded(digits: $0, limit: checker.box) } ?? hidden)
        places.append(place)
      }
      let rivals = await rivals(places.map { candidates[$0] }, vectors)
      open = []
      for ((place, vector), rivals) in zip(zip(places, vectors), rivals) {
        if rivals.isEmpty {
          outcomes[place] = .proven(candidates[place].proof(.vector(vector)))
        } else {
          outcomes[place] = .beaten(by: rivals)
          open.append(place)
        }
      }
    }
    return outcomes
  }

  /// The classes that hidden vectors are not proven to put below their own.
  func rivals(_ candidates: [Candidate], _ vectors: [[Double]]) async -> [[Int]] {
    await checker.rivals(
      of: zip(candidates, vectors).map {
        Witness(index: $0.index, elements: $1, ignoresDuplicates: $0.duplicate != nil)
      })
  }
}

extension [Double] {
  /// Rounded to decimals, as many as the largest element has with `digits` digits: numbers that are short when written.
  fileprivate func rounded(digits: Int, limit: Double?) -> [Double] {
    let largest = reduce(0) { Swift.max($0, abs($1)) }
    guard largest > 0 else { return self }
    var power = 1.0
    var places = 0
    while largest * power < 1, places < 22 { (power, places) = (power * 10, places + 1) }
    for _ in 1..<digits where places < 22 { (power, places) = (power * 10, places + 1) }
    // An integer divided by a power of ten, both exact, is the double closest to the decimal.
    return map { number in
      let rounded = (number * power).rounded() / power + 0  // 0 instead of -0
      return limit.map { Swift.min(Swift.max(rounded, -$0), $0) } ?? rounded
    }
  }
}
