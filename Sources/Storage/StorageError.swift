/// What went wrong with a store file, and what to do about it.
///
/// Match on ``code``. ``message`` and ``hint`` are for people and may change in any release. No bound value ever appears in them.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure; stable across releases.
  public enum Code: String, Hashable, Sendable {
    /// No file is there and none was to be made.
    case notFound
    /// The operating system refused access to the file or its directory.
    case permission
    /// The file, its directory or its file system takes no writes.
    case readOnly
    /// The file is something else than an SQLite database, or not a store of this kind.
    case notAStore
    /// The pages of the file contradict each other.
    case corrupt
    /// A newer build wrote the file.
    case newerVersion
    /// Another connection held the lock for longer than the allowed wait.
    case busy
    /// The disk or a quota is full. Nothing was written; later calls can succeed.
    case full
    /// Reading, writing or syncing failed below SQLite. The handle must not be used for writing again.
    case inputOutput
    /// A `UNIQUE`, `CHECK`, `NOT NULL` or `FOREIGN KEY` rule of the schema, or a trigger, refused a row.
    case constraint
    /// A value is larger than SQLite accepts.
    case tooBig
    /// The statement or the call is wrong: a mistake in this program.
    case misuse
    /// The store was closed, or stopped after an earlier failure.
    case stopped
    /// A test made this operation fail.
    case injected
  }

  /// The kind of failure.
  public var code: Code
  /// One line: what failed, lower case, without a full stop.
  public var message: String
  /// What to do next, if there is one thing to do.
  public var hint: String?
  /// SQLite's extended result code, 0 when SQLite was not the one to complain.
  public var resultCode: Int32

  /// Makes an error.
  public init(_ code: Code, _ message: String, hint: String? = nil, resultCode: Int32 = 0) {
    self.code = code
    self.message = message
    self.hint = hint
    self.resultCode = resultCode
  }

  /// The message, and the hint on a line of its own.
  public var description: String { message + (hint.map { "\nhint: \($0)" } ?? "") }
}
