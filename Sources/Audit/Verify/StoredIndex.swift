import Core
import Storage

/// An index as a store has it, for comparing what it holds with what its table holds.
///
/// SQLite's own comparison looks each row up in each index. Two walks in order and two sums tell the same in a fraction of the time.
struct StoredIndex {
  let table: String
  let name: String
  /// The columns of its entries, those that tell rows apart at the end.
  private let columns: [String]
  /// How many of them are in order, each combination once.
  private let ordered: Int
  /// Which rows it has; nil for all.
  private let condition: String?

  /// The indexes of a table; nil when there is one that this cannot compare.
  static func all(of table: String, in connection: ReadOnlyConnection) throws -> [StoredIndex]? {
    let withoutRowID = try connection.first("SELECT wr FROM pragma_table_list(?)", [.text(table)]) { $0.int(0) == 1 } ?? false
    let list = try connection.query("SELECT name, origin, \"unique\" FROM pragma_index_list(?)", [.text(table)]) {
      (name: $0.text(0), origin: $0.text(1), isUnique: $0.int(2) != 0)
    }
    var indexes: [StoredIndex] = []
    for (name, origin, isUnique) in list where !(withoutRowID && origin == "pk") {
      guard let index = try StoredIndex(name, of: table, isUnique: isUnique, in: connection) else { return nil }
      indexes.append(index)
    }
    return indexes
  }

  private init?(_ name: String, of table: String, isUnique: Bool, in connection: ReadOnlyConnection) throws {
    self.table = table
    self.name = name
    var columns: [String] = []
    var keys = 0
    let sql = "SELECT cid, name, \"desc\", coll, key FROM pragma_index_xinfo(?) ORDER BY seqno"
    for (cid, column, isDescending, collation, key) in try connection.query(
      sql, [.text(name)], { ($0.int(0), $0.text(1), $0.int(2) != 0, $0.text(3), $0.int(4)) })
    {
      keys += key
      guard cid >= -1, !isDescending, collation == "BINARY" else { return nil }
      columns.append(cid == -1 ? "rowid" : quoted(column))
    }
    self.columns = columns
    ordered = isUnique ? keys : columns.count
    // The columns are plain names, so that the first `)` ends their list.
    let text = try connection.first("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", [.text(name)]) { $0.text(0) }
    let parts = text?.split(separator: ")", maxSplits: 1, omittingEmptySubsequences: false) ?? []
    guard let rest = parts.dropFirst().first?.drop(while: { $0 == " " || $0 == "\n" }), !rest.isEmpty else {
      condition = nil
      return
    }
    guard rest.hasPrefix("WHERE ") else { return nil }
    condition = String(rest.dropFirst(6))
  }

  /// Whether the index holds what its table holds, in its order.
  func fits(in connection: ReadOnlyConnection, key: [UInt8]) throws -> Bool {
    let (list, filter) = (columns.joined(separator: ", "), condition.map { " WHERE \($0)" } ?? "")
    let hasher = RowHasher(key: key)
    var wanted = TableSum()
    try connection.forEach("SELECT \(list) FROM \(quoted(table)) NOT INDEXED\(filter)") { row in
      wanted.add(hasher.digest(row, columns: columns.indices))
    }
    return try sum(in: connection, key: key) == wanted
  }

  /// The sum of its entries; nil where they are not in order.
  func sum(in connection: ReadOnlyConnection, key: [UInt8]) throws -> TableSum? {
    let (list, filter) = (columns.joined(separator: ", "), condition.map { " WHERE \($0)" } ?? "")
    let hasher = RowHasher(key: key)
    var sum = TableSum()
    try connection.forEach("SELECT \(list) FROM \(quoted(table)) INDEXED BY \(quoted(name))\(filter)") { row in
      sum.add(hasher.digest(row, columns: columns.indices, ascendingBy: ordered))
    }
    return hasher.isAscending ? sum : nil
  }
}
