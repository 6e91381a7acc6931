extension SchemaEvaluator {
  /// The longest member name that is repeated in full, in UTF-8 bytes.
  static let maximumShownName = 128

  /// RFC 6901; names that are longer than ``maximumShownName`` are cut and end in `…`.
  static func pointer(_ path: [PathElement]) -> String {
    path.map { element in
      switch element {
      case .key(let key): JSONPointer.token(clipped(key, to: maximumShownName))
      case .index(let index): JSONPointer.token(index)
      }
    }.joined()
  }

  /// `` `items[0].price` ``, or the subject for the value as a whole.
  static func name(_ path: [PathElement], subject: String) -> String {
    if path.isEmpty { return subject }
    var name = ""
    for element in path {
      switch element {
      case .index(let index): name += "[\(index)]"
      case .key(let key) where isPlain(key): name += name.isEmpty ? key : ".\(key)"
      case .key(let key): name += "[\"\(shown(key))\"]"
      }
    }
    return "`\(name)`"
  }

  private static func isPlain(_ key: String) -> Bool {
    !key.isEmpty && key.utf8.count <= maximumShownName
      && key.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5F || $0 == 0x2D }
  }

  /// A member's name from the value, made harmless.
  static func shown(_ key: String) -> String { clipped(visible(key), to: maximumShownName) }

  /// What a value is, told apart from what it should be.
  static func kind(_ value: JSON, besides types: SchemaTypes) -> String {
    if case .number = value, types.contains(.integer) { return "a number with a fraction" }
    return value.described
  }

  /// A value that the schema names.
  static func quoted(_ value: JSON) -> String { "`\(clipped(visible(value.text(pretty: false))))`" }

  /// `` one of `"low"`, `"high"` ``, with the one that was probably meant.
  static func listed(_ values: [JSON], for value: JSON) -> String {
    guard let first = values.first else { return "one of no values at all" }
    if values.count == 1 { return quoted(first) }
    let shown = values.prefix(12).map(quoted).joined(separator: ", ")
    let rest = values.count > 12 ? ", … (\(values.count) in all)" : ""
    let near = value.stringValue.flatMap { nearestName(to: $0, in: values.compactMap(\.stringValue)) }
    return "one of \(shown)\(rest)" + (near.map { "; did you mean \(quoted(.string($0)))?" } ?? "")
  }
}

/// `1 item`, `2 items`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The text, or its start and `…` where it is longer than so many UTF-8 bytes.
func clipped(_ text: String, to limit: Int = 200) -> String {
  if text.utf8.count <= limit { return text }
  var short = ""
  for scalar in text.unicodeScalars {
    if short.utf8.count + String(scalar).utf8.count > limit - 3 { break }
    short.unicodeScalars.append(scalar)
  }
  return short + "…"
}
