import Glibc

/// The statements used last, found by where the text of their SQL lies in memory: a literal is always at the same place, so looking it up
/// costs one comparison of its bytes and no hash.
struct RecentStatements {
  private struct Slot {
    var sql: [UInt8] = []
    var statement: Statement?
  }
  private var slots = [Slot](repeating: Slot(), count: 64)

  init() {}

  /// The statement for this text, if it was used lately.
  mutating func find(_ sql: String) -> Statement? {
    var sql = sql
    return sql.withUTF8 { text in
      let place = Self.place(text)
      guard slots[place].sql.count == text.count, let statement = slots[place].statement, let base = text.baseAddress else { return nil }
      let isSame = slots[place].sql.withUnsafeBytes { known in
        guard let known = known.baseAddress else { return false }
        return memcmp(known, base, text.count) == 0
      }
      return isSame ? statement : nil
    }
  }

  mutating func add(_ statement: Statement, _ sql: String) {
    var sql = sql
    sql.withUTF8 { slots[Self.place($0)] = Slot(sql: Array($0), statement: statement) }
  }

  private static func place(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    let address = UInt(bitPattern: text.baseAddress)
    return Int((address >> 4 ^ address >> 10) & 63)
  }
}
