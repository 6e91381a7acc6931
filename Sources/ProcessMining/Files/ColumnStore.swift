/// The columns of one kind of owner while a file is read.
struct ColumnStore {
  private(set) var columns: [AttributeColumn] = []
  private var keys = NameTable()
  private var kinds: [[Int?]] = []
  /// The keys' bytes, and for each column the one that came after it last: files repeat themselves.
  private var keyBytes: [[UInt8]] = []
  private var following: [Int] = []
  private var last = -1

  /// The column of a key and a kind, a new one where there is none.
  ///
  /// - Complexity: O(length of the key).
  @inline(__always)
  mutating func column(_ key: UnsafeBufferPointer<UInt8>, _ kind: AttributeColumn.Kind) -> Int {
    if last >= 0 {
      let guess = following[last]
      if guess < columns.count, columns[guess].kind == kind, matches(guess, key) {
        last = guess
        return guess
      }
    }
    return find(key, kind)
  }

  private func matches(_ column: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    keyBytes[column].withUnsafeBufferPointer { known in
      guard known.count == key.count else { return false }
      for index in 0..<key.count where known[index] != key[index] { return false }
      return true
    }
  }

  private mutating func find(_ key: UnsafeBufferPointer<UInt8>, _ kind: AttributeColumn.Kind) -> Int {
    let number = Int(keys.intern(key))
    if number == kinds.count { kinds.append(Array(repeating: nil, count: 7)) }
    let found: Int
    if let known = kinds[number][Int(kind.rawValue)] {
      found = known
    } else {
      found = columns.count
      columns.append(AttributeColumn(String(decoding: key, as: UTF8.self), kind))
      keyBytes.append(Array(key))
      following.append(0)
      kinds[number][Int(kind.rawValue)] = found
    }
    if last >= 0 { following[last] = found }
    last = found
    return found
  }

  /// Whether an owner has a value under this key already, of any kind.
  func has(_ column: Int, _ owner: UInt32) -> Bool { columns[column].owners.last == owner }

  @inline(__always)
  mutating func append(_ value: UInt32, to owner: UInt32, in column: Int) { columns[column].append(value, to: owner) }

  @inline(__always)
  mutating func append(_ value: Int64, to owner: UInt32, in column: Int) { columns[column].append(value, to: owner) }

  mutating func append(_ value: LogAttribute, to owner: UInt32, in column: Int) { columns[column].append(value, to: owner) }

  /// The columns with every owner under a new number, each given up as soon as it is renumbered.
  consuming func renumbered(_ numbers: [UInt32]) -> [AttributeColumn] {
    var all = columns
    columns = []
    for index in all.indices { all[index] = all[index].renumbered(numbers) }
    return all
  }
}
