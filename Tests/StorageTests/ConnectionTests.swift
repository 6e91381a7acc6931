import Core
import Storage
import TestSupport
import Testing

@Suite struct ConnectionTests {
  @Test func valuesComeBackAsTheyWereBound() throws {
    let connection = try Connection(path: "", mode: .memory)
    try connection.execute("CREATE TABLE t (a, b, c, d, e)")
    try connection.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", .integer(.min), .real(0.5), .text("é\u{0}x"), .blob([0, 255]), .null)
    try connection.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", 1, 2.0, "", .blob([UInt8]()), nil)
    let rows = try connection.query("SELECT * FROM t") { row in (0..<row.count).map { row.value($0) } }
    #expect(rows == [[.integer(.min), .real(0.5), .text("é\u{0}x"), .blob([0, 255]), .null], [1, 2.0, "", .blob([UInt8]()), .null]])
  }
}
