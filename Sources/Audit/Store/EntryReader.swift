import Core
import Glibc
import Storage

/// Reads entries with their content from one connection.
final class EntryReader {
  let connection: Connection
  private var decoder = EnvelopeDecoder()

  init(_ connection: Connection) { self.connection = connection }

  private static let columns = #""index", time, type, run, envelope, leaf"#

  /// The stored head.
  func head() throws -> LogHead {
    let head = try connection.first("SELECT size, root FROM head WHERE id = 0") { row in
      Digest(row.blob(1)).map { LogHead(size: row.int(0), root: $0) }
    }
    guard let head = head ?? nil else { throw AuditError(.damaged, "the store has no valid head", hint: "run `remit audit verify`") }
    return head
  }

  /// The entry at an index; `nil` when there is none.
  func entry(at index: Int) throws -> Entry? {
    try connection.first("SELECT \(Self.columns) FROM entry WHERE \"index\" = ?", [.int(index)]) { try decode($0) }
  }

  /// Walks over the entries of a run, or over those without a run, by index.
  ///
  /// A run of `nil` stands for the entries that belong to none.
  /// - Complexity: O(log n + m) for m entries.
  func forEach(run: String?, in range: Range<Int>, _ body: (Entry) throws -> Void) throws {
    let sql = "SELECT \(Self.columns) FROM entry WHERE run IS ? AND \"index\" >= ? AND \"index\" < ? ORDER BY \"index\""
    try connection.forEach(sql, [.text(run), .int(range.lowerBound), .int(range.upperBound)]) { try body(decode($0)) }
  }

  /// Walks over all entries of a range by index.
  func forEach(in range: Range<Int>, _ body: (Entry) throws -> Void) throws {
    let sql = "SELECT \(Self.columns) FROM entry WHERE \"index\" >= ? AND \"index\" < ? ORDER BY \"index\""
    try connection.forEach(sql, [.int(range.lowerBound), .int(range.upperBound)]) { try body(decode($0)) }
  }

  /// The ids of the runs, `nil` for none, of a range of entries by index; to see whether an entry is of interest before decoding it.
  func forEachRun(in range: Range<Int>, _ body: (Int, String?) throws -> Void) throws {
    let sql = #"SELECT "index", run FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index""#
    try connection.forEach(sql, [.int(range.lowerBound), .int(range.upperBound)]) { try body($0.int(0), $0.optionalText(1)) }
  }

  /// Makes an entry of a row with ``columns``.
  ///
  /// Checks form, not commitments or hashes: that is verification's work.
  func decode(_ row: Row) throws -> Entry {
    let index = row.int(0)
    let envelope: Envelope
    do throws(AuditError) {
      envelope = try decoder.decode(row.bytes(4))
    } catch {
      throw AuditError(.damaged, "entry \(index): \(error.message)", hint: "run `remit audit verify`", entry: index)
    }
    guard envelope.index == index, let leaf = Digest(row.bytes(5)) else {
      throw AuditError(.damaged, "entry \(index) contradicts its envelope", hint: "run `remit audit verify`", entry: index)
    }
    let content = envelope.commitments.isEmpty ? [] : try content(of: envelope)
    return Entry(
      index: index, time: Instant(milliseconds: envelope.time), type: envelope.type, run: envelope.run, principal: envelope.principal,
      release: envelope.release, bodyView: envelope.body, content: content, evidence: envelope.evidence, leaf: leaf)
  }

  private func content(of envelope: Envelope) throws -> [Content] {
    var parts = envelope.commitments.map { Content(redacted: $0.part) }
    let first = LogSchema.contentID(entry: envelope.index, place: 0)
    try connection.forEach("SELECT id, bytes FROM content WHERE id >= ? AND id < ?", [.integer(first), .integer(first + 256)]) { row in
      let place = Int(row.integer(0) - first)
      guard place < parts.count else {
        throw AuditError(.damaged, "entry \(envelope.index) has more content than its envelope names", entry: envelope.index)
      }
      parts[place].bytes = row.optionalBlob(1)
    }
    return parts
  }
}
