public import Core

/// An Ed25519 key that signs notes, as C2SP signed-note writes it: `name+hex of the key's id+base64 of the algorithm and the key`.
public struct NoteKey: Hashable, Sendable, CustomStringConvertible {
  /// What a key signs; its raw value is the byte before the key.
  public enum Algorithm: UInt8, Sendable {
    /// The text itself: the key of a log.
    case ed25519 = 1
    /// When it was seen, and the text: the key of a witness (C2SP tlog-cosignature).
    case cosignature = 4
  }

  /// The name of the key: for a log, its origin.
  public let name: String
  /// What it signs.
  public let algorithm: Algorithm
  /// The 32 bytes of the public key.
  public let publicKey: [UInt8]

  /// Makes a key; nil where the name is none or there are not 32 bytes.
  public init?(name: String, algorithm: Algorithm = .ed25519, publicKey: [UInt8]) {
    guard Checkpoint.isOrigin(name), publicKey.count == 32 else { return nil }
    self.name = name
    self.algorithm = algorithm
    self.publicKey = publicKey
  }

  /// Reads the written form; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 2).map { String(Substring($0)) }
    guard parts.count == 3, let bytes = Base64.decode(parts[2]), let algorithm = bytes.first.flatMap({ Algorithm(rawValue: $0) }) else {
      return nil
    }
    self.init(name: parts[0], algorithm: algorithm, publicKey: Array(bytes[1...]))
    guard bytesEqual(description, text) else { return nil }
  }

  /// SHA-256 of name, line feed, algorithm and key; the first four bytes.
  public var keyID: [UInt8] {
    Array(SHA256.hash(Array(name.utf8) + [0x0A, algorithm.rawValue] + publicKey).bytes[..<4])
  }

  /// `example.com/remit+c74f20a3+AYEP…`.
  public var description: String {
    let id = keyID.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return "\(name)+\(id)+\(Base64.encode([algorithm.rawValue] + publicKey))"
  }

  /// What one of a note's signatures by this key covers; nil where it has not the length of one.
  ///
  /// - Returns: The 64 bytes of the signature, the bytes that they sign, and, of a witness, when it says that it saw the note.
  public func signed(_ text: String, by signature: SignedNote.Signature) -> (statement: [UInt8], signature: [UInt8], seen: Instant?)? {
    switch algorithm {
    case .ed25519:
      guard signature.bytes.count == 64 else { return nil }
      return (Array(text.utf8), signature.bytes, nil)
    case .cosignature:
      guard signature.bytes.count == 72 else { return nil }
      let seconds = signature.bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard let time = Int64(exactly: seconds), time < 1 << 40 else { return nil }
      return (Self.cosigned(text, at: time), Array(signature.bytes[8...]), Instant(milliseconds: time * 1000))
    }
  }

  /// What a witness signs: `cosignature/v1`, the time in seconds since 1970, and the text.
  public static func cosigned(_ text: String, at seconds: Int64) -> [UInt8] { Array("cosignature/v1\ntime \(seconds)\n\(text)".utf8) }

  /// The key as OpenSSL reads it: RFC 8410, section 4, in PEM.
  public var pem: String {
    let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(prefix + publicKey))\n-----END PUBLIC KEY-----\n"
  }
}
