/// One attribute of many cases or events: who has it, and the values, of one type.
public struct AttributeColumn: Sendable {
  /// How the values are kept.
  enum Kind: UInt8 {
    case text, id, time, integer, number, flag
    /// Whatever has attributes of its own, or is a list or a container.
    case tree
  }

  /// What the attribute is called.
  public let key: String
  let kind: Kind
  /// Numbers of the cases or events that have a value, ascending.
  private(set) var owners: [UInt32] = []
  /// Text numbers, or flags.
  private var small: [UInt32] = []
  /// Milliseconds, integers, or the bits of numbers.
  private var large: [Int64] = []
  private var trees: [LogAttribute] = []

  init(_ key: String, _ kind: Kind) {
    self.key = key
    self.kind = kind
  }

  /// How many have a value.
  public var count: Int { owners.count }

  /// Adds a text's number, or a flag.
  @inline(__always)
  mutating func append(_ value: UInt32, to owner: UInt32) {
    owners.append(owner)
    small.append(value)
  }

  /// Adds milliseconds, an integer, or the bits of a number.
  @inline(__always)
  mutating func append(_ value: Int64, to owner: UInt32) {
    owners.append(owner)
    large.append(value)
  }

  mutating func append(_ value: LogAttribute, to owner: UInt32) {
    owners.append(owner)
    trees.append(value)
  }

  /// The row of an owner, if it has a value.
  func row(of owner: UInt32) -> Int? {
    var (low, high) = (0, owners.count)
    while low < high {
      let middle = (low + high) / 2
      if owners[middle] < owner { low = middle + 1 } else { high = middle }
    }
    return low < owners.count && owners[low] == owner ? low : nil
  }

  func attribute(_ row: Int, _ texts: NameTable) -> LogAttribute {
    switch kind {
    case .text: LogAttribute(key, .text(texts.string(Int(small[row]))))
    case .id: LogAttribute(key, .id(texts.string(Int(small[row]))))
    case .flag: LogAttribute(key, .flag(small[row] != 0))
    case .time: LogAttribute(key, .moment(large[row]))
    case .integer: LogAttribute(key, .integer(large[row]))
    case .number: LogAttribute(key, .number(Double(bitPattern: UInt64(bitPattern: large[row]))))
    case .tree: trees[row]
    }
  }

  /// The column with every owner under a new number.
  ///
  /// - Parameter numbers: The new number by old number; all different.
  /// - Returns: The same values, in order of the new numbers.
  /// - Complexity: O(rows + numbers) where most have a value, else O(rows log rows).
  func renumbered(_ numbers: [UInt32]) -> AttributeColumn {
    var order: [UInt32]
    if owners.count > numbers.count / 16 {
      var rows = [UInt32](repeating: .max, count: numbers.count)
      for row in 0..<owners.count { rows[Int(numbers[Int(owners[row])])] = UInt32(row) }
      order = rows.filter { $0 != .max }
    } else {
      order = (0..<UInt32(owners.count)).sorted { numbers[Int(owners[Int($0)])] < numbers[Int(owners[Int($1)])] }
    }
    var result = AttributeColumn(key, kind)
    result.owners = order.map { numbers[Int(owners[Int($0)])] }
    if !small.isEmpty { result.small = order.map { small[Int($0)] } }
    if !large.isEmpty { result.large = order.map { large[Int($0)] } }
    if !trees.isEmpty { result.trees = order.map { trees[Int($0)] } }
    return result
  }
}
