internal import CEL
internal import Core

/// The types of a tool's arguments, as far as its JSON Schema says them simply.
enum ArgumentTypes {
  /// The type of a value that all these schemas describe: one value may be the argument of several tools.
  ///
  /// Objects with known members become declared objects under the name, with those of all schemas. A value of which the schemas say
  /// different things, or nothing simple, is dynamic.
  static func type(_ schemas: [JSON], named name: String, in environment: inout CELEnvironment) -> CELType {
    let kinds = schemas.map { kind($0) }
    guard let kind = kinds.first, kinds.allSatisfy({ $0 == kind }) else { return .dyn }
    switch kind {
    case .string: return .string
    case .integer: return .int
    case .number: return .double
    case .boolean: return .bool
    case .array:
      let elements = schemas.map { $0["items"] ?? .bool(true) }
      return .list(type(elements, named: "elements of \(name)", in: &environment))
    case .object:
      var names: [String] = []
      var members: [ExactString: [JSON]] = [:]
      for schema in schemas {
        for (key, value) in schema["properties"]?.objectValue ?? JSONObject() {
          if members[ExactString(key)] == nil { names.append(key) }
          members[ExactString(key), default: []].append(value)
        }
      }
      let fields = names.map { key in
        (key, type(members[ExactString(key)] ?? [], named: "\(name).\(key)", in: &environment))
      }
      environment.declareObject(name, fields: fields)
      return .object(name)
    case .map: return .map(.string, .dyn)
    case .open: return .dyn
    }
  }

  private enum Kind { case string, integer, number, boolean, array, object, map, open }

  /// What a schema says by its `type` alone.
  private static func kind(_ schema: JSON) -> Kind {
    let combining = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if"]
    guard let members = schema.objectValue, !combining.contains(where: { members[$0] != nil }) else { return .open }
    switch members["type"]?.stringValue {
    case "string": return .string
    case "integer": return .integer
    case "number": return .number
    case "boolean": return .boolean
    case "array": return members["prefixItems"] == nil ? .array : .open
    case "object":
      // A schema that does not mention other members counts as one without: a misspelt name is found, and the gate refuses what is unknown.
      let isClosed = members["additionalProperties"].map { $0.boolValue == false } ?? true
      return isClosed && members["properties"]?.objectValue != nil && members["patternProperties"] == nil ? .object : .map
    default:
      guard let values = members["enum"]?.arrayValue, !values.isEmpty, values.allSatisfy({ $0.stringValue != nil }) else { return .open }
      return .string
    }
  }
}
