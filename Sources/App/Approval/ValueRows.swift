internal import Core

/// JSON values for people, complete: a row for each leaf with its path, long and multi-line texts on as many lines as they take.
///
/// Every line of a value but its first begins with a gutter, and line feeds appear as `\n`, so that no value can look like
/// another row. The pieces of a value joined are the value as `visible` shows it, byte for byte.
struct ValueRows {
  /// The mark before the first line of a value that has lines of its own.
  static let opening = "│ "
  /// The mark before each further line.
  static let continuation = "┊ "
  /// A text of more bytes than this says how long it is.
  private static let longText = 400

  var width: Int
  var indent = 2
  private static let widestName = 24

  /// The rows of a value: under a name, or those of its members where it is an object that has any.
  func lines(_ value: JSON, name: String? = nil) -> [Shown] {
    var leaves: [(path: String, value: JSON)] = []
    if name == nil, let object = value.objectValue, !object.isEmpty {
      for (key, member) in object { flatten(member, path: Self.segment(key), into: &leaves) }
    } else {
      flatten(value, path: name ?? "value", into: &leaves)
    }
    let column = min(Self.widestName, leaves.map { displayWidth(visible($0.path)) }.max() ?? 0)
    return leaves.flatMap { row($0.path, $0.value, column: column) }
  }

  /// The rows of one leaf.
  func row(_ name: String, _ value: JSON, column: Int) -> [Shown] {
    let label = Shown(name, .accent)
    let beside = width - indent - column - 2
    let text = Self.literal(value)
    let margin = Shown.spaces(indent)
    var lines: [Shown] = []
    if label.width <= column, text.count == 1, text[0].width <= beside {
      lines = [margin + label + .spaces(column - label.width + 2) + text[0]]
    } else {
      let note = Self.note(value)
      lines = (note.isEmpty ? label : label + .spaces(2) + note).wrapped(to: width - indent).map { margin + $0 }
      let available = max(10, width - indent - 4)
      for (index, piece) in text.flatMap({ $0.cut(to: available) }).enumerated() {
        lines.append(margin + .spaces(2) + Shown(index == 0 ? Self.opening : Self.continuation, .faint) + piece)
      }
    }
    return lines + warnings(value)
  }

  /// A leaf as a literal: numbers exactly as written, texts in quotes, broken after each line feed.
  static func literal(_ value: JSON) -> [Shown] {
    guard let text = value.stringValue else { return [Shown(value.text())] }
    var lines: [Shown] = []
    var rest = text.unicodeScalars[...]
    while let feed = rest.firstIndex(of: "\n"), rest.index(after: feed) < rest.endIndex {
      lines.append(Shown(String(rest[...feed])))
      rest = rest[rest.index(after: feed)...]
    }
    lines.append(Shown(String(rest)))
    lines[0] = "\"" + lines[0]
    lines[lines.count - 1].append("\"")
    return lines
  }

  private static func note(_ value: JSON) -> Shown {
    guard let text = value.stringValue, text.utf8.count > longText else { return "" }
    let lines = text.utf8.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
    return Shown("(\(text.utf8.count) bytes, \(counted(lines, "line")); all of it follows)", .caution)
  }

  /// A line of warning for words that mix alphabets, such as a Cyrillic letter in a Latin name.
  private func warnings(_ value: JSON) -> [Shown] {
    guard let text = value.stringValue, let found = Confusables.firstMixedWord(in: text) else { return [] }
    let line: Shown = "\("look closely:", .bad) \(found.word, .strong) mixes alphabets: \(found.scalar)"
    return line.wrapped(to: width - indent - 2).map { .spaces(indent + 2) + $0 }
  }

  private func flatten(_ value: JSON, path: String, into leaves: inout [(path: String, value: JSON)]) {
    switch value {
    case .object(let object) where !object.isEmpty:
      for (key, member) in object { flatten(member, path: "\(path).\(Self.segment(key))", into: &leaves) }
    case .array(let elements) where !elements.isEmpty:
      for (index, element) in elements.enumerated() { flatten(element, path: "\(path)[\(index)]", into: &leaves) }
    default: leaves.append((path, value))
    }
  }

  /// A key as part of a path; quoted where it is no plain name, so that a dot in a key is no level.
  private static func segment(_ key: String) -> String {
    let isPlain = !key.isEmpty && key.utf8.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == 0x5F || $0 == 0x2D }
    return isPlain ? key : "\"\(key)\""
  }
}
