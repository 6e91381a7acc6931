/// What the entries mean: two folds, one over what concerns all runs and one over the entries of each run.
///
/// The store keeps the folded values in memory for the writer, drops them when a commit fails, folds in what other processes append,
/// and folds again from the log what it no longer holds. Both folds are pure and the same on every machine: no clock, no files,
/// no iteration over a `Dictionary` or `Set`.
public protocol Ledger: Sendable {
  /// The fold over the entries without a run: directory, releases, stops, allowances.
  associatedtype Shared: Sendable
  /// The fold over the entries of one run.
  associatedtype Run: Sendable

  /// The shared state of an empty log.
  static func start() -> Shared

  /// Folds an entry without a run.
  ///
  /// - Throws: When the entry does not fit: it is then not appended, or verification names it.
  static func apply(_ entry: Entry, to shared: inout Shared) throws

  /// Folds an entry of a run; `run` is `nil` before its first entry and must not be after it.
  ///
  /// - Throws: When the entry does not fit: it is then not appended, or verification names it.
  static func apply(_ entry: Entry, to run: inout Run?) throws
}
