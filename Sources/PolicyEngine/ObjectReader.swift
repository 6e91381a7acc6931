internal import Core

/// Collects what is wrong with a file, so that one reading reports everything.
struct Problems {
  private(set) var all: [Diagnostic] = []

  mutating func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }
  mutating func add(_ code: String, at position: SourcePosition?, _ message: String, hint: String? = nil) {
    all.append(Diagnostic(code, at: position, message, hint: hint))
  }
  mutating func add(contentsOf diagnostics: [Diagnostic]) { all.append(contentsOf: diagnostics) }

  var errors: [Diagnostic] { all.filter { $0.severity == .error } }
  var warnings: [Diagnostic] { all.filter { $0.severity == .warning } }
}

/// Reads the members of an object that a person wrote: each known key at most once, unknown ones reported with the nearest known one.
struct ObjectReader {
  let position: SourcePosition
  private let members: [PositionedJSON.Member]

  /// Nil, with a problem reported, when the value is no object.
  ///
  /// Unknown keys are reported at once.
  init?(_ value: PositionedJSON, _ what: String, keys: [String], _ problems: inout Problems) {
    guard let members = value.objectValue else {
      problems.add("wrong-type", at: value.position, "\(what) is an object, here it is \(value.kind)")
      return nil
    }
    self.members = members
    position = value.position
    for member in members where !keys.contains(where: { bytesEqual($0, member.key) }) {
      problems.add(.unknown("key", member.key, known: keys, at: member.keyPosition))
    }
  }

  subscript(key: String) -> PositionedJSON? { members.first { bytesEqual($0.key, key) }?.value }
  func keyPosition(_ key: String) -> SourcePosition? { members.first { bytesEqual($0.key, key) }?.keyPosition }

  /// The text of a key; nil when it is absent, and with a problem when it is something else, empty or too long.
  func text(_ key: String, maximumBytes: Int = 4096, _ problems: inout Problems) -> String? {
    guard let value = self[key] else { return nil }
    return value.text("`\(key)`", maximumBytes: maximumBytes, &problems)
  }

  /// One text or a list of texts, with their places; empty when the key is absent.
  func texts(_ key: String, _ problems: inout Problems) -> [(text: String, place: PositionedJSON)] {
    guard let value = self[key] else { return [] }
    guard let elements = value.arrayValue else {
      return value.text("`\(key)`", maximumBytes: 256, &problems).map { [($0, value)] } ?? []
    }
    if elements.isEmpty { problems.add("empty-list", at: value.position, "`\(key)` is an empty list") }
    if elements.count > 1024 {
      problems.add("too-long", at: value.position, "`\(key)` has \(elements.count) elements; at most 1024 can be used")
    }
    var texts: [(String, PositionedJSON)] = []
    for element in elements.prefix(1024) {
      guard let text = element.text("an element of `\(key)`", maximumBytes: 256, &problems) else { continue }
      if texts.contains(where: { bytesEqual($0.0, text) }) {
        problems.add("duplicate", at: element.position, "`\(key)` names `\(visible(text))` twice")
      } else {
        texts.append((text, element))
      }
    }
    return texts
  }
}

extension PositionedJSON {
  /// What the value is, with its article, for messages.
  var kind: String {
    switch value {
    case .array: "an array"
    case .object: "an object"
    case .scalar(.null): "null"
    case .scalar(.bool): "a truth value"
    case .scalar(.number): "a number"
    case .scalar: "a string"
    }
  }

  func text(_ what: String, maximumBytes: Int, _ problems: inout Problems) -> String? {
    guard let text = stringValue else {
      problems.add("wrong-type", at: position, "\(what) is a string, here it is \(kind)")
      return nil
    }
    if text.isEmpty {
      problems.add("empty", at: position, "\(what) is empty")
      return nil
    }
    if text.utf8.count > maximumBytes {
      problems.add("too-long", at: position, "\(what) has \(text.utf8.count) bytes; at most \(maximumBytes) can be used")
      return nil
    }
    return text
  }

  func integer(_ what: String, in range: ClosedRange<Int>, _ problems: inout Problems) -> Int? {
    if case .scalar(let scalar) = value, let number = scalar.intValue, let small = Int(exactly: number), range.contains(small) {
      return small
    }
    problems.add("wrong-type", at: position, "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }
}
