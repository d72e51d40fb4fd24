import Testing

@testable import OpenCL

@Suite struct ProgramCacheKeyTests {
  private typealias Key = ProgramCache.Key

  private func key(
    source: String = "s", options: [String] = ["-DA", "-DB"], platformName: String = "p",
    platformVersion: String = "v", deviceName: String = "d", driverVersion: String = "r",
    format: UInt32 = 1
  ) -> Key {
    Key(
      source: source, options: options, platformName: platformName,
      platformVersion: platformVersion, deviceName: deviceName, driverVersion: driverVersion,
      format: format)
  }

  @Test func everyFieldCounts() {
    let keys = [
      key(), key(source: "t"), key(options: ["-DA"]), key(platformName: "q"),
      key(platformVersion: "w"), key(deviceName: "e"), key(driverVersion: "x"), key(format: 2),
    ]
    #expect(Set(keys).count == keys.count)
    #expect(key() == key())
  }

  /// Fields that would read the same when run together.
  @Test func fieldsDoNotRunTogether() {
    let keys = [
      key(options: ["-DA", "-DB"]), key(options: ["-DA-DB"]), key(options: ["-DB", "-DA"]),
      key(options: ["-DA", "-DB", ""]), key(options: []), key(options: [""]),
      key(platformName: "pv", platformVersion: ""), key(platformName: "", platformVersion: "pv"),
      key(source: "", options: ["-DA", "-DB", "s"]),
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test func fileNamesArePlain() {
    let name = key().fileName
    #expect(name.count == 64 + ".weftbin".count)
    #expect(name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") })
  }
}
