internal import Audit
internal import CEL
public import Core
public import PolicyEngine
import ProcessModel

/// Everything that a decision of the gate depends on.
///
/// The same view gives the same judgement, live or in a replay.
public struct GateView: Sendable {
  /// Directory, releases, stops.
  public var shared: SharedState
  /// The run, where the proposal names one that exists.
  public var run: RunRecord?
  /// The release that the run is pinned to, or that a new run would follow.
  public var release: Release?
  /// Log time.
  public var now: Instant
  /// What allowances have been used for; nil where none counts, because people decide or because no rule has to be earned.
  public var usage: AllowanceUsage?
  /// The live guard of the workspace; nil where there is none.
  public var guardRules: RuleSet?
  /// The time zones by name, for working time; every zone is UTC where only verdicts are asked for.
  var zones: @Sendable (String) -> CELTimeZone? = { _ in CELTimeZone(offset: 0) }
  /// The evidence for the allowance that is asked for, where one is.
  var basis: AllowanceBasis?

  /// Makes a view from its parts.
  public init(shared: SharedState, run: RunRecord?, release: Release?, now: Instant) {
    self.shared = shared
    self.run = run
    self.release = release
    self.now = now
  }
}
