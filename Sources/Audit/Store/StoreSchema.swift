import Core
import Storage

/// The tables, indices, triggers and views of a store file.
///
/// What they should be is read from an empty store in memory, made by the same statements: there is no second list of them.
struct StoreSchema: Sendable {
  /// One of them.
  struct Object: Sendable {
    let kind: String
    let name: String
    let table: String
    let sql: String

    /// Such as ``the trigger `entry_no_delete` on `entry` ``.
    var shown: String {
      "the \(visible(kind)) `\(visible(name))`" + (kind == "trigger" || kind == "index" ? " on `\(visible(table))`" : "")
    }
  }

  /// Where a store differs from what this version makes.
  enum Difference: Sendable {
    case missing(Object)
    case foreign(Object)
    case altered(Object)

    /// The object that it is about.
    var object: Object {
      switch self {
      case .missing(let object), .foreign(let object), .altered(let object): object
      }
    }

    /// What is wrong, lower case, without a full stop.
    var message: String {
      switch self {
      case .missing(let object): "\(object.shown) is missing"
      case .foreign(let object): "\(object.shown) is not one that this version makes"
      case .altered(let object): "\(object.shown) is not as this version makes it"
      }
    }
  }

  /// By kind and name.
  private let objects: [(key: ExactString, value: Object)]

  /// Reads the schema of a file.
  init(of connection: ReadOnlyConnection) throws {
    // What `ANALYZE` keeps concerns only the speed of queries.
    let all = try connection.query(
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4') ORDER BY type, name"
    ) {
      Object(
        kind: $0.optionalText(0) ?? "", name: $0.optionalText(1) ?? "", table: $0.optionalText(2) ?? "",
        sql: Self.plain($0.optionalText(3) ?? ""))
    }
    objects = all.map { (ExactString("\($0.kind) \($0.name)"), $0) }
  }

  /// Where a store differs from what this version makes.
  ///
  /// The tables of a projection whose stored version is another one are left out: they are made anew when the store is next opened for
  /// writing, and until then `verify` names the version.
  static func differences(of connection: ReadOnlyConnection, _ tables: ProjectionTables) throws -> [Difference] {
    let stored = try connection.query("SELECT name, version FROM projection") { (name: $0.text(0), version: $0.int(1)) }
    let others = tables.projections.filter { own in !stored.contains { $0.name == own.name && $0.version == own.version } }.map(\.name)
    let found = try StoreSchema(of: connection)
    return found.differences(from: try made(by: tables)).filter { difference in
      !others.contains { difference.object.table == $0 || difference.object.table.hasPrefix("\($0)_") }
    }
  }

  /// Refuses a store whose triggers are not those that this version makes, before anything is written to it.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/schema``.
  static func checkTriggers(of connection: ReadOnlyConnection, _ tables: ProjectionTables) throws {
    guard let first = try differences(of: connection, tables).first(where: { $0.object.kind == "trigger" }) else { return }
    let rest = "`remit audit verify` says what else does not fit"
    let hint =
      switch first {
      case .missing, .altered: "somebody changed the file: go back to a copy; \(rest)"
      case .foreign(let trigger):
        "it can change what is written: find out whose it is; `DROP TRIGGER \(visible(quoted(trigger.name)))` removes it; \(rest)"
      }
    throw AuditError(.schema, "the store is not written to: \(first.message)", hint: hint)
  }

  /// What this version makes.
  private static func made(by tables: ProjectionTables) throws -> StoreSchema {
    let empty = try Connection(path: "", mode: .memory)
    defer { empty.close() }
    try empty.migrate(LogSchema.migrations, application: LogSchema.application)
    for projection in tables.projections { try tables.create(projection, in: empty) }
    return try StoreSchema(of: ReadOnlyConnection(empty))
  }

  private func differences(from made: StoreSchema) -> [Difference] {
    let wanted = Dictionary(made.objects, uniquingKeysWith: { first, _ in first })
    let known = Set(objects.map(\.key))
    let missing = made.objects.filter { !known.contains($0.key) }.map { Difference.missing($0.value) }
    return missing
      + objects.compactMap { key, object in
        guard let own = wanted[key] else { return .foreign(object) }
        return bytesEqual(own.sql, object.sql) && bytesEqual(own.table, object.table) ? nil : .altered(object)
      }
  }

  /// A statement without comments, and with one space for any white space outside quotes.
  private static func plain(_ sql: String) -> String {
    var out: [UInt8] = []
    var rest = Array(sql.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "["):
        let close = byte == UInt8(ascii: "[") ? UInt8(ascii: "]") : byte
        let end = rest.firstIndex(of: close).map { $0 + 1 } ?? rest.endIndex
        out += [byte] + rest[..<end]
        rest = rest[end...]
        continue
      case UInt8(ascii: "-") where rest.first == byte: rest = rest.drop { $0 != UInt8(ascii: "\n") }
      case UInt8(ascii: "/") where rest.first == UInt8(ascii: "*"):
        rest = rest.dropFirst()
        while let next = rest.popFirst(), next != UInt8(ascii: "*") || rest.first != UInt8(ascii: "/") {}
        rest = rest.dropFirst()
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): break
      default:
        out.append(byte)
        continue
      }
      if out.last != UInt8(ascii: " ") { out.append(UInt8(ascii: " ")) }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension AuditStore {
  /// What the file holds, or lacks, beside what this version makes: tables, indices, triggers and views, each in words.
  ///
  /// - Throws: `StorageError`.
  public nonisolated func schemaProblems() async throws -> [String] {
    let tables = ProjectionTables(functions)
    return try await read { try StoreSchema.differences(of: $0.database, tables).map(\.message) }
  }
}
