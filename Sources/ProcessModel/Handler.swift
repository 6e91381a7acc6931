/// What a process does when a step is late or something goes wrong.
public struct Handler: Sendable {
  /// What it waits for.
  public enum Cause: Hashable, Sendable {
    /// A step or block is not done this long after the run came to it; without either, the whole run so long after its start.
    case timeout(TimeSpan)
    /// An exception with this code, or with any code where it is `*`.
    case exception(String)
  }

  /// What it does.
  public enum Response: Sendable {
    /// Brings the late step before one more role or person.
    case escalate(Performer)
    /// Takes over from the step or block, does `body` (nothing where it is `nil`), then goes on as `after` says.
    case take(body: Block?, after: Continuation)
  }

  /// How the run goes on after a handler that took over.
  public enum Continuation: Hashable, Sendable {
    /// After the step or block that failed.
    case proceed
    /// With the step that failed, at most so many times in a run.
    case retry(max: Int)
    /// Not at all.
    case end
  }

  /// The stable id, given or derived.
  public let id: String
  /// The step or block that it watches; `nil` for all of the process.
  public let of: String?
  /// What it waits for.
  public let cause: Cause
  /// What it does.
  public let response: Response

  /// Whether it is what a run does when somebody cancels it, before it ends.
  public var isOfCancellation: Bool {
    guard of == nil, cause == .exception(RunExceptionCode.cancelled), case .take(_?, .end) = response else { return false }
    return true
  }

  /// What the handler does in steps, if it does any.
  public var body: Block? { if case .take(let body, _) = response { body } else { nil } }
}

/// The codes of exceptions that the engine raises itself and that files name.
enum RunExceptionCode {
  /// Not done in time.
  static let timeout = "timeout"
  /// Somebody cancels the run.
  static let cancelled = "cancelled"
}
