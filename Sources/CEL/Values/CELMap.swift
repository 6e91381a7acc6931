/// A map from truth values, integers or texts to values, in the order in which it was written.
///
/// Keys of different number types that are mathematically equal are the same key, so `{1: 'a'}[1u]` finds `a`.
public struct CELMap: Sendable {
  /// A key of a map.
  public enum Key: Sendable {
    /// A truth value.
    case bool(Bool)
    /// A signed integer.
    case int(Int64)
    /// An unsigned integer.
    case uint(UInt64)
    /// A text, compared by its bytes.
    case string(String)

    /// The key as a value.
    public var value: CELValue {
      switch self {
      case .bool(let value): .bool(value)
      case .int(let value): .int(value)
      case .uint(let value): .uint(value)
      case .string(let value): .string(value)
      }
    }

    /// The key that a value is; nil for types that are no keys.
    ///
    /// A double is a key where it is an integer.
    public init?(_ value: CELValue) {
      switch value {
      case .bool(let value): self = .bool(value)
      case .int(let value): self = .int(value)
      case .uint(let value): self = .uint(value)
      case .string(let value): self = .string(value)
      case .double(let value):
        if let integer = Int64(exactly: value) {
          self = .int(integer)
        } else if let integer = UInt64(exactly: value) {
          self = .uint(integer)
        } else {
          return nil
        }
      default: return nil
      }
    }
  }

  /// The entries, in the order in which they were written.
  public private(set) var entries: [(key: Key, value: CELValue)] = []
  /// From key to place, kept only where a linear search would be slow.
  private var index: [Key: Int]?
  private static let indexedFrom = 9

  /// A map without entries.
  public init() {}

  /// Makes a map with text keys; of two equal keys the later one wins.
  public init(fields: some Sequence<(String, CELValue)>) {
    for (name, value) in fields { self[.string(name)] = value }
  }

  /// The number of entries.
  public var count: Int { entries.count }
  /// Whether there are no entries.
  public var isEmpty: Bool { entries.isEmpty }

  /// The value of a key, or nil.
  ///
  /// Assigning nil changes nothing: entries are never removed.
  ///
  /// - Complexity: O(1) for large maps, at most 8 comparisons for small ones.
  public subscript(key: Key) -> CELValue? {
    get { place(of: key).map { entries[$0].value } }
    set {
      guard let newValue else { return }
      if let place = place(of: key) {
        entries[place].value = newValue
      } else {
        entries.append((key, newValue))
        if index != nil {
          index?[key] = entries.count - 1
        } else if entries.count >= Self.indexedFrom {
          index = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.key, $0) })
        }
      }
    }
  }

  /// The value of a text key, or nil.
  public subscript(field name: String) -> CELValue? {
    if index == nil {
      for entry in entries { if case .string(let key) = entry.key, sameBytes(key, name) { return entry.value } }
      return nil
    }
    return self[.string(name)]
  }

  /// Whether the map has the key.
  func contains(_ key: Key) -> Bool { place(of: key) != nil }

  private func place(of key: Key) -> Int? {
    if let index { return index[key] }
    return entries.firstIndex { $0.key == key }
  }
}

extension CELMap.Key: Hashable {
  /// Whether both are the same key: numbers by value, whatever their type.
  public static func == (a: CELMap.Key, b: CELMap.Key) -> Bool {
    switch (a, b) {
    case (.string(let x), .string(let y)): sameBytes(x, y)
    case (.int(let x), .int(let y)): x == y
    case (.uint(let x), .uint(let y)): x == y
    case (.int(let x), .uint(let y)), (.uint(let y), .int(let x)): x >= 0 && UInt64(x) == y
    case (.bool(let x), .bool(let y)): x == y
    default: false
    }
  }

  /// Feeds the key to the hasher; equal numbers of different types alike.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(UInt64(bitPattern: value))
    case .uint(let value): hasher.combine(value)
    case .string(let value): hashBytes(value, into: &hasher)
    }
  }
}

extension CELMap: Hashable {
  /// Whether both have the same keys with values of the same type and value, in any order.
  public static func == (a: CELMap, b: CELMap) -> Bool {
    a.count == b.count && a.entries.allSatisfy { key, value in b[key] == value }
  }

  /// Feeds all entries to the hasher, independent of their order.
  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for (key, value) in entries {
      var entry = Hasher()
      entry.combine(key)
      entry.combine(value)
      sum &+= entry.finalize()
    }
    hasher.combine(sum)
  }
}
