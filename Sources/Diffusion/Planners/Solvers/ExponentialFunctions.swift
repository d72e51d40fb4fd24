/// The functions of exponential integrators: φ₀(z) = e^z and `φ_k(z) = (φ_{k-1}(z) - 1/(k-1)!) / z`, thus φ₁ = (e^z - 1) / z
/// (Hochbruck and Ostermann, "Exponential integrators", 2010).
enum ExponentialFunctions {
  /// φ_k(z). Near 0 the recursion would cancel, so a Taylor series, `Σ z^j / (j + k)!`, takes its place.
  static func phi(_ order: Int, _ z: Double) -> Double {
    var inverseFactorial = 1.0
    if abs(z) > 1 {
      var value = exponential(z)
      for index in 0..<order {
        value = (value - inverseFactorial) / z
        inverseFactorial /= Double(index + 1)
      }
      return value
    }
    for index in stride(from: 2, through: order, by: 1) { inverseFactorial /= Double(index) }
    var term = inverseFactorial
    var sum = term
    // 1 / 20! is below the last digit of the first term.
    for index in 1...20 {
      term *= z / Double(order + index)
      sum += term
    }
    return sum
  }
}
