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
