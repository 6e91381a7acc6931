public import Core
public import PolicyEngine
public import ProcessModel

/// What became of a submitted proposal; it is in the log when the proposer has this.
public struct GateOutcome: Sendable {
  /// The proposal.
  public let proposal: String
  /// The run that it belongs to, or that it started.
  public let run: String?
  /// The index of its entry.
  public let entry: Int
  /// The verdict.
  public let verdict: Outcome
  /// Why it was refused, for the proposer.
  public let refusal: Refusal?
  /// Every rule that matched.
  public let matched: [RuleMatch]
  /// Every rule that erred.
  public let errors: [RuleError]
  /// What has to happen before it may be carried out.
  public let requirements: [ApprovalRequirement]
  /// What an approval is bound to.
  public let digest: Digest
  /// Until when people may decide.
  public let expires: Instant?
  /// What the tool can change.
  public let effect: EffectClass
  /// What followed at once.
  public let events: [RunEvent]

  /// Whether the proposal has an outside effect that may begin now.
  public var isGranted: Bool { verdict == .permit && effect != .state }
}
