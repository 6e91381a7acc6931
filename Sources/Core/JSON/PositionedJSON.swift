/// A text that a person wrote, shared by the values that were read from it.
final class JSONSource: Sendable {
  let bytes: [UInt8]
  let file: String?
  private let lineStarts: [Int]

  init(bytes: [UInt8], file: String?) {
    self.bytes = bytes
    self.file = file
    lineStarts = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
  }

  /// - Complexity: O(log lines + length of the line).
  func position(at offset: Int) -> SourcePosition {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    let column = bytes[lineStarts[low]..<min(max(offset, lineStarts[low]), bytes.count)].count { $0 & 0xC0 != 0x80 } + 1
    return SourcePosition(file: file, line: low + 1, column: column, offset: offset)
  }
}

/// A value of a file that a person wrote, with the place of everything in it.
///
/// Only loaders use it: values that are
/// stored, compared or hashed carry no positions.
public struct PositionedJSON: Sendable {
  /// One member of an object.
  public struct Member: Sendable {
    /// The key.
    public let key: String
    /// Where the key stands.
    public var keyPosition: SourcePosition { value.source.position(at: keyOffset) }
    /// The value.
    public let value: PositionedJSON
    let keyOffset: Int
  }

  /// What the value is.
  public enum Value: Sendable {
    /// A null, a truth value, a number or a string.
    case scalar(JSON)
    /// An array.
    case array([PositionedJSON])
    /// An object; its keys are unique.
    case object([Member])
  }

  /// What the value is.
  public let value: Value
  let source: JSONSource
  let offset: Int

  /// Where the value begins.
  public var position: SourcePosition { source.position(at: offset) }

  /// The value without positions.
  public var json: JSON {
    switch value {
    case .scalar(let scalar): scalar
    case .array(let elements): .array(elements.map(\.json))
    case .object(let members): .object(JSONObject(unchecked: members.map { ($0.key, $0.value.json) }))
    }
  }

  /// The text, where this is a string.
  public var stringValue: String? { if case .scalar(let scalar) = value { scalar.stringValue } else { nil } }
  /// The elements, where this is an array.
  public var arrayValue: [PositionedJSON]? { if case .array(let elements) = value { elements } else { nil } }
  /// The members, where this is an object.
  public var objectValue: [Member]? { if case .object(let members) = value { members } else { nil } }

  /// The value of an object's member; nil where this is no object or has no such member.
  public subscript(key: String) -> PositionedJSON? { objectValue?.first { bytesEqual($0.key, key) }?.value }

  /// Where a byte of this string's value stands in the file, escapes taken into account.
  ///
  /// For a value that is no string it is the place of the value.
  /// - Parameter utf8Offset: A place in the string's UTF-8 bytes; the end is allowed.
  /// - Returns: The place in the file.
  public func position(inString utf8Offset: Int) -> SourcePosition {
    guard stringValue != nil else { return position }
    let bytes = source.bytes
    let quote = bytes[offset]
    var place = offset + 1
    var produced = 0
    while place < bytes.count, bytes[place] != quote, produced < utf8Offset {
      var length = 1
      if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count {
        (length, produced) = escape(at: place, produced: produced)
      } else {
        produced += 1
      }
      if produced > utf8Offset { break }
      place += length
    }
    // A line continuation produces nothing: the byte asked for stands behind it.
    while place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"), case let (length, after) = escape(at: place, produced: 0), after == 0
    {
      place += length
    }
    return source.position(at: place)
  }

  /// The length of the escape at a place, and how many bytes of the value there are after it.
  private func escape(at place: Int, produced: Int) -> (length: Int, produced: Int) {
    let bytes = source.bytes
    func unit(at start: Int, digits: Int) -> UInt32 {
      bytes[min(start, bytes.count)..<min(start + digits, bytes.count)].reduce(0) { $0 << 4 | UInt32(hexDigit($1) ?? 0) }
    }
    switch bytes[place + 1] {
    case UInt8(ascii: "u"):
      let first = unit(at: place + 2, digits: 4)
      if (0xD800..<0xDC00).contains(first) { return (12, produced + 4) }
      return (6, produced + (first < 0x80 ? 1 : first < 0x800 ? 2 : 3))
    case UInt8(ascii: "x"): return (4, produced + (unit(at: place + 2, digits: 2) < 0x80 ? 1 : 2))
    case 0x0A: return (2, produced)
    case 0x0D: return (place + 2 < bytes.count && bytes[place + 2] == 0x0A ? 3 : 2, produced)
    case 0xE2: return (4, produced)  // a backslash before U+2028 or U+2029
    default: return (2, produced + 1)
    }
  }

  /// Reads JSON5: JSON with comments, trailing commas, bare keys, single quotes, and the number and escape forms of json5.org.
  ///
  /// - Throws: ``JSONError``, also for what JSON5 allows and a file that decides should not hold: duplicate keys, lone
  ///   surrogates, Infinity and NaN.
  public static func parseJSON5(_ bytes: [UInt8], file: String? = nil, maximumDepth: Int = JSON.maximumDepth) throws(JSONError)
    -> PositionedJSON
  {
    let builder = PositionedBuilder(source: JSONSource(bytes: bytes, file: file))
    return try bytes.withUnsafeBufferPointerTyped { buffer throws(JSONError) in
      try JSONParser.parse(buffer, file: file, maximumDepth: maximumDepth, builder: builder)
    }
  }
}

private struct PositionedBuilder: JSONBuilder {
  static var isJSON5: Bool { true }
  let source: JSONSource

  func scalar(_ value: JSON, at offset: Int) -> PositionedJSON { PositionedJSON(value: .scalar(value), source: source, offset: offset) }
  func array(_ elements: [PositionedJSON], at offset: Int) -> PositionedJSON {
    PositionedJSON(value: .array(elements), source: source, offset: offset)
  }
  func object(_ members: [(key: String, keyOffset: Int, value: PositionedJSON)], at offset: Int) -> PositionedJSON? {
    guard areUnique(members.map(\.key)) else { return nil }
    let members = members.map { PositionedJSON.Member(key: $0.key, value: $0.value, keyOffset: $0.keyOffset) }
    return PositionedJSON(value: .object(members), source: source, offset: offset)
  }
}
