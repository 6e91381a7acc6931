internal import Core

/// Which schemas endpoints accept with `strict: true`: every object closed, every property required, and only the common keywords.
enum StrictSchema {
  private static let keywords: Set<String> = [
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "description", "title", "anyOf",
  ]

  static func qualifies(_ schema: JSON, depth: Int = 0) -> Bool {
    guard depth < 8, let object = schema.objectValue, object.allSatisfy({ keywords.contains($0.key) }) else { return false }
    // A schema that allows everything cannot be enforced.
    guard object["type"] != nil || object["anyOf"] != nil || object["enum"] != nil || object["const"] != nil else { return false }
    if let alternatives = object["anyOf"] {
      guard depth > 0, let list = alternatives.arrayValue, !list.isEmpty, list.allSatisfy({ qualifies($0, depth: depth + 1) }) else {
        return false
      }
    }
    if let items = object["items"], !qualifies(items, depth: depth + 1) { return false }
    let isObject = object["type"] == "object" || object["properties"] != nil
    guard isObject else { return object["type"] != "array" || object["items"] != nil }
    guard object["additionalProperties"] == false, let properties = object["properties"]?.objectValue else { return false }
    let required = Set((object["required"]?.arrayValue ?? []).compactMap(\.stringValue))
    return properties.allSatisfy { required.contains($0.key) && qualifies($0.value, depth: depth + 1) }
  }
}
