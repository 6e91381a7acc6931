import Core
import Storage

/// The SHA-256 of tables, independent of row ids and insertion order.
struct TableDump {
  /// The content of one table: how many rows, and a digest for each block of them.
  struct Digests: Hashable, Sendable {
    var rows = 0
    var blocks: [Digest] = []
  }

  /// Rows a block.
  static let blockRows = 256

  private var hash = SHA256()
  private var buffer: [UInt8] = []

  /// The rows of a table in the order of all their columns, block by block; its names and columns are in the first block.
  static func digests(of table: String, in connection: ReadOnlyConnection) throws -> Digests {
    let columns = try connection.query("SELECT name FROM pragma_table_info(?) ORDER BY cid", [.text(table)]) { $0.text(0) }
    var dump = TableDump()
    dump.append(.text(table))
    for column in columns { dump.append(.text(column)) }
    var digests = Digests()
    let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
    try connection.forEach("SELECT \(list) FROM \"\(table)\" ORDER BY \(list)") { row in
      for place in 0..<columns.count { dump.append(row, place) }
      digests.rows += 1
      if digests.rows % Self.blockRows == 0 { digests.blocks.append(dump.cut()) }
    }
    digests.blocks.append(dump.cut())
    return digests
  }

  /// Every value with its kind and length, so that no two dumps are the same bytes by accident.
  private mutating func append(_ row: Row, _ column: Int) {
    switch row.kind(column) {
    case .null: append(0, UnsafeRawBufferPointer(start: nil, count: 0))
    case .integer: withUnsafeBytes(of: row.integer(column).bigEndian) { append(1, $0) }
    case .real: withUnsafeBytes(of: row.real(column).bitPattern.bigEndian) { append(2, $0) }
    case .text: append(3, row.bytes(column))
    case .blob: append(4, row.bytes(column))
    }
  }

  private mutating func append(_ value: SQLValue) {
    guard case .text(var text) = value else { return }
    text.withUTF8 { append(3, UnsafeRawBufferPointer($0)) }
  }

  private mutating func append(_ kind: UInt8, _ bytes: UnsafeRawBufferPointer) {
    buffer.append(kind)
    withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { buffer.append(contentsOf: $0) }
    buffer.append(contentsOf: bytes)
    if buffer.count > 1 << 16 { flush() }
  }

  private mutating func flush() {
    hash.update(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  /// The digest of what was appended since the last cut.
  private mutating func cut() -> Digest {
    flush()
    defer { hash = SHA256() }
    return hash.finalize()
  }
}
