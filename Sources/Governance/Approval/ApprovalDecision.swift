/// What was decided on a held proposal.
///
/// Only a person approves or rejects; the others follow from time and change.
public enum ApprovalDecision: String, Hashable, Sendable, CaseIterable {
  /// A person agrees. Others may still have to.
  case approve
  /// A person says no.
  case reject
  /// Nobody decided in time.
  case expire
  /// Its proposer, or the end of its run or step, took it back.
  case withdraw
  /// An edited proposal takes its place.
  case supersede
  /// What it was shown with has changed, and it is decided anew; or its step was stopped, tried again or given to someone else.
  case void
}
