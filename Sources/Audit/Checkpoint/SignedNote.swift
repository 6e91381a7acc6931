import Core

/// A text with signatures behind it, as C2SP signed-note has it: the text, an empty line, and a line for each signature.
///
///     example.com/remit
///     20852163
///     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
///
///     — example.com/remit Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
public struct SignedNote: Hashable, Sendable, CustomStringConvertible {
  /// One signature.
  public struct Signature: Hashable, Sendable {
    /// The name of the key.
    public let name: String
    /// Four bytes that, with the name, say which key it is.
    public let keyID: [UInt8]
    /// The signature itself.
    public let bytes: [UInt8]

    var line: String { "— \(name) \(Base64.encode(keyID + bytes))\n" }
  }

  /// What is signed; it ends with a line feed.
  public let text: String
  /// The signatures.
  public let signatures: [Signature]

  /// Signs a text with what the owner of an Ed25519 key made of it.
  public init(_ text: String, signature: [UInt8], by key: NoteKey) {
    self.text = text
    signatures = [Signature(name: key.name, keyID: key.keyID, bytes: signature)]
  }

  /// Reads a note, strictly: every byte is the text's or a signature's.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/damaged``.
  public init(parsing note: String) throws(AuditError) {
    let bytes = Array(note.utf8)
    // The text may hold empty lines itself: the last one counts.
    guard let gap = bytes.indices.dropLast().last(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }), bytes.last == 0x0A else {
      throw AuditError(.damaged, "a signed note has an empty line before its signatures, and ends with a line feed")
    }
    text = String(decoding: bytes[...gap], as: UTF8.self)
    var signatures: [Signature] = []
    for line in bytes[(gap + 2)...].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
      guard let signature = Self.signature(String(decoding: line, as: UTF8.self)) else {
        throw AuditError(.damaged, "line \(signatures.count + 1) of the note's signatures is none")
      }
      signatures.append(signature)
    }
    guard !signatures.isEmpty else { throw AuditError(.damaged, "a signed note has a signature") }
    self.signatures = signatures
  }

  private static func signature(_ line: String) -> Signature? {
    let parts = line.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map { String(Substring($0)) }
    guard parts.count == 3, bytesEqual(parts[0], "—"), Checkpoint.isOrigin(parts[1]), let bytes = Base64.decode(parts[2]),
      bytes.count > 4, bytesEqual(Base64.encode(bytes), parts[2])
    else { return nil }
    return Signature(name: parts[1], keyID: Array(bytes[..<4]), bytes: Array(bytes[4...]))
  }

  /// The signatures that a key may have made.
  public func signatures(by key: NoteKey) -> [Signature] {
    signatures.filter { bytesEqual($0.name, key.name) && $0.keyID == key.keyID }
  }

  /// The whole note.
  public var description: String { text + "\n" + signatures.map(\.line).joined() }
}

/// An Ed25519 key that signs notes, as C2SP signed-note writes it: `name+hex of the key's id+base64 of the algorithm and the key`.
public struct NoteKey: Hashable, Sendable, CustomStringConvertible {
  /// The name of the key: for a log, its origin.
  public let name: String
  /// The 32 bytes of the public key.
  public let publicKey: [UInt8]

  /// Makes a key; nil where the name is none or there are not 32 bytes.
  public init?(name: String, publicKey: [UInt8]) {
    guard Checkpoint.isOrigin(name), publicKey.count == 32 else { return nil }
    self.name = name
    self.publicKey = publicKey
  }

  /// Reads the written form; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 2).map { String(Substring($0)) }
    guard parts.count == 3, let bytes = Base64.decode(parts[2]), bytes.first == 1 else { return nil }
    self.init(name: parts[0], publicKey: Array(bytes[1...]))
    guard bytesEqual(description, text) else { return nil }
  }

  /// SHA-256 of name, line feed, algorithm and key; the first four bytes.
  public var keyID: [UInt8] { Array(SHA256.hash(Array(name.utf8) + [0x0A, 1] + publicKey).bytes[..<4]) }

  /// `example.com/remit+c74f20a3+AYEP…`.
  public var description: String {
    let id = keyID.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return "\(name)+\(id)+\(Base64.encode([1] + publicKey))"
  }

  /// The key as OpenSSL reads it: RFC 8410, section 4, in PEM.
  public var pem: String {
    let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(prefix + publicKey))\n-----END PUBLIC KEY-----\n"
  }
}
