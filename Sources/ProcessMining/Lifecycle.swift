/// Where in its life a piece of work was when an event was recorded.
///
/// One activity instance may leave up to three events: it became ready, somebody began it, it was completed. Logs that know only
/// completions leave one. The raw value is what the ``EventLog`` column holds.
public enum Lifecycle: UInt8, Hashable, Sendable, CaseIterable {
  /// The work was done (for a hold: decided).
  case completed = 0
  /// The work could be done from here on and waited for somebody.
  case ready = 1
  /// Somebody took the work up.
  case begun = 2
  /// The work was taken away again without being done (cancelled, skipped, timed out).
  case withdrawn = 3
}
