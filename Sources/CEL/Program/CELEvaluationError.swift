/// Why an evaluation gave no value.
///
/// Match on ``code``. ``message`` is for people, may change in any release, and never shows a value: only names and types
/// that stand in the expression or in the declarations.
public struct CELEvaluationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Code: String, Hashable, Sendable {
    /// A variable or a field of one has no value.
    case noValue = "no-value"
    /// A map has no such key, or a list no such index.
    case noSuchKey = "no-such-key"
    /// The operation does not take values of these types.
    case noSuchOverload = "no-such-overload"
    /// A number, time or length does not fit its type.
    case overflow = "overflow"
    /// An integer was divided by zero.
    case divisionByZero = "division-by-zero"
    /// A function was given a value that it cannot take.
    case invalidArgument = "invalid-argument"
    /// A map was given two equal keys.
    case duplicateKey = "duplicate-key"
    /// The expression names something that is not declared; only in unchecked environments.
    case undeclared = "undeclared"
    /// The evaluation took more steps than it may. `&&`, `||`, `all` and `exists` do not absorb it.
    case limit = "limit"
    /// An activation does not know the value yet; goes before other errors where both occur.
    case unknown = "unknown"
  }

  /// What went wrong.
  public var code: Code
  /// What went wrong, for people.
  public var message: String
  /// Where in the expression it went wrong, in UTF-8 bytes; nil where no one place is to blame.
  public var offset: Int?
  /// What has no value, as people write it, such as `facts.order.state`; nil for other errors than ``Code/noValue`` of a reference.
  public internal(set) var subject: String?

  /// Makes an error.
  public init(_ code: Code, _ message: String, offset: Int? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
  }

  /// The message.
  public var description: String { message }

  /// The error with a place, where it has none yet.
  func at(_ offset: Int) -> CELEvaluationError {
    if self.offset != nil { return self }
    var error = self
    error.offset = offset
    return error
  }

  /// Which of two errors to report when either would have been absorbed: one that may go away when more is known.
  static func preferred(_ first: CELEvaluationError, _ second: CELEvaluationError) -> CELEvaluationError {
    second.code == .unknown && first.code != .unknown ? second : first
  }
}

typealias Failure = CELEvaluationError
