import Core
import Glibc
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

/// Digests rows, under a key.
///
/// A row's bytes are a kind and a content for each value, with all lengths behind them, so that no two rows are the same bytes; and they
/// are ordered as SQLite orders rows, but for numbers with a fraction and texts that hold a zero.
final class RowHasher {
  private var bytes: UnsafeMutableRawBufferPointer
  private var count: Int
  private let keyCount: Int
  private var lengths: [UInt32] = []
  /// The first columns of the row before.
  private var previous: [UInt8] = []
  /// Whether each row that ``digest(_:columns:ascendingBy:)`` was given came after the one before.
  private(set) var isAscending = true

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
  func digest(_ values: [SQLValue]) -> Digest {
    for value in values {
      switch value {
      case .null: put(0)
      case .integer(let number): put(number)
      case .real(let number): put(number)
      case .text(var text): text.withUTF8 { put(3, UnsafeRawBufferPointer($0)) }
      case .blob(let bytes): bytes.withUnsafeBytes { put(4, $0) }
      }
    }
    return cut()
  }

  /// The digest of some columns of a stored row.
  func digest(_ row: Row, columns: Range<Int>) -> Digest {
    put(row, columns)
    return cut()
  }

  /// The digest of some columns of a stored row that must come after the one before by the first of them.
  func digest(_ row: Row, columns: Range<Int>, ascendingBy first: Int) -> Digest {
    put(row, columns.prefix(first))
    let new = UnsafeRawBufferPointer(rebasing: bytes[keyCount..<count])
    isAscending = isAscending && previous.withUnsafeBytes { Self.precedes($0, new) }
    previous.removeAll(keepingCapacity: true)
    previous.append(contentsOf: new)
    put(row, columns.dropFirst(first))
    return cut()
  }

  /// The digest of an entry of the index from runs to entries.
  func digest(run: UnsafeRawBufferPointer?, index: Int) -> Digest {
    if let run { put(3, run) } else { put(0) }
    put(Int64(index))
    return cut()
  }

  private static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard let first = a.baseAddress, let second = b.baseAddress else { return a.count < b.count }
    let order = memcmp(first, second, min(a.count, b.count))
    return order < 0 || (order == 0 && a.count < b.count)
  }

  private func put(_ row: Row, _ columns: Range<Int>) {
    for column in columns {
      switch row.kind(column) {
      case .null: put(0)
      case .integer: put(row.integer(column))
      case .real: put(row.real(column))
      case .text: put(3, row.bytes(column))
      case .blob: put(4, row.bytes(column))
      }
    }
  }

  private func put(_ kind: UInt8) {
    reserve(1)
    bytes[count] = kind
    count += 1
  }

  private func put(_ number: Int64) {
    put(1)
    store((UInt64(bitPattern: number) ^ 1 << 63).bigEndian)
  }

  private func put(_ number: Double) {
    put(2)
    store(number.bitPattern)
  }

  private func store(_ word: UInt64) {
    reserve(8)
    bytes.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
    count += 8
  }

  private func put(_ kind: UInt8, _ content: UnsafeRawBufferPointer) {
    reserve(content.count + 2)
    bytes[count] = kind
    if let from = content.baseAddress { bytes.baseAddress?.advanced(by: count + 1).copyMemory(from: from, byteCount: content.count) }
    count += content.count + 2
    bytes[count - 1] = 0
    lengths.append(UInt32(content.count))
  }

  private func reserve(_ more: Int) {
    if count + more <= bytes.count { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (count + more), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    bytes.deallocate()
    bytes = larger
  }

  private func cut() -> Digest {
    reserve(4 * lengths.count)
    for length in lengths {
      bytes.storeBytes(of: length.littleEndian, toByteOffset: count, as: UInt32.self)
      count += 4
    }
    lengths.removeAll(keepingCapacity: true)
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
    let hasher = RowHasher(key: key)
    let all = columns.indices
    let list = columns.map(quoted).joined(separator: ", ")
    var sum = TableSum()
    // Not from an index that happens to have all columns: what the table itself holds.
    try connection.forEach("SELECT \(list) FROM \(quoted(table)) NOT INDEXED") { row in sum.add(hasher.digest(row, columns: all)) }
    self.sum = sum
  }
}

/// A name in SQL.
func quoted(_ name: String) -> String { "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"" }
