internal import Audit
public import Core

/// What the log says about the wall clock.
public struct ClockRecord: Hashable, Sendable {
  /// Why the wall clock is not believed.
  public struct Suspicion: Hashable, Sendable {
    /// In words.
    public let why: String
    /// The entry that says so.
    public let entry: Int
    /// The time of that entry.
    public let time: Instant
  }

  /// Why it is not believed, until a person confirms it.
  public internal(set) var suspicion: Suspicion?
  /// The wall clock when a person confirmed it last.
  public internal(set) var confirmed: Instant?
  /// Whether it was confirmed to be before the entries of the log: then it counts, and not the time of the last entry.
  public internal(set) var isBehindLog = false
}

extension SharedState {
  mutating func suspectClock(_ entry: Entry) throws {
    let why = entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) } ?? "the reason was redacted"
    clock.suspicion = ClockRecord.Suspicion(why: why, entry: entry.index, time: entry.time)
  }

  mutating func confirmClock(_ entry: Entry) throws {
    guard let wall = entry.bodyView["clock_confirmed"]?.intValue else { throw GovernanceLedger.Misfit("`clock_confirmed` is missing") }
    let confirmed = Instant(milliseconds: wall)
    clock = ClockRecord(confirmed: confirmed, isBehindLog: confirmed + ClockWatch.tolerance < entry.time)
  }
}
