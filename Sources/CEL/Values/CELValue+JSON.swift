public import Core

/// A value that has no JSON form, or a JSON value that is not of the declared type.
///
/// Messages show types, never values.
public struct CELBridgingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What does not fit.
  public var message: String

  /// What does not fit.
  public var description: String { message }
}

extension CELValue {
  /// Makes a value of a declared type from JSON.
  ///
  /// A `double` takes every number and an `int` those without a fraction; for `dyn`, numbers without a fraction that fit become
  /// integers and all others doubles. Objects become maps with text keys. A `timestamp` is an RFC 3339 text, a `duration` a text
  /// such as `90s`, and `bytes` are base64. `null` is null for every type. The fields of declared objects take the types that
  /// they are declared with only from ``CELEnvironment/value(_:as:)``; here they are `dyn`.
  ///
  /// - Throws: ``CELBridgingError`` where the JSON is not of the type.
  /// - Complexity: O(n) for n values.
  public init(json: JSON, as type: CELType = .dyn) throws(CELBridgingError) {
    self = try JSONBridge(objects: [:]).value(json, type)
  }

  /// The value as JSON: times, lengths and byte strings as the texts that ``init(json:as:)`` reads.
  ///
  /// - Throws: ``CELBridgingError`` for types, optionals, infinities, NaNs, and maps whose keys are not all texts.
  /// - Complexity: O(n) for n values.
  public func json() throws(CELBridgingError) -> JSON {
    switch self {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .number(JSONNumber(value))
    case .uint(let value): return .number(JSONNumber(value))
    case .double(let value):
      guard let number = JSONNumber(value) else { throw CELBridgingError(message: "an infinity or NaN has no JSON form") }
      return .number(number)
    case .string(let text): return .string(text)
    case .bytes(let bytes): return .string(Base64.encode(bytes))
    case .timestamp(let time): return .string(time.description)
    case .duration(let length): return .string(length.description)
    case .list(let elements):
      var values: [JSON] = []
      values.reserveCapacity(elements.count)
      for element in elements { values.append(try element.json()) }
      return .array(values)
    case .map(let map):
      var object = JSONObject()
      for (key, value) in map.entries {
        guard case .string(let name) = key else { throw CELBridgingError(message: "a map with keys that are not texts has no JSON form") }
        object[name] = try value.json()
      }
      return .object(object)
    case .type, .optional: throw CELBridgingError(message: "a value of type `\(type.runtimeName)` has no JSON form")
    }
  }
}
