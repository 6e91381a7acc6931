/// The components of the service that may propose.
public enum SystemPrincipal: String, Sendable, CaseIterable {
  /// Calls the tools of tool steps.
  case engine = "system:engine"
  /// Calls models for agents and gives up in their name.
  case agents = "system:agents"
  /// Starts runs by the calendar, fires timers and ends what nobody decided in time.
  case timer = "system:timer"
}
