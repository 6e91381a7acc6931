internal import Core
public import ProcessModel

/// What became of a person's decision on a held proposal.
public struct DecisionOutcome: Sendable {
  /// Where the proposal stands after it.
  public enum Standing: Sendable {
    /// Approved by one more person; others still have to.
    case pending
    /// Approved by all who have to; an outside effect may begin now, any other has happened.
    case approved
    /// Rejected.
    case rejected
    /// Taken back by who proposed it, or asked for its run.
    case withdrawn
    /// It was a probe, which can never be carried out; whether the person saw what was wrong.
    case probe(isCaught: Bool)
    /// The time for a decision was over before this one came.
    case expired
    /// What the proposal was shown with has changed. It was decided anew, with this outcome.
    case voided(GateOutcome)
    /// An edited proposal took its place, with this outcome.
    case superseded(GateOutcome)
  }

  /// The proposal.
  public let proposal: String
  /// Its run.
  public let run: String?
  /// Where it stands.
  public let standing: Standing
  /// What followed at once.
  public let events: [RunEvent]
  /// What the tool can change.
  public let hasOutsideEffect: Bool
}
