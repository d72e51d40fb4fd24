import Testing

@testable import WeftCommand

@Suite struct NormalizationTests {
  private let values: [Float] = [10, -2, 14, 0, 12, 7, 10, 3]

  @Test func rangeReachesBothEnds() {
    let normal = Normalization(.range, of: values, elements: 2).apply(values)
    #expect(normal.min() == -1 && normal.max() == 1)
  }

  @Test func unitHasMeanZeroAndOneScale() {
    let normalization = Normalization(.unit, of: values, elements: 2)
    #expect(normalization.offset == [11.5, 2])
    let normal = normalization.apply(values).map(Double.init)
    for element in 0..<2 {
      #expect(abs(stride(from: element, to: 8, by: 2).reduce(0) { $0 + normal[$1] }) < 1e-6)
    }
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 8 - 1) < 1e-6)
  }

  @Test(arguments: Normalization.Mode.allCases)
  func restoringUndoes(mode: Normalization.Mode) {
    let normalization = Normalization(mode, of: values, elements: 2)
    let back = normalization.restore(normalization.apply(values))
    #expect(zip(back, values).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: Normalization.Mode.allCases, [Float(0), 0.1, 3e38, -0x1p-140])
  func constantDataStayFinite(mode: Normalization.Mode, value: Float) {
    let values = [Float](repeating: value, count: 9)
    let normalization = Normalization(mode, of: values, elements: 3)
    #expect(normalization.scale == 1)
    #expect(normalization.apply(values).allSatisfy { $0 == (mode == .none ? value : 0) })
    #expect(normalization.restore(normalization.apply(values)) == values)
  }

  @Test func largeNumbersDoNotOverflow() {
    let values: [Float] = [3e38, -3e38, 1e38, 0]
    for mode in [Normalization.Mode.range, .unit] {
      let normal = Normalization(mode, of: values, elements: 2).apply(values)
      #expect(normal.allSatisfy { abs($0) < 3 })
    }
  }
}
