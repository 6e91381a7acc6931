import Audit
import Core
import Glibc
import Storage
import TestSupport
import Testing

/// Every way to change one bit of a log of 100 entries, and every way to move, cut or rewrite its entries.
///
/// All of it is run by `SWEEP=all swift test --filter TamperSweepTests`; otherwise every 211th bit, and one in seven of the moves. The
/// counts are printed.
@Suite struct TamperSweepTests {
  static let isWhole = getenv("SWEEP").map { String(cString: $0) } == "all"
  static let entries = 100

  /// A value that somebody changes: where it lies, and the first entry that does not fit then.
  struct Place {
    let table: String
    let column: String
    let row: String
    let value: SQLValue
    /// nil: what changes is beside the entries.
    let bad: Int?

    /// How many bits it has; NULL has one, which makes it a value.
    var bits: Int {
      switch value {
      case .integer: 64
      case .text(let text): 8 * text.utf8.count
      case .blob(let bytes): 8 * bytes.count
      case .null: 1
      default: 0
      }
    }

    /// The statement and the value with one bit changed.
    func flipped(_ bit: Int) -> (sql: String, value: SQLValue) {
      let sql = "UPDATE \(table) SET \(column) = "
      var bytes: [UInt8]
      switch value {
      case .integer(let number): return (sql + "? WHERE \(row)", .integer(number ^ (1 << Int64(bit))))
      case .text(let text): bytes = Array(text.utf8)
      case .blob(let blob): bytes = blob
      default: return (sql + "CAST(? AS TEXT) WHERE \(row)", .blob([0x78]))
      }
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      if case .text = value { return (sql + "CAST(? AS TEXT) WHERE \(row)", .blob(bytes)) }
      return (sql + "? WHERE \(row)", .blob(bytes))
    }

    /// Which entry is the first that does not fit, where the index itself changes.
    func bad(_ bit: Int) -> Int? {
      guard column == "\"index\"", case .integer(let number) = value else { return bad }
      return Int(min(number, number ^ (1 << Int64(bit))))
    }
  }

  /// Every column of every table that the log has.
  static func places(_ log: Connection) throws -> [Place] {
    var places: [Place] = []
    func add(_ table: String, _ columns: [String], from: String? = nil, row: (Row) -> String, bad: (Row) -> Int?) throws {
      let list = columns.joined(separator: ", ")
      try log.forEach("SELECT rowid, \(list) FROM \(from ?? table)") { found in
        for (place, column) in columns.enumerated() {
          places.append(
            Place(table: table, column: column, row: row(found), value: found.value(place + 1), bad: bad(found)))
        }
      }
    }
    let byRow: (Row) -> String = { "rowid = \($0.integer(0))" }
    try add(
      "entry", ["\"index\"", "time", "type", "run", "envelope", "leaf"], row: byRow, bad: { $0.int(0) })
    try add("content", ["part", "salt", "bytes"], row: byRow, bad: { $0.int(0) >> 8 })
    try add("evidence", ["sha256", "media", "size", "bytes"], row: byRow, bad: { 25 * ($0.int(0) - 1) + 3 })
    try add("head", ["size", "root", "frontier"], row: byRow, bad: { _ in nil })
    return places
  }

  /// Takes the guards away for good: the schema's own complaint about that is not counted.
  static func open(_ path: String) throws -> Connection {
    let log = try Connection(path: path, mode: .readWrite(create: false))
    try log.execute("PRAGMA synchronous=OFF")
    for name in try log.query("SELECT name FROM sqlite_schema WHERE type = 'trigger'", [], { $0.text(0) }) {
      try log.execute("DROP TRIGGER \(name)")
    }
    return log
  }

  /// A verifier of one log that stays open.
  static func verifier(_ path: String) async throws -> CountingStore {
    var open = StoreOptions()
    open.readOnly = true
    return try await CountingStore.open(path, projections: [RunTable()], options: open)
  }

  static func problems(_ report: VerificationReport) -> Int { report.problems.count { $0.kind != .schema } }

