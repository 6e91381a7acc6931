/// A JSON value.
///
/// Equality is by bytes for strings, by exact value for numbers, and in any member order for objects.
public enum JSON: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number, exact.
  case number(JSONNumber)
  /// A string.
  case string(String)
  /// An array.
  case array([JSON])
  /// An object.
  case object(JSONObject)

  /// An integer.
  public static func int(_ value: Int) -> JSON { .number(JSONNumber(value)) }
  /// An integer.
  public static func int(_ value: Int64) -> JSON { .number(JSONNumber(value)) }

  /// The text, where this is a string.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth value, where this is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The number, where this is one.
  public var numberValue: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  /// The integer, where this is a number that is one and fits in 64 bits.
  public var intValue: Int64? { numberValue?.int64 }
  /// The elements, where this is an array.
  public var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
  /// The members, where this is an object.
  public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether this is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// The value of an object's member; nil where this is no object or has no such member.
  public subscript(key: String) -> JSON? { objectValue?[key] }

  /// The name of the value's type as JSON Schema says it; `integer` for numbers without a fraction.
  public var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .number(let value): value.isInteger ? "integer" : "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

extension JSON: Hashable {
  /// Whether both are the same value.
  public static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): bytesEqual(x, y)
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)): x == y
    default: false
    }
  }

  /// Feeds the value to the hasher.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value)
    case .string(let value): hasher.combine(ExactString(value))
    case .array(let value): hasher.combine(value)
    case .object(let value): hasher.combine(value)
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A number.
  public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
  /// A number.
  public init(floatLiteral value: Double) { self = JSONNumber(value).map(JSON.number) ?? .null }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// An array.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// An object.
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
}
