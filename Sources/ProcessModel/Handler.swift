/// What a process does when a step is late or something goes wrong.
public struct Handler: Sendable {
  /// What it waits for.
  public enum Cause: Hashable, Sendable {
    /// A step is still open this long after it became ready.
    case timeout(Duration)
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

  /// What the handler does in steps, if it does any.
  public var body: Block? { if case .take(let body, _) = response { body } else { nil } }
}
