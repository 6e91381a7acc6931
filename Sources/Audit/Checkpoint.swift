public import Core

/// A statement about the whole log that others can keep: C2SP tlog-checkpoint, without its signature.
///
///     example.com/remit
///     20852163
///     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
public struct Checkpoint: Hashable, Sendable, CustomStringConvertible {
  /// The name of the log: not empty, without line breaks, spaces or `+`.
  public let origin: String
  /// The number of entries.
  public let size: Int
  /// The RFC 6962 root over them.
  public let root: Digest

  /// Makes a checkpoint of an origin that ``isOrigin(_:)`` accepts.
  public init(origin: String, size: Int, root: Digest) {
    self.origin = origin
    self.size = size
    self.root = root
  }

  /// Whether a text can name a log: not empty, without spaces, control characters and `+`.
  public static func isOrigin(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "+") }
  }

  /// The body that is signed: origin, size and base64 root, a line each.
  public var text: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

  /// The same as ``text``.
  public var description: String { text }

  /// Reads the three lines; extension lines and signatures after them are ignored.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/damaged`` that says which line is wrong.
  public init(parsing text: String) throws(AuditError) {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false).map { Substring($0) }
    guard lines.count >= 4 else { throw AuditError(.damaged, "a checkpoint has three lines: origin, size and root") }
    let origin = String(lines[0])
    guard Self.isOrigin(origin) else {
      throw AuditError(.damaged, "line 1 of the checkpoint, the origin, is empty or holds a space, a control character or `+`")
    }
    guard let size = Int(lines[1]), size >= 0, String(size) == lines[1] else {
      throw AuditError(.damaged, "line 2 of the checkpoint, the size, is not a decimal number without leading zeroes")
    }
    // One root has one text: what decodes to the same bytes is not the same checkpoint.
    guard let bytes = Base64.decode(String(lines[2])), let root = Digest(bytes), Base64.encode(bytes) == lines[2] else {
      throw AuditError(.damaged, "line 3 of the checkpoint, the root, is not 32 bytes in base64")
    }
    self.init(origin: origin, size: size, root: root)
  }
}
