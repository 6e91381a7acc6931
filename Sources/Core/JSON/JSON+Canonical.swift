/// A number that the canonical form cannot carry exactly.
public struct NotRepresentable: Error, Hashable, Sendable, CustomStringConvertible {
  /// The number as it was written.
  public let number: String

  /// What is wrong and what to do.
  public var description: String {
    "the number `\(number)` is not representable as a double without rounding; send it as a string"
  }
}

extension JSON {
  /// The canonical bytes (RFC 8785, JSON Canonicalization Scheme): sorted keys, shortest numbers, no white space.
  ///
  /// - Throws: ``NotRepresentable`` where a number's exact value is not that of its shortest double (`9007199254740993`):
  ///   two parties would hash the same bytes for two different amounts.
  /// - Complexity: O(n log n) for n bytes, for the sorting of keys.
  public func canonicalBytes() throws(NotRepresentable) -> [UInt8] {
    let out = CanonicalWriter(capacity: 512)
    try out.value(self)
    return out.bytes
  }

  /// The canonical bytes with numbers rounded to the nearest double, as RFC 8785 itself has it for any JSON text.
  public func canonicalBytesRounding() -> [UInt8] {
    let out = CanonicalWriter(capacity: 512)
    do { try out.value(self, rounding: true) } catch {}  // rounding never throws
    return out.bytes
  }
}

/// Appends a string literal with the escapes of RFC 8785, section 3.2.2.2.
///
/// - Complexity: O(n) for n bytes.
public func appendQuoted(_ text: String, to output: inout [UInt8]) {
  output.append(UInt8(ascii: "\""))
  var text = text
  text.withUTF8 { bytes in
    if bytes.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      output.append(contentsOf: bytes)
      return
    }
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x08: output.append(contentsOf: "\\b".utf8)
      case 0x09: output.append(contentsOf: "\\t".utf8)
      case 0x0A: output.append(contentsOf: "\\n".utf8)
      case 0x0C: output.append(contentsOf: "\\f".utf8)
      case 0x0D: output.append(contentsOf: "\\r".utf8)
      case 0..<0x20: output.append(contentsOf: "\\u00\(hex(byte).lowercased())".utf8)
      default: output.append(byte)
      }
    }
  }
  output.append(UInt8(ascii: "\""))
}

extension JSONNumber {
  /// The number as ECMAScript prints the nearest double.
  ///
  /// - Throws: ``NotRepresentable`` unless `rounding` is set, where that text is not the exact value.
  func canonicalText(rounding: Bool) throws(NotRepresentable) -> String {
    if let value = int64, value.magnitude <= 1 << 53 { return String(value) }
    let value = double
    guard let shortest = JSONNumber(value), rounding || shortest == self else { throw NotRepresentable(number: text) }
    return shortest.ecmaScriptText
  }

  /// ECMA-262, section 6.1.6.1.20 (Number::toString), for the digits and exponent of a shortest double.
  private var ecmaScriptText: String {
    let value = decimal
    if value.digits.isEmpty { return "0" }
    let sign = value.isNegative ? "-" : ""
    let digits = String(decoding: value.digits.map { $0 + 48 }, as: UTF8.self)
    let (k, n) = (value.digits.count, value.digits.count + value.exponent)
    if k <= n, n <= 21 { return sign + digits + String(repeating: "0", count: n - k) }
    if n > 0, n <= 21 { return sign + digits.prefix(n) + "." + digits.dropFirst(n) }
    if n > -6, n <= 0 { return sign + "0." + String(repeating: "0", count: -n) + digits }
    let exponent = "e" + (n > 0 ? "+" : "-") + String(abs(n - 1))
    return sign + digits.prefix(1) + (k > 1 ? "." + digits.dropFirst() : "") + exponent
  }
}

extension JSON {
  /// The value as text for people and for `--json`: exact numbers, members in their own order.
  ///
  /// - Parameter pretty: Whether to indent by two spaces a level, or to write one line.
  /// - Returns: JSON.
  public func text(pretty: Bool = false) -> String {
    var output: [UInt8] = []
    write(into: &output, indent: pretty ? 0 : nil)
    return String(decoding: output, as: UTF8.self)
  }

  private func write(into output: inout [UInt8], indent: Int?) {
    func newline(_ level: Int?) {
      if let level { output.append(contentsOf: ("\n" + String(repeating: "  ", count: level)).utf8) }
    }
    let inner = indent.map { $0 + 1 }
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let value): output.append(contentsOf: value.text.utf8)
    case .string(let value): appendQuoted(value, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(contentsOf: (indent == nil ? ", " : ",").utf8) }
        newline(inner)
        element.write(into: &output, indent: inner)
      }
      if !elements.isEmpty { newline(indent) }
      output.append(UInt8(ascii: "]"))
    case .object(let object):
      output.append(UInt8(ascii: "{"))
      for (index, member) in object.enumerated() {
        if index > 0 { output.append(contentsOf: (indent == nil ? ", " : ",").utf8) }
        newline(inner)
        appendQuoted(member.key, to: &output)
        output.append(contentsOf: ": ".utf8)
        member.value.write(into: &output, indent: inner)
      }
      if !object.isEmpty { newline(indent) }
      output.append(UInt8(ascii: "}"))
    }
  }
}
