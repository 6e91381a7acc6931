internal import Core

/// Reads the members of one object of a file, and reports what is missing, unknown or of the wrong type.
struct ObjectReader {
  let object: PositionedJSON
  let what: String
  let sink: DiagnosticSink

  /// Reads an object that messages call `what`, such as "step `collect`", and that may have `keys` alone; `nil`, reported, where the
  /// value is no object.
  init?(_ value: PositionedJSON, _ what: String, keys: [String], _ sink: DiagnosticSink) {
    guard let members = value.objectValue else {
      sink.error("wrong-type", at: value.position, "\(what) must be an object, not \(value.kind)")
      return nil
    }
    object = value
    self.what = what
    self.sink = sink
    for member in members where !keys.contains(where: { bytesEqual($0, member.key) }) {
      sink.unknown("key", member.key, known: keys, at: member.keyPosition)
    }
  }

  subscript(key: String) -> PositionedJSON? { object[key] }

  func has(_ key: String) -> Bool { object[key] != nil }

  /// Where a key stands, else where the object begins.
  func keyPosition(_ key: String) -> SourcePosition { object.objectValue?.first { $0.key == key }?.keyPosition ?? object.position }

  private func wrong(_ key: String, _ value: PositionedJSON, _ type: String) {
    sink.error("wrong-type", at: value.position, "`\(key)` must be \(type), not \(value.kind)")
  }

  func required(_ key: String) -> PositionedJSON? {
    if let value = object[key] { return value }
    sink.error("missing-key", at: object.position, "\(what) needs `\(key)`")
    return nil
  }

  /// A text that is not empty.
  func text(_ key: String, isRequired: Bool = false) -> String? {
    guard let value = isRequired ? required(key) : object[key] else { return nil }
    guard let text = value.stringValue else {
      wrong(key, value, "a text")
      return nil
    }
    if text.isEmpty {
      sink.error("empty-text", at: value.position, "`\(key)` is empty")
      return nil
    }
    return text
  }

  /// A text that can name something: `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
  func identifier(_ key: String, isRequired: Bool = true) -> String? {
    guard let text = text(key, isRequired: isRequired), let value = object[key] else { return nil }
    return checkIdentifier(text, key, value, sink) ? text : nil
  }

  func flag(_ key: String) -> Bool? {
    guard let value = object[key] else { return nil }
    guard let flag = value.json.boolValue else {
      wrong(key, value, "true or false")
      return nil
    }
    return flag
  }

  func count(_ key: String, _ range: ClosedRange<Int64>, isRequired: Bool = false) -> Int? {
    guard let value = isRequired ? required(key) : object[key] else { return nil }
    guard let number = value.json.intValue else {
      wrong(key, value, "a whole number")
      return nil
    }
    guard range.contains(number) else {
      sink.error("out-of-range", at: value.position, "`\(key)` must be from \(range.lowerBound) to \(range.upperBound), not \(number)")
      return nil
    }
    return Int(number)
  }

  func duration(_ key: String) -> Duration? {
    guard let value = object[key] else { return nil }
    guard let text = value.stringValue else {
      wrong(key, value, "a duration such as \"P2D\"")
      return nil
    }
    guard let duration = Duration(iso8601: text), duration > .zero else {
      sink.error(
        "bad-duration", at: value.position, "`\(visible(text))` is not a duration",
        hint: "weeks, days, hours, minutes and seconds as in \"P2D\" or \"PT1H30M\"; months and years have no fixed length")
      return nil
    }
    return duration
  }

  func list(_ key: String, isRequired: Bool = false) -> [PositionedJSON]? {
    guard let value = isRequired ? required(key) : object[key] else { return nil }
    guard let list = value.arrayValue else {
      wrong(key, value, "a list")
      return nil
    }
    return list
  }

  func members(_ key: String) -> [PositionedJSON.Member] {
    guard let value = object[key] else { return [] }
    guard let members = value.objectValue else {
      wrong(key, value, "an object")
      return []
    }
    return members
  }

  /// A list of texts, with the place of each; duplicates are reported.
  func texts(_ key: String) -> [(text: String, value: PositionedJSON)] {
    var result: [(text: String, value: PositionedJSON)] = []
    for value in list(key) ?? [] {
      guard let text = value.stringValue, !text.isEmpty else {
        let kind = value.stringValue == nil ? value.kind : "an empty one"
        sink.error("wrong-type", at: value.position, "`\(key)` must hold texts, not \(kind)")
        continue
      }
      if result.contains(where: { bytesEqual($0.text, text) }) {
        sink.error("duplicate", at: value.position, "`\(visible(text))` stands twice in `\(key)`")
        continue
      }
      result.append((text, value))
    }
    return result
  }

  /// A text that is one of the known words.
  func word<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type, isRequired: Bool = false) -> T?
  where T.RawValue == String {
    guard let text = text(key, isRequired: isRequired) else { return nil }
    if let word = T.allCases.first(where: { bytesEqual($0.rawValue, text) }) { return word }
    sink.unknown(key, text, known: T.allCases.map(\.rawValue), at: object[key]?.position)
    return nil
  }
}

/// Reports a name that has a character which names cannot have, at that character.
func checkIdentifier(_ text: String, _ what: String, _ value: PositionedJSON, _ sink: DiagnosticSink) -> Bool {
  guard let place = firstIllegalByte(inIdentifier: text) else { return true }
  sink.error("bad-name", at: value.position(inString: place), identifierProblem(what, text))
  return false
}

/// The same for a key of an object, where only the key's own place is known.
func checkIdentifier(_ member: PositionedJSON.Member, _ what: String, _ sink: DiagnosticSink) -> Bool {
  guard firstIllegalByte(inIdentifier: member.key) != nil else { return true }
  sink.error("bad-name", at: member.keyPosition, identifierProblem(what, member.key))
  return false
}
