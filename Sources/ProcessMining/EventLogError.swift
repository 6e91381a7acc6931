/// An event that cannot enter an ``EventLog``.
public enum EventLogError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The time lies further from 1970 than ``EventLog/timeLimit``; the milliseconds that were given.
  case timeOutOfRange(Int64)
  /// The log has 2^32 - 1 events already, the most that its offsets can number.
  case tooManyEvents

  /// What is wrong, for people.
  public var description: String {
    switch self {
    case .timeOutOfRange(let time): "event time \(time) ms is out of range (at most \(EventLog.timeLimit) ms from 1970)"
    case .tooManyEvents: "a log holds at most \(UInt32.max - 1) events"
    }
  }
}
