import CSHA256
import Core
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// FIPS 180-4 examples and NIST's short messages.
  static let vectors: [(String, String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ]

  @Test(arguments: vectors)
  func published(_ message: String, _ expected: String) {
    #expect(SHA256.hash(message).hex == expected)
  }

  @Test func aMillionLetters() {
    var hash = SHA256()
    for _ in 0..<1000 { hash.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
    #expect(hash.finalize().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func piecesMakeTheSameHashAsTheWhole() {
    withSeeds(100) { seed, random in
      let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var hash = SHA256()
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...100, using: &random))
        hash.update(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      #expect(hash.finalize() == SHA256.hash(bytes), "SEED=\(seed)")
    }
  }

  @Test func theInstructionsAndThePortableCodeAgree() {
    withSeeds(100) { seed, random in
      let blocks = (0..<64 * Int.random(in: 1...5, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var fast = (0..<8).map { _ in UInt32.random(in: 0...(.max), using: &random) }
      var portable = fast
      csha256_compress(&fast, blocks, blocks.count / 64)
      csha256_compress_portable(&portable, blocks, blocks.count / 64)
      #expect(fast == portable, "SEED=\(seed)")
    }
  }

  @Test func aDigestReadsBackFromItsText() throws {
    let digest = SHA256.hash("x")
    #expect(Digest(hex: digest.hex) == digest)
    #expect(Digest(digest.bytes) == digest)
    #expect(Digest(hex: digest.hex.uppercased()) == nil)
    #expect(Digest(hex: "00") == nil)
    for (place, byte) in [(0, 0x67), (15, 0x60), (16, 0x2f), (31, 0x3a), (63, 0x47), (63, 0x7f)] {
      var digits = Array(digest.hex.utf8)
      digits[place] = UInt8(byte)
      #expect(Digest(hex: String(decoding: digits, as: UTF8.self)) == nil, "\(place)")
    }
  }
}
