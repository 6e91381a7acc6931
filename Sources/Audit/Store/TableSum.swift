import Core
import Storage

/// What a table holds, whatever the order of its rows: how many there are, and the sum of their digests.
///
/// Sums can be taken apart: a run's rows are added when they are known and subtracted when they change, so that nothing has to be kept or
/// sorted. With a secret key nobody can choose other rows with the same sum (a universal hash); without one it finds accidents.
struct TableSum: Hashable, Sendable {
  /// The number of rows.
  private(set) var rows = 0
  private var lanes = SIMD4<UInt64>.zero

  /// Adds a row.
  mutating func add(_ row: Digest) {
    rows += 1
    lanes &+= Self.lanes(row)
  }

  /// Takes a row away that was added.
  mutating func remove(_ row: Digest) {
    rows -= 1
    lanes &-= Self.lanes(row)
  }

  /// Adds all rows of another sum under the same key.
  mutating func add(_ other: TableSum) {
    rows += other.rows
    lanes &+= other.lanes
  }

  /// A digest of the sum.
  var digest: Digest { withUnsafeBytes(of: (Int64(rows).littleEndian, lanes)) { SHA256.hash($0) } }

  private static func lanes(_ digest: Digest) -> SIMD4<UInt64> {
    digest.withBytes { UnsafeRawBufferPointer($0).loadUnaligned(as: SIMD4<UInt64>.self) }
  }
}

/// Digests rows, under a key: every value with its kind and length, so that no two rows are the same bytes.
struct RowHasher: ~Copyable {
  private var bytes: UnsafeMutableRawBufferPointer
  private var count: Int
  private let keyCount: Int

  /// - Parameter key: Bytes before each row; nothing for digests that must be the same tomorrow.
  init(key: [UInt8] = []) {
    bytes = .allocate(byteCount: key.count + 4096, alignment: 16)
    bytes.copyBytes(from: key)
    keyCount = key.count
    count = keyCount
  }

  deinit { bytes.deallocate() }

  /// A key that nobody knows.
  static func randomKey() -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    return (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// The digest of a row's values.
  mutating func digest(_ values: [SQLValue]) -> Digest {
    for value in values {
      switch value {
      case .null: put(kind: 0, 0)
      case .integer(let number): put(kind: 1, UInt64(bitPattern: number))
      case .real(let number): put(kind: 2, number.bitPattern)
      case .text(var text): text.withUTF8 { put(kind: 3, UnsafeRawBufferPointer($0)) }
      case .blob(let blob): blob.withUnsafeBytes { put(kind: 4, $0) }
      }
    }
    return cut()
  }

  /// The digest of the first columns of a stored row.
  mutating func digest(_ row: Row, columns: Int) -> Digest {
    for column in 0..<columns {
      switch row.kind(column) {
      case .null: put(kind: 0, 0)
      case .integer: put(kind: 1, UInt64(bitPattern: row.integer(column)))
      case .real: put(kind: 2, row.real(column).bitPattern)
      case .text: put(kind: 3, row.bytes(column))
      case .blob: put(kind: 4, row.bytes(column))
      }
    }
    return cut()
  }

  private mutating func put(kind: UInt8, _ word: UInt64) {
    reserve(9)
    bytes[count] = kind
    bytes.storeBytes(of: word.littleEndian, toByteOffset: count + 1, as: UInt64.self)
    count += 9
  }

  private mutating func put(kind: UInt8, _ content: UnsafeRawBufferPointer) {
    put(kind: kind, UInt64(content.count))
    guard let from = content.baseAddress else { return }
    reserve(content.count)
    bytes.baseAddress?.advanced(by: count).copyMemory(from: from, byteCount: content.count)
    count += content.count
  }

  private mutating func reserve(_ more: Int) {
    if count + more <= bytes.count { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (count + more), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    bytes.deallocate()
    bytes = larger
  }

  private mutating func cut() -> Digest {
    defer { count = keyCount }
    return SHA256.hash(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
  }
}

/// The columns and the content of a table.
struct TableContent: Hashable, Sendable {
  var columns: [String]
  var sum = TableSum()

  /// Reads the columns of a table.
  init(columnsOf table: String, in connection: ReadOnlyConnection) throws {
    columns = try connection.query("SELECT name FROM pragma_table_info(?) ORDER BY cid", [.text(table)]) { $0.text(0) }
  }

  /// Reads a whole table.
  ///
  /// - Complexity: O(m) for m rows.
  init(of table: String, in connection: ReadOnlyConnection, key: [UInt8] = []) throws {
    try self.init(columnsOf: table, in: connection)
    var hasher = RowHasher(key: key)
    let count = columns.count
    let list = columns.map(quoted).joined(separator: ", ")
    var sum = TableSum()
    // Not from an index that happens to have all columns: what the table itself holds.
    try connection.forEach("SELECT \(list) FROM \(quoted(table)) NOT INDEXED") { row in sum.add(hasher.digest(row, columns: count)) }
    self.sum = sum
  }
}

/// A name in SQL.
func quoted(_ name: String) -> String { "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"" }
