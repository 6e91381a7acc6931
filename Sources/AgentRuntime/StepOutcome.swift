internal import Audit
internal import Governance
internal import ProcessModel

/// Where work on a step ended for now.
public enum StepOutcome: Hashable, Sendable {
  /// The step is not open any more: completed, or over for another reason.
  case completed
  /// Proposals wait for people; work goes on once they have decided.
  case held([String])
  /// The agent asked, or an exception waits: a person has to act.
  case waiting(String)
  /// The step was given to a person, with the code of the reason.
  case handedOver(String)
  /// Another worker has the step, and goes on with it.
  case busy(String)
  /// Work cannot go on now, and nothing is lost: no endpoint, a stop, an effect in doubt.
  case parked(String)
}

extension PermissionGate {
  /// What it means for work on a step that something of it was refused.
  ///
  /// - Parameters:
  ///   - refusal: Why.
  ///   - proposal: What was to begin, and where it stood at the last look; nil where a new proposal was refused.
  ///   - step: The step.
  ///   - run: Its run.
  /// - Returns: nil where the log has moved on since, and another look is due.
  /// - Throws: What the store throws.
  func outcome(
    of refusal: Refusal, on proposal: (id: String, status: ProposalRecord.Status)? = nil, step: Occurrence, in run: String
  ) async throws -> StepOutcome? {
    // What has changed was decided anew, and the next look shows how.
    if refusal.code == Refusal.Code.changed.rawValue { return nil }
    return try await store.read { context in
      let record = try context.run(run)
      if record?.proposals.contains(where: { $0.step == step && $0.status == .started }) ?? false { return .busy(refusal.message) }
      if let proposal, record?.proposal(proposal.id)?.status != proposal.status { return nil }
      return .parked(refusal.message)
    }
  }
}
