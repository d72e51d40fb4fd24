/// A whole number of any size, for oracles. It shares no code with what it is to judge.
enum WholeNumber: Equatable, Sendable {
  case small(Int)
  /// Beyond an Int: limbs of 64 bits, the lowest first, and the highest not 0.
  case large(isNegative: Bool, [UInt64])

  init(_ value: Int) { self = .small(value) }

  private init(_ isNegative: Bool, _ limbs: [UInt64]) {
    var limbs = limbs
    while limbs.last == 0 { limbs.removeLast() }
    if limbs.isEmpty {
      self = .small(0)
    } else if limbs.count == 1, limbs[0] <= UInt64(Int.max) {
      self = .small(isNegative ? -Int(limbs[0]) : Int(limbs[0]))
    } else {
      self = .large(isNegative: isNegative, limbs)
    }
  }

  private var parts: (isNegative: Bool, limbs: [UInt64]) {
    switch self {
    case .small(let value): (value < 0, value == 0 ? [] : [UInt64(value.magnitude)])
    case .large(let isNegative, let limbs): (isNegative, limbs)
    }
  }

  /// -1, 0 or 1.
  var sign: Int {
    switch self {
    case .small(let value): value.signum()
    case .large(let isNegative, _): isNegative ? -1 : 1
    }
  }

  static prefix func - (x: WholeNumber) -> WholeNumber {
    if case .small(let value) = x, value != .min { return .small(-value) }
    let (isNegative, limbs) = x.parts
    return WholeNumber(!isNegative, limbs)
  }

  static func + (x: WholeNumber, y: WholeNumber) -> WholeNumber {
    if case .small(let a) = x, case .small(let b) = y {
      let (sum, isOver) = a.addingReportingOverflow(b)
      if !isOver { return .small(sum) }
    }
    let (a, b) = (x.parts, y.parts)
    if a.isNegative == b.isNegative { return WholeNumber(a.isNegative, sum(a.limbs, b.limbs)) }
    if isLess(a.limbs, b.limbs) { return WholeNumber(b.isNegative, difference(b.limbs, a.limbs)) }
    return WholeNumber(a.isNegative, difference(a.limbs, b.limbs))
  }

  static func - (x: WholeNumber, y: WholeNumber) -> WholeNumber { x + -y }

  static func * (x: WholeNumber, y: WholeNumber) -> WholeNumber {
    if case .small(let a) = x, case .small(let b) = y {
      let (product, isOver) = a.multipliedReportingOverflow(by: b)
      if !isOver { return .small(product) }
    }
    let (a, b) = (x.parts, y.parts)
    guard !a.limbs.isEmpty, !b.limbs.isEmpty else { return .small(0) }
    var product = [UInt64](repeating: 0, count: a.limbs.count + b.limbs.count)
    for (i, p) in a.limbs.enumerated() {
      var carry: UInt64 = 0
      for (j, q) in b.limbs.enumerated() {
        let (high, low) = p.multipliedFullWidth(by: q)
        let (first, isOver) = product[i + j].addingReportingOverflow(low)
        let (second, isOverAgain) = first.addingReportingOverflow(carry)
        product[i + j] = second
        carry = high + (isOver ? 1 : 0) + (isOverAgain ? 1 : 0)
      }
      product[i + b.limbs.count] = carry
    }
    return WholeNumber(a.isNegative != b.isNegative, product)
  }

  /// The quotient of a division that leaves no rest, from the lowest limb up (Jebelean, 1993).
  func dividedExactly(by divisor: WholeNumber) -> WholeNumber {
    if case .small(let a) = self, case .small(let b) = divisor, a != .min {
      precondition(a % b == 0)
      return .small(a / b)
    }
    var (dividend, divisorParts) = (parts, divisor.parts)
    var odd = divisorParts.limbs
    // Zeros at the end of the divisor are at the end of the dividend too.
    while odd[0] == 0 {
      odd.removeFirst()
      if !dividend.limbs.isEmpty { dividend.limbs.removeFirst() }
    }
    let zeros = odd[0].trailingZeroBitCount
    if zeros > 0 { (odd, dividend.limbs) = (Self.shiftedRight(odd, zeros), Self.shiftedRight(dividend.limbs, zeros)) }
    divisorParts.limbs = odd
    while odd.last == 0 { odd.removeLast() }
    var inverse = odd[0]
    for _ in 0..<6 { inverse = inverse &* (2 &- odd[0] &* inverse) }
    var rest = dividend.limbs
    var quotient = [UInt64](repeating: 0, count: max(0, rest.count - odd.count + 1))
    for place in quotient.indices {
      let digit = rest[place] &* inverse
      quotient[place] = digit
      var borrow: UInt64 = 0
      for (offset, limb) in odd.enumerated() where place + offset < rest.count {
        let (high, low) = digit.multipliedFullWidth(by: limb)
        let (first, isUnder) = rest[place + offset].subtractingReportingOverflow(low)
        let (second, isUnderAgain) = first.subtractingReportingOverflow(borrow)
        rest[place + offset] = second
        borrow = high + (isUnder ? 1 : 0) + (isUnderAgain ? 1 : 0)
      }
      var next = place + odd.count
      while borrow > 0, next < rest.count {
        let (value, isUnder) = rest[next].subtractingReportingOverflow(borrow)
        rest[next] = value
        borrow = isUnder ? 1 : 0
        next += 1
      }
    }
    precondition(rest.allSatisfy { $0 == 0 })
    return WholeNumber(dividend.isNegative != divisorParts.isNegative, quotient)
  }

  /// The number times 2 to a power that is not negative.
  func shifted(by bits: Int) -> WholeNumber {
    var (isNegative, limbs) = parts
    guard !limbs.isEmpty else { return self }
    let (words, rest) = bits.quotientAndRemainder(dividingBy: 64)
    if rest > 0 {
      limbs.append(0)
      for place in limbs.indices.reversed() {
        limbs[place] = limbs[place] << UInt64(rest) | (place > 0 ? limbs[place - 1] >> UInt64(64 - rest) : 0)
      }
    }
    return WholeNumber(isNegative, [UInt64](repeating: 0, count: words) + limbs)
  }

  private static func shiftedRight(_ limbs: [UInt64], _ bits: Int) -> [UInt64] {
    limbs.indices.map { place in
      limbs[place] >> UInt64(bits) | (place + 1 < limbs.count ? limbs[place + 1] << UInt64(64 - bits) : 0)
    }
  }

  private static func isLess(_ a: [UInt64], _ b: [UInt64]) -> Bool {
    guard a.count == b.count else { return a.count < b.count }
    for place in a.indices.reversed() where a[place] != b[place] { return a[place] < b[place] }
    return false
  }

  private static func sum(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
    var result: [UInt64] = []
    var carry: UInt64 = 0
    for place in 0..<max(a.count, b.count) {
      let (first, isOver) = (place < a.count ? a[place] : 0).addingReportingOverflow(place < b.count ? b[place] : 0)
      let (second, isOverAgain) = first.addingReportingOverflow(carry)
      result.append(second)
      carry = isOver || isOverAgain ? 1 : 0
    }
    return carry > 0 ? result + [carry] : result
  }

  /// `a - b`, a being no less.
  private static func difference(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
    var result = a
    var borrow: UInt64 = 0
    for place in a.indices {
      let (first, isUnder) = a[place].subtractingReportingOverflow(place < b.count ? b[place] : 0)
      let (second, isUnderAgain) = first.subtractingReportingOverflow(borrow)
      result[place] = second
      borrow = isUnder || isUnderAgain ? 1 : 0
    }
    return result
  }
}
