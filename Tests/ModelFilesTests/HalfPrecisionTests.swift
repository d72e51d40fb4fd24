import Testing

@testable import ModelFiles

/// Conversions between element types, against the compiler's own where it has them.
@Suite struct HalfPrecisionTests {
  @Test func landmarks() {
    #expect(HalfPrecision.widen(0x0000).bitPattern == 0)
    #expect(HalfPrecision.widen(0x8000).bitPattern == 0x8000_0000)
    #expect(HalfPrecision.widen(0x0001) == 0x1p-24)  // the least subnormal
    #expect(HalfPrecision.widen(0x03FF) == 0x3FFp-24)  // the largest
    #expect(HalfPrecision.widen(0x0400) == 0x1p-14)  // the least normal
    #expect(HalfPrecision.widen(0x3C00) == 1)
    #expect(HalfPrecision.widen(0xC000) == -2)
    #expect(HalfPrecision.widen(0x7BFF) == 65_504)
    #expect(HalfPrecision.widen(0x7C00) == .infinity)
    #expect(HalfPrecision.widen(0xFC00) == -.infinity)
    #expect(HalfPrecision.widen(0x7E01).bitPattern == 0x7FC0_2000)
    #expect(HalfPrecision.widen(0x7C01).isNaN)
  }

  @Test func narrowingUndoesWidening() {
    for bits in UInt16.min...UInt16.max {
      let value = HalfPrecision.widen(bits)
      // A NaN comes back quiet, with its payload; everything else as it was.
      #expect(HalfPrecision.narrow(value) == (value.isNaN ? bits | 0x200 : bits))
    }
  }

  @Test func roundingToEven() {
    #expect(HalfPrecision.narrow(1 + 0x1p-11) == 0x3C00)
    #expect(HalfPrecision.narrow(1 + 0x3p-11) == 0x3C02)
    #expect(HalfPrecision.narrow(0x1p-25) == 0x0000)
    #expect(HalfPrecision.narrow(0x1.000002p-25) == 0x0001)
    #expect(HalfPrecision.narrow(0x3p-25) == 0x0002)
    #expect(HalfPrecision.narrow(65_519.996) == 0x7BFF)
    #expect(HalfPrecision.narrow(65_520) == 0x7C00)
    #expect(HalfPrecision.narrow(-.greatestFiniteMagnitude) == 0xFC00)
    #expect(HalfPrecision.narrow(.leastNonzeroMagnitude) == 0)
  }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    @Test func everyPatternAsTheCompilerHasIt() {
      for bits in UInt16.min...UInt16.max {
        let expected = Float(Float16(bitPattern: bits))
        let actual = HalfPrecision.widen(bits)
        #expect(expected.isNaN ? actual.isNaN : actual.bitPattern == expected.bitPattern)
      }
    }

    @Test func randomNumbersAsTheCompilerHasThem() {
      var random = Seeded(5)
      for _ in 0..<100_000 {
        let bits = UInt32.random(in: 0...UInt32.max, using: &random)
        // Half of them in the range where something happens.
        let value = Float(bitPattern: bits & 1 == 0 ? bits : bits & 0x8FFF_FFFF | 0x3000_0000)
        guard !value.isNaN else { continue }
        #expect(HalfPrecision.narrow(value) == Float16(value).bitPattern)
      }
    }
  #endif
}
