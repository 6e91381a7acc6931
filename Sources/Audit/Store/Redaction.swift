import Core
import Storage

/// The removal of content: an entry of this type takes a content part with it, in the transaction that appends it.
///
/// The envelope keeps the part's commitment, so every proof stays as it was. What says that it may be removed is the ledger's to fold.
enum Redaction {
  /// The type of the entries; their `body` has the `entry` and the `part` that is removed.
  static let type = "content.redacted@1"

  /// Removes what an entry names.
  ///
  /// The trigger that keeps content as it is gives way inside the transaction alone, and is then made again as it was.
  /// - Throws: ``AuditError`` with code ``AuditError/Code/invalidDraft`` where there is no such content; `StorageError`.
  static func perform(_ body: JSONObject, before index: Int, in connection: Connection) throws {
    guard let entry = body["entry"]?.intValue.flatMap({ Int(exactly: $0) }), let part = body["part"]?.stringValue,
      (0..<index).contains(entry)
    else {
      throw AuditError(.invalidDraft, "a redaction names an entry before it and one of its content parts")
    }
    let id = try connection.first(
      "SELECT id FROM content WHERE id >= ? AND id < ? AND part = ? AND bytes IS NOT NULL",
      [.integer(LogSchema.contentID(entry: entry, place: 0)), .integer(LogSchema.contentID(entry: entry + 1, place: 0)), .text(part)]
    ) { $0.integer(0) }
    guard let id else {
      throw AuditError(.invalidDraft, "entry \(entry) has no content part `\(visible(part))`, or it was redacted already", entry: entry)
    }
    let trigger = try connection.first(
      "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'content_no_update'", []
    ) { $0.text(0) }
    guard let trigger else { throw AuditError(.schema, "the trigger `content_no_update` is missing", hint: "run `remit audit verify`") }
    try connection.execute("DROP TRIGGER content_no_update")
    try connection.run("UPDATE content SET salt = NULL, bytes = NULL WHERE id = ?", .integer(id))
    try connection.execute(trigger)
  }

  /// Rewrites the file without its free pages, and empties the write-ahead log, so that neither holds what was removed.
  ///
  /// - Returns: Whether nothing is left; false while somebody else reads the file.
  /// - Throws: `StorageError`, such as for a full disk; the store is as it was then.
  /// - Complexity: O(size of the file); appends wait meanwhile.
  static func scrub(_ connection: Connection) throws -> Bool {
    try connection.execute("VACUUM")
    return try connection.first("PRAGMA wal_checkpoint(TRUNCATE)", []) { $0.int(0) == 0 } ?? false
  }
}

extension AuditStore {
  /// Removes from the file what was redacted and may still lie in free pages or the write-ahead log.
  ///
  /// This is done after each redaction by itself; it has to be given again where somebody was reading then, or the process ended.
  /// - Returns: Whether nothing is left; false while somebody else reads the file.
  /// - Throws: `StorageError`.
  public func scrub() throws -> Bool {
    guard let core else { throw Self.readOnly(path) }
    return try core.scrub()
  }
}
