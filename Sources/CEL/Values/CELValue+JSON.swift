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
  /// such as `90s`, and `bytes` are base64. `null` is null for every type.
  ///
  /// - Throws: ``CELBridgingError`` where the JSON is not of the type.
  /// - Complexity: O(n) for n values.
  public init(json: JSON, as type: CELType = .dyn) throws(CELBridgingError) {
    func wrong() -> CELBridgingError { CELBridgingError(message: "a JSON \(json.typeName) cannot be of type `\(type)`") }
    if case .optional(let wrapped) = type {
      self = .optional(json.isNull ? nil : try CELValue(json: json, as: wrapped))
      return
    }
    switch json {
    case .null: self = .null
    case .bool(let value):
      guard type == .bool || type.isDynamic else { throw wrong() }
      self = .bool(value)
    case .number(let number):
      guard let value = CELValue(number: number, as: type) else { throw wrong() }
      self = value
    case .string(let text):
      switch type {
      case .string, .dyn, .error: self = .string(text)
      case .timestamp:
        guard let time = CELTimestamp(text) else { throw wrong() }
        self = .timestamp(time)
      case .duration:
        guard let length = CELDuration(text) else { throw wrong() }
        self = .duration(length)
      case .bytes:
        guard let bytes = Base64.decode(text) else { throw wrong() }
        self = .bytes(bytes)
      default: throw wrong()
      }
    case .array(let elements):
      let elementType: CELType
      switch type {
      case .list(let element): elementType = element
      case .dyn, .error: elementType = .dyn
      default: throw wrong()
      }
      var values: [CELValue] = []
      values.reserveCapacity(elements.count)
      for element in elements { values.append(try CELValue(json: element, as: elementType)) }
      self = .list(values)
    case .object(let object):
      let valueType: CELType
      switch type {
      case .map(.string, let value), .map(.dyn, let value): valueType = value
      case .object, .dyn, .error: valueType = .dyn
      default: throw wrong()
      }
      var map = CELMap()
      for (key, value) in object { map[.string(key)] = try CELValue(json: value, as: valueType) }
      self = .map(map)
    }
  }

  /// A number as a declared type. Kept apart from ``init(json:as:)``: the 6.3.1 optimiser crashes on both in one function.
  @inline(never)
  private init?(number: JSONNumber, as type: CELType) {
    switch type {
    case .double: self = .double(number.double)
    case .int:
      guard let value = number.int64 else { return nil }
      self = .int(value)
    case .uint:
      guard number.isInteger, let value = UInt64(number.text) else { return nil }
      self = .uint(value)
    case .dyn, .error:
      if let value = number.int64 { self = .int(value) } else { self = .double(number.double) }
    default: return nil
    }
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
