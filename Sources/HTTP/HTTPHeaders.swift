/// The header fields of a message, in the order in which they were sent.
///
/// Names are compared without regard to case, as HTTP asks for.
public struct HTTPHeaders: Hashable, Sendable {
  /// One header line.
  public struct Field: Hashable, Sendable {
    /// The name as it was written.
    public var name: String
    /// The value without the white space around it.
    public var value: String

    /// A field with this name and value.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// All fields, repeated names included.
  public private(set) var fields: [Field]

  /// Headers with these fields.
  public init(_ fields: [Field] = []) { self.fields = fields }

  /// The first value of this name.
  ///
  /// Setting replaces every field of that name; `nil` removes them.
  ///
  /// - Complexity: O(n) in the number of fields.
  public subscript(name: String) -> String? {
    get { fields.first { sameName($0.name, name) }?.value }
    set {
      guard let newValue else {
        fields.removeAll { sameName($0.name, name) }
        return
      }
      if let first = fields.firstIndex(where: { sameName($0.name, name) }) {
        fields[first].value = newValue
        let rest = fields.index(after: first)
        fields[rest...].removeAll { sameName($0.name, name) }
      } else {
        fields.append(Field(name: name, value: newValue))
      }
    }
  }

  /// Adds a field and keeps those of the same name.
  public mutating func append(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
  /// Headers in the order of the literal.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { Field(name: $0.0, value: $0.1) })
  }
}

extension HTTPHeaders {
  /// The fields of the last header block in `bytes`; earlier blocks are those of interim (1xx) answers and of proxies.
  init(lastBlockOf bytes: [UInt8]) {
    var fields: [Field] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: "HTTP/".utf8) {
        fields.removeAll(keepingCapacity: true)
        continue
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let value = line[line.index(after: colon)...]
      fields.append(
        Field(name: String(decoding: trimmed(line[..<colon]), as: UTF8.self), value: String(decoding: trimmed(value), as: UTF8.self)))
    }
    self.init(fields)
  }
}

/// Whether two header names are the same: ASCII letters without regard to case, other bytes as they are.
func sameName(_ a: String, _ b: String) -> Bool {
  a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lowered($0) == lowered($1) }
}

private func lowered(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }

private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  let isSpace = { (byte: UInt8) in byte == 32 || byte == 9 || byte == 13 }
  guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
  return bytes[first...last]
}
