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

  /// What an entry of a run says that only the shared state of its moment can confirm: asked by verification, once the entry was folded.
  ///
  /// - Parameters:
  ///   - entry: The entry.
  ///   - run: The state after it.
  /// - Returns: What finds a problem in the shared state, in words; nil where nothing of the entry depends on it.
  static func claim(of entry: Entry, in run: Run) -> (@Sendable (Shared) -> String?)?

  /// What an entry without a run says that the shared state before it does not confirm: asked by verification.
  ///
  /// - Parameters:
  ///   - entry: The entry.
  ///   - after: The state after it.
  ///   - before: The state before it.
  /// - Returns: The problem, in words; nil where there is none.
  static func problem(with entry: Entry, after: Shared, before: Shared) -> String?
}

extension Ledger {
  /// Nothing depends on the shared state.
  public static func claim(of entry: Entry, in run: Run) -> (@Sendable (Shared) -> String?)? { nil }

  /// Nothing depends on the state before.
  public static func problem(with entry: Entry, after: Shared, before: Shared) -> String? { nil }
}
