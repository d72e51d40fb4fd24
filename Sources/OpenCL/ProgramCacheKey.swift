extension ProgramCache {
  /// Names one binary: everything that decides what the compiler would produce, hashed.
  struct Key: Hashable, Sendable {
    /// SHA-256 of the fields.
    let digest: [UInt8]

    /// The key of one source compiled for one device.
    init(source: String, options: [String], device: Device) {
      self.init(
        source: source, options: options, platformName: device.platformName,
        platformVersion: device.platformVersion, deviceName: device.name,
        driverVersion: device.driverVersion)
    }

    /// The key of the fields themselves.
    init(
      source: String, options: [String], platformName: String, platformVersion: String,
      deviceName: String, driverVersion: String, format: UInt32 = CacheFile.format
    ) {
      var fields = SHA256()
      // Lengths come first, so that no two different lists of fields hash the same bytes.
      func append(_ number: UInt64) {
        fields.update(CacheFile.littleEndianBytes(number))
      }
      func append(_ text: String) {
        append(UInt64(text.utf8.count))
        fields.update(text.utf8)
      }
      append(UInt64(format))
      append(platformName)
      append(platformVersion)
      append(deviceName)
      append(driverVersion)
      append(UInt64(options.count))
      for option in options { append(option) }
      append(source)
      digest = fields.finalize()
    }

    /// The name of the file that holds the binary.
    var fileName: String { "\(digest.hexadecimal).weftbin" }
  }
}
