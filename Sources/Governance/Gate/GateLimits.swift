/// The bounds that the gate keeps, whatever the rules say.
///
/// Each is named in the refusal that it causes.
public enum GateLimits {
  /// UTF-8 bytes of one text in the arguments.
  public static let textBytes = 65_536
  /// UTF-8 bytes of all arguments, in canonical form.
  public static let argumentBytes = 262_144
  /// UTF-8 bytes of a proposal's reason.
  public static let reasonBytes = 16_384
  /// Proposals that one agent may make on one attempt of a step.
  public static let proposalsPerStep = 200
  /// Proposals of one run that may wait for people at the same time.
  public static let heldPerRun = 20
  /// Proposals of one agent, over all runs, that may wait for people at the same time.
  public static let heldPerAgent = 100
  /// Proposals about the workspace that one person may have waiting for others at the same time.
  public static let heldPerPerson = 20
  /// Allowances that have not ended, over all processes.
  public static let allowances = 256
  /// Endorsements that count at the same time.
  public static let endorsements = 1_000
  /// The newest decisions of people that are looked at as evidence for an allowance.
  public static let reviewedCases = 2_000
  /// Questions about one proposal that may be open at the same time.
  public static let openQuestions = 5
  /// How often people may give more time for the decision on one proposal.
  public static let extensions = 3
  /// Proposals of all kinds in one run.
  public static let proposalsPerRun = 10_000
  /// Milliseconds for a decision where no rule says how long: seven days.
  public static let decisionMilliseconds: Int64 = 7 * 86_400_000
}