  @Test("T11 every flipped bit in every column of the log is found, and the first bad entry is named", .timeLimit(.minutes(120)))
  func bits() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: Self.entries)
      let log = try Self.open(path)
      let store = try await Self.verifier(path)
      var (tried, refused, number, missed) = (0, 0, 0, [String]())
      for place in try Self.places(log) {
        for bit in 0..<place.bits {
          number += 1
          guard Self.isWhole || number % 211 == 0 else { continue }
          let (sql, value) = place.flipped(bit)
          try log.begin(.immediate)
          do {
            try log.run(sql, value)
          } catch let error as StorageError where error.code == .constraint {
            log.rollback()
            refused += 1
            continue
          }
          try log.commit()
          let report = try await store.verify(.hashes)
          let isFound = place.bad == nil ? Self.problems(report) > 0 : report.firstBad == place.bad(bit)
          if !isFound { missed.append("bit \(bit) of \(place.table).\(place.column) where \(place.row): \(report.problems)") }
          tried += 1
          let row = place.column == "\"index\"" ? "\"index\" = \(Self.integer(value))" : place.row
          try log.run("UPDATE \(place.table) SET \(place.column) = ? WHERE \(row)", place.value)
        }
      }
      print("bits: \(tried) of \(number) flipped, \(refused) that no store can hold, \(missed.count) missed")
      #expect(missed.isEmpty, "\(missed.prefix(5))")
      #expect(Self.problems(try await store.verify()) == 0, "everything was put back")
      await store.close()
    }
  }

  @Test("T11 a byte that is moved from a content into its salt, or back, is found")
  func boundaries() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: Self.entries)
      let log = try Self.open(path)
      let store = try await Self.verifier(path)
      let rows = try log.query("SELECT id, salt, bytes FROM content") { (id: $0.integer(0), salt: $0.blob(1), bytes: $0.blob(2)) }
      for row in rows {
        let whole = row.salt + row.bytes
        for length in [0, 15, 17, whole.count] {
          try log.run(
            "UPDATE content SET salt = ?, bytes = ? WHERE id = ?", .blob(Array(whole[..<length])), .blob(Array(whole[length...])),
            .integer(row.id))
          #expect(try await store.verify(.hashes).firstBad == Int(row.id >> 8), "\(length)")
        }
        try log.run("UPDATE content SET salt = ?, bytes = ? WHERE id = ?", .blob(row.salt), .blob(row.bytes), .integer(row.id))
      }
      print("boundaries: \(4 * rows.count) moved")
      await store.close()
    }
  }

  private static func integer(_ value: SQLValue) -> Int64 {
    if case .integer(let number) = value { return number }
    return 0
  }

  @Test("T11 every entry that is deleted, swapped with any other or inserted anywhere is found", .timeLimit(.minutes(30)))
  func moves() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: Self.entries)
      let log = try Self.open(path)
      try log.execute("CREATE TEMP TABLE kept AS SELECT * FROM entry")
      var moves: [(sql: String, bad: Int)] = []
      for index in 0..<Self.entries {
        moves.append(("DELETE FROM entry WHERE \"index\" = \(index)", index))
        for other in index + 1..<Self.entries {
          let swap = """
            UPDATE entry SET "index" = -1 WHERE "index" = \(index);
            UPDATE entry SET "index" = \(index) WHERE "index" = \(other);
            UPDATE entry SET "index" = \(other) WHERE "index" = -1
            """
          moves.append((swap, index))
        }
        for other in 0..<Self.entries {
          let insertion = """
            UPDATE entry SET "index" = -"index" - 1 WHERE "index" >= \(index);
            UPDATE entry SET "index" = -"index" WHERE "index" < 0;
            INSERT INTO entry SELECT \(index), time, type, run, envelope, leaf FROM kept WHERE "index" = \(other)
            """
          // What was there and is there again is in its place: the next one is not.
          moves.append((insertion, other == index ? index + 1 : index))
        }
      }
      let store = try await Self.verifier(path)
      var (tried, missed) = (0, [String]())
      for (number, move) in moves.enumerated() where Self.isWhole || number % 7 == 0 {
        try log.begin(.immediate)
        try log.execute(move.sql)
        try log.commit()
        let report = try await store.verify(.hashes)
        if report.firstBad != move.bad { missed.append("\(move.sql): \(report.problems)") }
        tried += 1
        try log.begin(.immediate)
        try log.execute("DELETE FROM entry; INSERT INTO entry SELECT * FROM kept")
        try log.commit()
      }
      print("moves: \(tried) of \(moves.count) tried, \(missed.count) missed")
      #expect(missed.isEmpty, "\(missed.prefix(3))")
      await store.close()
    }
  }

  @Test("T12 T13 a log that was cut anywhere, or written anew from any entry on, is found against a checkpoint kept elsewhere")
  func rewrites() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: Self.entries)
      let store = try await Self.verifier(path)
      var options = VerificationOptions.hashes
      options.checkpoint = try await store.checkpoint(origin: "log")
      await store.close()
      var missed: [Int] = []
      let lengths = Array(stride(from: 0, to: Self.entries, by: Self.isWhole ? 1 : 9))
      for length in lengths {
        // Whole in themselves: an older copy, and one that goes on in another way.
        for suffix in ["", "-wal"] { unlink(path + suffix) }
        try await makeLog(path, entries: length)
        let cut = try await verify(path, options)
        if cut.firstBad != length { missed.append(length) }
        let other = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions(seed: 2))
        for number in length..<Self.entries { try await other.append([draft("run-1", amount: Int64(number), note: "forged")]) }
        await other.close()
        let (alone, compared) = (try await verify(path), try await verify(path, options))
        if !alone.ok || !compared.problems.contains(where: { $0.kind == .rollback || $0.kind == .fork }) { missed.append(-length) }
      }
      print("rewrites: \(2 * lengths.count) tried, \(missed.count) missed")
      #expect(missed.isEmpty, "\(missed)")
    }
  }
}
