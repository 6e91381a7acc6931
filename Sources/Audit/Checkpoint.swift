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
    guard let bytes = Base64.decode(String(lines[2])), let root = Digest(bytes) else {
      throw AuditError(.damaged, "line 3 of the checkpoint, the root, is not 32 bytes in base64")
    }
    self.init(origin: origin, size: size, root: root)
  }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = group.reduce(0) { $0 << 8 | UInt32($1) }
      bits <<= UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        out.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The bytes; `nil` unless the text is exactly what ``encode(_:)`` makes of them.
  static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 where byte != UInt8(ascii: "=") {
      guard let value = alphabet.firstIndex(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        bits &= (1 << UInt32(count)) - 1
      }
    }
    return bytesEqual(encode(out), text) ? out : nil
  }
}
