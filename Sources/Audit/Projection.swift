public import Storage

/// Tables that follow from the log: updated in the transaction that appends an entry, dropped and rebuilt at will.
///
/// A projection says twice what its tables hold: ``apply(_:run:shared:to:)`` as steps, for the writer, and ``rows(of:)`` as a whole, for
/// rebuilding and for verification, which finds where the two differ.
public protocol Projection<Meaning>: Sendable {
  /// What the entries mean.
  associatedtype Meaning: Ledger

  /// Lower-case letters and digits. Every table and index of the projection is called this, or begins with this and `_`.
  var name: String { get }

  /// Counts up when ``schema`` or the meaning of the tables changes: a store with an older one is rebuilt when it is opened.
  var version: Int { get }

  /// The statements that make the empty tables; they should be `STRICT`.
  var schema: String { get }

  /// Updates the tables for one entry.
  ///
  /// Content must depend on nothing but the entries up to this one, in their order: no clock, no randomness, no row ids in a column.
  /// - Parameters:
  ///   - entry: The entry just appended.
  ///   - run: The state of its run after it; `nil` for an entry without a run.
  ///   - shared: The shared state after it.
  ///   - tables: The connection; write only to own tables.
  /// - Throws: What fails; a broken `UNIQUE` rule refuses the entry and everything that was submitted with it.
  func apply(_ entry: Entry, run: Meaning.Run?, shared: Meaning.Shared, to tables: Connection) throws

  /// All rows that the tables hold because of a run in this state: what the entries so far amount to, were they applied one by one.
  func rows(of run: Meaning.Run) -> [TableRow]

  /// The rows about what an entry without a run concerns.
  ///
  /// Asked before and after such an entry is folded: the former are replaced by the latter. None where it is not implemented.
  func rows(about entry: Entry, in shared: Meaning.Shared) -> [TableRow]
}

extension Projection {
  /// No rows.
  public func rows(about entry: Entry, in shared: Meaning.Shared) -> [TableRow] { [] }
}

/// A row of a projection's table.
public struct TableRow: Hashable, Sendable {
  /// The table.
  public let table: String
  /// The values of all columns, in the order of the schema and of the types that are stored.
  public let values: [SQLValue]

  /// Makes a row.
  public init(_ table: String, _ values: [SQLValue]) {
    self.table = table
    self.values = values
  }
}
