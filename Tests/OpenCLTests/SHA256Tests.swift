import Testing

@testable import OpenCL

@Suite struct SHA256Tests {
  /// The vectors of FIPS 180-4 and of NIST's validation suite.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ])
  func agreesWithNIST(message: String, digest: String) {
    #expect(SHA256.hash(Array(message.utf8)).hexadecimal == digest)
  }

  @Test func hashesAMillionBytes() {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(SHA256.hash(message).hexadecimal == digest)
  }

  /// Lengths around the block and around the padding's limit, cut in two at every place.
  @Test(arguments: [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128])
  func doesNotDependOnHowTheMessageArrives(length: Int) {
    let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = SHA256.hash(message)
    for cut in 0...length {
      var hasher = SHA256()
      hasher.update(message[..<cut])
      hasher.update(message[cut...])
      #expect(hasher.finalize() == whole, "cut at \(cut)")
    }
  }
}
