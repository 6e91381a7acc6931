internal import CEL
internal import Core

/// The types of a tool's arguments, as far as its JSON Schema says them simply.
enum ArgumentTypes {
  /// Declares an object with the properties of all schemas; a property that has different types in two of them is dynamic.
  ///
  /// - Returns: Nil when a schema is missing or leaves open which arguments there are: then they are read untyped.
  static func declare(_ schemas: [JSON?], as name: String, in environment: inout CELEnvironment) -> CELType? {
    if schemas.isEmpty { return nil }
    var names: [String] = []
    var properties: [String: [JSON]] = [:]
    for schema in schemas {
      guard let schema, let own = closedProperties(of: schema) else { return nil }
      for (key, value) in own {
        if properties[key] == nil { names.append(key) }
        properties[key, default: []].append(value)
      }
    }
    let fields = names.map { key -> (String, CELType) in
      let types = (properties[key] ?? []).map { simpleType($0) }
      guard let first = types.first, types.allSatisfy({ $0 == first }) else { return (key, .dyn) }
      guard case .object = first else { return (key, first) }
      return (key, declare(properties[key] ?? [], as: "\(name).\(key)", in: &environment) ?? .dyn)
    }
    environment.declareObject(name, fields: fields)
    return .object(name)
  }

  /// The properties of an object schema that allows no others; a schema that does not mention others counts as one.
  private static func closedProperties(of schema: JSON) -> JSONObject? {
    guard schema["type"]?.stringValue == "object", let properties = schema["properties"]?.objectValue, schema["patternProperties"] == nil,
      !combines(schema)
    else { return nil }
    if let others = schema["additionalProperties"], others.boolValue != false { return nil }
    return properties
  }

  /// The type of a value that a schema describes; dynamic when it is not said by `type` alone.
  ///
  /// Objects answer `.object("")`.
  private static func simpleType(_ schema: JSON) -> CELType {
    if combines(schema) { return .dyn }
    switch schema["type"]?.stringValue {
    case "string": return .string
    case "integer": return .int
    case "number": return .double
    case "boolean": return .bool
    case "array":
      let element = schema["items"].map { simpleType($0) } ?? .dyn
      // Objects in lists stay dynamic: their members are read by path only where the path begins at a name.
      if case .object = element { return .list(.dyn) }
      return .list(element)
    case "object": return closedProperties(of: schema) == nil ? .map(.string, .dyn) : .object("")
    default:
      guard let values = schema["enum"]?.arrayValue, !values.isEmpty, values.allSatisfy({ $0.stringValue != nil }) else { return .dyn }
      return .string
    }
  }

  private static func combines(_ schema: JSON) -> Bool {
    ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if"].contains { schema[$0] != nil }
  }
}
