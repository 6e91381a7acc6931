internal import Core
internal import Glibc

/// A value that an expression reads or yields.
///
/// `==` on `CELValue` means the same type and the same value (a NaN equals itself), so that values can be kept in sets and
/// compared in tests. The language's own `==`, for which `1 == 1.0`, is ``isEqual(to:)``.
public enum CELValue: Sendable {
  /// `null`.
  case null
  /// A truth value.
  case bool(Bool)
  /// A signed integer.
  case int(Int64)
  /// An unsigned integer.
  case uint(UInt64)
  /// A double.
  case double(Double)
  /// A text.
  case string(String)
  /// A byte string.
  case bytes([UInt8])
  /// A point in time.
  case timestamp(CELTimestamp)
  /// A length of time.
  case duration(CELDuration)
  /// A list.
  case list([CELValue])
  /// A map, or an object with its fields as string keys.
  case map(CELMap)
  /// A type.
  case type(CELType)
  /// A value that may be absent; nil where it is.
  indirect case optional(CELValue?)

  /// The type of the value, without parameters: every list is a `list(dyn)`.
  public var type: CELType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .list: .list(.dyn)
    case .map: .map(.dyn, .dyn)
    case .type: .type
    case .optional: .optional(.dyn)
    }
  }

  /// The truth value, where this is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The signed integer, where this is one.
  public var intValue: Int64? { if case .int(let value) = self { value } else { nil } }
  /// The double, where this is one.
  public var doubleValue: Double? { if case .double(let value) = self { value } else { nil } }
  /// The text, where this is one.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The elements, where this is a list.
  public var listValue: [CELValue]? { if case .list(let value) = self { value } else { nil } }
  /// The map, where this is one.
  public var mapValue: CELMap? { if case .map(let value) = self { value } else { nil } }
}

extension CELValue: Hashable {
  /// Whether both have the same type and the same value.
  public static func == (a: CELValue, b: CELValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.uint(let x), .uint(let y)): x == y
    case (.double(let x), .double(let y)): x == y || (x.isNaN && y.isNaN)
    case (.string(let x), .string(let y)): sameBytes(x, y)
    case (.bytes(let x), .bytes(let y)): x == y
    case (.timestamp(let x), .timestamp(let y)): x == y
    case (.duration(let x), .duration(let y)): x == y
    case (.list(let x), .list(let y)): x == y
    case (.map(let x), .map(let y)): x == y
    case (.type(let x), .type(let y)): x == y
    case (.optional(let x), .optional(let y)): x == y
    default: false
    }
  }

  /// Feeds the value to the hasher.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .uint(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value.isNaN ? .nan : value)
    case .string(let value): hashBytes(value, into: &hasher)
    case .bytes(let value): hasher.combine(value)
    case .timestamp(let value): hasher.combine(value)
    case .duration(let value): hasher.combine(value)
    case .list(let value): hasher.combine(value)
    case .map(let value): hasher.combine(value)
    case .type(let value): hasher.combine(value)
    case .optional(let value): hasher.combine(value)
    }
  }
}

extension CELValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A signed integer.
  public init(integerLiteral value: Int64) { self = .int(value) }
  /// A double.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A list.
  public init(arrayLiteral elements: CELValue...) { self = .list(elements) }
  /// A map with text keys; of two equal keys the later one wins.
  public init(dictionaryLiteral elements: (String, CELValue)...) { self = .map(CELMap(fields: elements)) }
}

/// Whether two texts are the same bytes, at the speed of a memory comparison.
@inline(__always)
func sameBytes(_ a: String, _ b: String) -> Bool {
  let count = a.utf8.count
  if count != b.utf8.count { return false }
  let same = a.utf8.withContiguousStorageIfAvailable { x in
    b.utf8.withContiguousStorageIfAvailable { y in
      guard let p = x.baseAddress, let q = y.baseAddress else { return true }
      return memcmp(p, q, count) == 0
    }
  }
  return (same ?? nil) ?? bytesEqual(a, b)
}

/// Whether the first text comes before the second, byte for byte; that is also code point order.
func bytesPrecede(_ a: String, _ b: String) -> Bool {
  withBytes(a) { x in
    withBytes(b) { y in
      let shared = min(x.count, y.count)
      if shared > 0, let p = x.baseAddress, let q = y.baseAddress {
        let order = memcmp(p, q, shared)
        if order != 0 { return order < 0 }
      }
      return x.count < y.count
    }
  }
}

func hashBytes(_ text: String, into hasher: inout Hasher) {
  withBytes(text) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  hasher.combine(0xFF as UInt8)
}

/// Calls the body with the text's UTF-8 bytes, without a copy for texts that Swift made itself.
@inline(__always)
func withBytes<R>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
  text.utf8.withContiguousStorageIfAvailable(body) ?? Array(text.utf8).withUnsafeBufferPointer(body)
}
