/// The type of an expression or a value.
///
/// Typing is gradual: ``dyn`` stands for a type that is known only at evaluation, and agrees with every other.
public indirect enum CELType: Hashable, Sendable {
  /// Any type; checked at evaluation.
  case dyn
  /// The type of `null`.
  case null
  /// `true` and `false`.
  case bool
  /// 64-bit signed integers.
  case int
  /// 64-bit unsigned integers.
  case uint
  /// IEEE 754 doubles.
  case double
  /// Unicode text; identity is by bytes, size in code points.
  case string
  /// Byte strings.
  case bytes
  /// Points in time, in the years 1 to 9999, to the nanosecond.
  case timestamp
  /// Lengths of time, in whole nanoseconds.
  case duration
  /// A list of elements of one type.
  case list(CELType)
  /// A map from keys of one type to values of one type.
  case map(CELType, CELType)
  /// A declared object, by name: its fields are known.
  case object(String)
  /// The type of types.
  case type
  /// A value that may be absent.
  case optional(CELType)
  /// A type parameter in the signature of a declared function, such as `T`.
  case parameter(String)
  /// The type of an expression in which an error was reported already; agrees with every other.
  case error

  /// The type that `type(x)` answers: without its parameters, because these are not kept with values.
  var erased: CELType {
    switch self {
    case .list: .list(.dyn)
    case .map: .map(.dyn, .dyn)
    case .optional: .optional(.dyn)
    default: self
    }
  }

  /// Whether nothing is known before evaluation.
  var isDynamic: Bool {
    switch self {
    case .dyn, .error: true
    default: false
    }
  }
}

extension CELType: CustomStringConvertible {
  /// The type as people write it: `map(string, int)`.
  public var description: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .list(let element): "list(\(element))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .object(let name): name
    case .type: "type"
    case .optional(let wrapped): "optional_type(\(wrapped))"
    case .parameter(let name): name
    case .error: "error"
    }
  }

  /// The name under which `type(x)` shows the type, without parameters: `google.protobuf.Timestamp`, `list`.
  public var runtimeName: String {
    switch self {
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .map: "map"
    case .optional: "optional_type"
    default: description
    }
  }
}
