internal import Core

/// The two-way map between Remit's tool names and those that endpoints accept.
///
/// Remit allows 128 of `A-Z a-z 0-9 _ . -`, endpoints 64 without the dot. The map is a pure function of the name, so a recorded
/// conversation stays readable when other tools are offered later:
///
/// 1. A name without `.` and `__`, of at most 64 bytes, stays as it is.
/// 2. In a name of at most 64 bytes after it, without `__` and with no `_` beside a `.`, each `.` becomes `__`.
/// 3. Any other name becomes a readable beginning, `___`, and 12 hexadecimal digits of its SHA-256.
///
/// No two of these can meet: an odd run of three underscores occurs in the third form alone, and a run of even length in the second.
public struct ToolNames: Sendable {
  private var remitByWire: [String: String] = [:]
  private var wireByRemit: [String: String] = [:]

  /// The map for these names.
  ///
  /// - Throws: ``ModelError`` for a name outside Remit's alphabet, a repeated one, and two names that meet.
  public init(_ names: [String]) throws(ModelError) {
    for name in names {
      guard Self.isRemitName(name) else {
        throw ModelError(
          .invalidRequest, "`\(visible(String(name.prefix(140))))` is no tool name: 1 to 128 of A-Z a-z 0-9 _ . - are allowed")
      }
      let wire = Self.wireName(name)
      if let other = remitByWire.updateValue(name, forKey: wire) {
        throw ModelError(
          .invalidRequest,
          other == name ? "the tool `\(name)` is offered twice" : "the tools `\(other)` and `\(name)` cannot be offered together")
      }
      wireByRemit[name] = wire
    }
  }

  /// What the endpoint sees for an offered tool.
  public func wire(_ name: String) -> String { wireByRemit[name] ?? Self.wireName(name) }

  /// The offered tool that a model means: by its name on the wire, or else by its very Remit name.
  public func remit(_ wire: String) -> String? {
    guard wire.utf8.count <= 128, Self.isRemitName(wire) else { return nil }
    return remitByWire[wire] ?? (wireByRemit[wire] == nil ? nil : wire)
  }

  /// Whether this is 1 to 128 of `A-Z a-z 0-9 _ . -`.
  static func isRemitName(_ name: String) -> Bool {
    (1...128).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  /// The name on the wire: `[A-Za-z0-9_-]{1,64}`.
  static func wireName(_ name: String) -> String {
    let bytes = Array(name.utf8)
    let (dot, line) = (UInt8(ascii: "."), UInt8(ascii: "_"))
    var hasDot = false
    var isPlain = true
    for (index, byte) in bytes.enumerated() {
      if byte == dot { hasDot = true }
      guard index > 0 else { continue }
      let previous = bytes[index - 1]
      if (byte == line && (previous == line || previous == dot)) || (byte == dot && previous == line) { isPlain = false }
    }
    if isPlain && !hasDot && bytes.count <= 64 { return name }
    let readable = bytes.flatMap { $0 == dot ? [line, line] : [$0] }
    if isPlain && readable.count <= 64 { return String(decoding: readable, as: UTF8.self) }
    var beginning: [UInt8] = []
    for byte in bytes.prefix(96) where beginning.count < 49 {
      let byte = byte == dot ? line : byte
      if byte == line && (beginning.last == line || beginning.isEmpty) { continue }
      beginning.append(byte)
    }
    if beginning.last == line { beginning.removeLast() }
    return String(decoding: beginning, as: UTF8.self) + "___" + SHA256.hash(name).hex.prefix(12)
  }
}
