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
  /// Work cannot go on now, and nothing is lost: no endpoint, a stop, an effect in doubt.
  case parked(String)
}
