import Core
import Storage
import Testing

extension String {
  /// SQLite has no exclusive or: adding one changes the lowest bit of an even number.
  var replacingXor: String { replacing("time ^ 1", with: "time + 1 - 2 * (time % 2)") }
}

/// Statements with a `flip(column, place)` that SQL lacks.
enum Flip {
  /// Runs statements; `SET c = flip(c, n)` flips the lowest bit of the n-th byte, from 1, of the row's value.
  static func run(_ sql: String, _ connection: Connection) throws {
    guard let call = sql.firstRange(of: "flip(") else { return try connection.execute(sql) }
    let words = sql.split(separator: " ")
    let table = String(words[1])
    let column = String(words[3])
    let arguments = sql[call.upperBound...].prefix { $0 != ")" }.split(separator: ",")
    let place = Int(arguments[1].drop { $0 == " " }) ?? 1
    let condition = String(sql[sql.range(after: " WHERE ")...])
    let value = try #require(
      try connection.first("SELECT CAST(\(column) AS BLOB) FROM \(table) WHERE \(condition)", [], { $0.blob(0) }), "\(sql)")
    var bytes = value
    bytes[min(place, bytes.count) - 1] ^= 1
    try connection.run("UPDATE \(table) SET \(column) = ? WHERE \(condition)", .blob(bytes))
  }
}

extension String {
  func range(after text: String) -> String.Index { firstRange(of: text)?.upperBound ?? endIndex }
}
