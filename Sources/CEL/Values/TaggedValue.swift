public import Core

/// Values and types as the language's conformance suite writes them in JSON: each with its type beside it, so that `1`, `1u` and `1.0`
/// differ.
///
/// `{"int": "1"}`, `{"uint": "1"}`, `{"double": "1.5"}` (also `NaN`, `Infinity`), `{"string": "a"}`, `{"bytes": "YQ=="}`, `{"bool": true}`,
/// `{"null": null}`, `{"list": […]}`, `{"map": [[key, value], …]}`, `{"type": "int"}`; and, for values that the suite compares only
/// within expressions, `{"timestamp": "2026-01-01T10:00:00Z"}`, `{"duration": "90s"}`, `{"optional": value or null}`.
extension CELValue {
  /// Reads a value with its type.
  ///
  /// - Throws: ``CELBridgingError`` for anything that is no such value.
  /// - Complexity: O(n) for n values.
  public init(tagged json: JSON) throws(CELBridgingError) {
    guard let object = json.objectValue, object.count == 1, let (tag, content) = object.first.map({ ($0.key, $0.value) }) else {
      throw CELBridgingError(message: "a tagged value is an object with one key, such as {\"int\": \"1\"}; this is \(json.typeName)")
    }
    guard let value = try Self.value(tag, content) else {
      throw CELBridgingError(message: "a JSON \(content.typeName) here is no value of type `\(visible(tag))`")
    }
    self = value
  }

  private static func value(_ tag: String, _ content: JSON) throws(CELBridgingError) -> CELValue? {
    let text = content.stringValue
    switch tag {
    case "null": return content.isNull ? .null : nil
    case "bool": return content.boolValue.map { .bool($0) }
    case "int": return text.flatMap { Int64($0) }.map { .int($0) }
    case "uint": return text.flatMap { UInt64($0) }.map { .uint($0) }
    case "double": return text.flatMap { Double($0) }.map { .double($0) }
    case "string": return text.map { .string($0) }
    case "bytes": return text.flatMap { Base64.decode($0) }.map { .bytes($0) }
    case "timestamp": return text.flatMap { CELTimestamp($0) }.map { .timestamp($0) }
    case "duration": return text.flatMap { CELDuration($0) }.map { .duration($0) }
    case "type": return text.flatMap { CELType(runtimeName: $0) }.map { .type($0) }
    case "optional": return content.isNull ? .optional(nil) : .optional(try CELValue(tagged: content))
    case "list":
      guard let elements = content.arrayValue else { return nil }
      return .list(try elements.map { json throws(CELBridgingError) in try CELValue(tagged: json) })
    case "map": return try content.arrayValue.map { pairs throws(CELBridgingError) in .map(try map(pairs)) }
    default: throw CELBridgingError(message: "there is no type `\(visible(tag))` of tagged values")
    }
  }

  private static func map(_ pairs: [JSON]) throws(CELBridgingError) -> CELMap {
    var map = CELMap()
    for pair in pairs {
      guard let sides = pair.arrayValue, sides.count == 2, let key = CELMap.Key(try CELValue(tagged: sides[0])), map[key] == nil else {
        throw CELBridgingError(message: "an entry of a tagged map is a pair of a key, found once, and a value")
      }
      map[key] = try CELValue(tagged: sides[1])
    }
    return map
  }

  /// The value with its type, as ``init(tagged:)`` reads it.
  ///
  /// - Complexity: O(n) for n values.
  public var tagged: JSON {
    switch self {
    case .null: ["null": .null]
    case .bool(let value): ["bool": .bool(value)]
    case .int(let value): ["int": .string(String(value))]
    case .uint(let value): ["uint": .string(String(value))]
    case .double(let value) where value.isInfinite: ["double": .string(value < 0 ? "-Infinity" : "Infinity")]
    case .double(let value): ["double": .string(value.isNaN ? "NaN" : "\(value)")]
    case .string(let text): ["string": .string(text)]
    case .bytes(let bytes): ["bytes": .string(Base64.encode(bytes))]
    case .timestamp(let time): ["timestamp": .string(time.description)]
    case .duration(let length): ["duration": .string(length.description)]
    case .list(let elements): ["list": .array(elements.map(\.tagged))]
    case .map(let map): ["map": .array(map.entries.map { .array([$0.key.value.tagged, $0.value.tagged]) })]
    case .type(let type): ["type": .string(type.runtimeName)]
    case .optional(let value): ["optional": value?.tagged ?? .null]
    }
  }
}

extension CELType {
  /// The type that ``runtimeName`` names; nil where no value has that type.
  init?(runtimeName name: String) {
    let all: [CELType] = [
      .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .list(.dyn), .map(.dyn, .dyn), .type, .optional(.dyn),
    ]
    guard let type = all.first(where: { $0.runtimeName == name }) else { return nil }
    self = type
  }

  /// Reads a type as the conformance suite writes it in declarations: `{"primitive": "INT64"}`, `{"list_type": {"elem_type": …}}`.
  ///
  /// - Throws: ``CELBridgingError`` for anything else, abstract types other than `optional_type` among them.
  public init(tagged json: JSON) throws(CELBridgingError) {
    func part(_ json: JSON?) throws(CELBridgingError) -> CELType {
      guard let json else { return .dyn }
      return try CELType(tagged: json)
    }
    let (kind, content) = json.objectValue?.first.map { ($0.key, $0.value) } ?? ("", .null)
    switch kind {
    case "primitive":
      let names: [String: CELType] = ["BOOL": .bool, "INT64": .int, "UINT64": .uint, "DOUBLE": .double, "STRING": .string, "BYTES": .bytes]
      guard let type = names[content.stringValue ?? ""] else { throw Self.unknown }
      self = type
    case "null": self = .null
    case "dyn": self = .dyn
    case "list_type": self = .list(try part(content["elem_type"]))
    case "map_type": self = .map(try part(content["key_type"]), try part(content["value_type"]))
    case "type_param": self = .parameter(content.stringValue ?? "")
    case "abstract_type" where content["name"] == "optional_type":
      self = .optional(try part(content["parameter_types"]?.arrayValue?.first))
    default: throw Self.unknown
    }
  }

  private static var unknown: CELBridgingError { CELBridgingError(message: "a declaration has a type that is not known here") }
}
