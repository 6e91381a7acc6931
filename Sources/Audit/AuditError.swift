/// Why the log did not do what it was asked.
///
/// Match on ``code``. ``message`` and ``hint`` are for people and may change in any release.
public struct AuditError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure; stable across releases.
  public enum Code: String, Hashable, Sendable {
    /// A draft breaks a rule of the log's format, or a limit.
    case invalidDraft
    /// The state refused to fold an entry.
    case fold
    /// The stored log is not the one that this process knew: it was replaced, cut or rolled back.
    case forked
    /// A copy that is to replace the log would lose other entries than somebody said.
    case discards
    /// A stored entry contradicts itself.
    case damaged
    /// Too many callers wait already.
    case overloaded
    /// The store was closed.
    case closed
    /// Evidence cannot be taken in: the path, the kind of file or the size.
    case evidence
    /// No such entry, or no such file.
    case notFound
    /// A projection broke a rule.
    case projection
    /// The file has triggers that this version does not make, or lacks some of its own.
    case schema
  }

  /// The kind of failure.
  public var code: Code
  /// One line: what failed, lower case, without a full stop.
  public var message: String
  /// What to do next, if there is one thing to do.
  public var hint: String?
  /// The entry that it is about.
  public var entry: Int?

  /// Makes an error.
  public init(_ code: Code, _ message: String, hint: String? = nil, entry: Int? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.entry = entry
  }

  /// The message, and the hint on a line of its own.
  public var description: String { message + (hint.map { "\nhint: \($0)" } ?? "") }
}

/// Limits of one entry; each is named in the error of a draft that exceeds it.
public enum AuditLimits {
  /// The largest envelope, in bytes.
  public static let envelopeBytes = 1 << 20
  /// The deepest nesting of a body, so that every reader accepts the envelope.
  public static let bodyDepth = 100
  /// The largest content part, in bytes.
  public static let contentBytes = 16 << 20
  /// The most content parts of an entry.
  public static let contentParts = 64
  /// The most pieces of evidence that one entry names.
  public static let evidencePieces = 256
  /// The largest piece of evidence, in bytes.
  public static let evidenceBytes = 64 << 20
  /// The longest type, run, principal, release and part name, in bytes.
  public static let nameBytes = 256
  /// The most callers that may wait for the writer.
  public static let waitingCallers = 100_000
}
