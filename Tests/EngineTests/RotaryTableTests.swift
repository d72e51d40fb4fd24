import Foundation
import Testing

@testable import Engine

@Suite struct RotaryTableTests {
  @Test(arguments: [2, 6, 64]) func entriesAreTheCosinesAndSinesOfTheFormula(channels: Int) {
    let positions = 600
    let table = RotaryTable.elements(positions: positions, channels: channels)
    #expect(table.count == positions * 2 * channels)
    var worst = 0.0
    for position in 0..<positions {
      for channel in 0..<channels {
        let angle =
          Double(position) * pow(10_000, -2 * Double(channel / 2) / Double(channels))
        let at = position * 2 * channels + channel
        let sign: Double = channel.isMultiple(of: 2) ? -1 : 1
        worst = max(worst, abs(Double(table[at]) - cos(angle)))
        worst = max(worst, abs(Double(table[at + channels]) - sign * sin(angle)))
      }
    }
    // Half a unit in the last place of Float near 1, and the rounding of the Double before it.
    #expect(worst <= 0x1p-24 * 1.01, "\(worst)")
  }

  @Test func theFirstPositionTurnsNothing() {
    let table = RotaryTable.elements(positions: 1, channels: 8)
    #expect(table.prefix(8).allSatisfy { $0 == 1 })
    #expect(table.suffix(8).allSatisfy { $0 == 0 })
  }

  @Test func theInverseHasTheSameCosinesAndNegatedSines() {
    let channels = 6
    let table = RotaryTable.elements(positions: 40, channels: channels)
    let inverse = RotaryTable.elements(positions: 40, channels: channels, inverse: true)
    for (at, value) in table.enumerated() {
      let isCosine = at % (2 * channels) < channels
      #expect(inverse[at] == (isCosine ? value : -value))
    }
  }

  @Test func turningByTheTableMakesProductsDependOnDistanceAlone() {
    let channels = 16
    let table = RotaryTable.elements(positions: 300, channels: channels)
    func turned(_ vector: [Double], by position: Int) -> [Double] {
      vector.indices.map { channel in
        let at = position * 2 * channels + channel
        return vector[channel] * Double(table[at])
          + vector[channel ^ 1] * Double(table[at + channels])
      }
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let q = (0..<channels).map { Double($0 % 5) - 2 }
    let k = (0..<channels).map { Double($0 % 3) - 1.5 }
    for distance in [0, 1, 7, 100] {
      let near = dot(turned(q, by: 3), turned(k, by: 3 + distance))
      let far = dot(turned(q, by: 190), turned(k, by: 190 + distance))
      #expect(abs(near - far) < 1e-4)
    }
  }
}
