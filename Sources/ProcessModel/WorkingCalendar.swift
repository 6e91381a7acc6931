internal import CEL
internal import Core

/// When people work: hours on each weekday in the local time of a zone, without holidays.
public struct WorkingCalendar: Hashable, Sendable {
  /// A stretch of a day, in minutes since midnight.
  public struct Hours: Hashable, Sendable {
    /// When it begins.
    public let from: Int
    /// When it ends; 1440 at midnight.
    public let to: Int
  }

  /// A day of a year, or of every year.
  public struct Holiday: Hashable, Sendable {
    /// The year; `nil` for every one.
    public let year: Int?
    /// The month, from 1.
    public let month: Int
    /// The day of the month.
    public let day: Int
  }

  /// The zone's name.
  public let zone: String
  /// The hours of each weekday, Sunday first, in order and apart.
  public let week: [[Hours]]
  /// Days on which nobody works.
  public let holidays: [Holiday]

  /// The latest day that is looked at, counted from the first: a century on.
  private static let dayLimit: Int64 = 36_525

  /// The hours of a local day, which is counted from 1970-01-01.
  private func hours(on day: Int64) -> [Hours] {
    // 1970-01-01 was a Thursday.
    let hours = week[Int(((day + 4) % 7 + 7) % 7)]
    if hours.isEmpty || holidays.isEmpty { return hours }
    let date = Instant.date(daysSinceEpoch: Int(day))
    let isHoliday = holidays.contains { $0.month == date.month && $0.day == date.day && ($0.year == nil || $0.year == date.year) }
    return isHoliday ? [] : hours
  }

  /// The moment that lies so much working time after another.
  ///
  /// Time counts from the next moment at which somebody works. A working day leads to the same local time of the next day with hours, and
  /// hours are counted as they pass within them; what then lies outside of hours is moved to when they begin again. A local time that
  /// daylight saving skips is the moment at which the clock goes on.
  /// - Complexity: O(days between), at most a century.
  func moment(_ days: Int, _ time: Duration, after start: Instant, in zone: CELTimeZone) -> Instant {
    var now = opening(at: start, in: zone)
    if days > 0 {
      let local = zone.local(at: now)
      var day = local.flooredQuotient(by: 86_400_000)
      let timeOfDay = local - day * 86_400_000
      let last = day + Self.dayLimit
      var left = days
      while left > 0, day < last {
        day += 1
        if !hours(on: day).isEmpty { left -= 1 }
      }
      now = opening(at: zone.moment(atLocal: day * 86_400_000 + timeOfDay), in: zone)
    }
    var left = time.milliseconds
    let last = zone.day(at: now) + Self.dayLimit
    while left > 0, zone.day(at: now) < last {
      let end = closing(at: now, in: zone)
      let span = end.milliseconds - now.milliseconds
      if span >= left { return Instant(milliseconds: now.milliseconds + left) }
      left -= span
      now = opening(at: end, in: zone)
    }
    return now
  }

  /// The moment itself where somebody works then, else the next at which somebody does.
  private func opening(at moment: Instant, in zone: CELTimeZone) -> Instant {
    let first = zone.day(at: moment)
    for day in first - 1...first + Self.dayLimit {
      for stretch in stretches(on: day, in: zone) where stretch.end > moment { return max(moment, stretch.start) }
    }
    return moment
  }

  /// When the working time that a moment lies in ends.
  private func closing(at moment: Instant, in zone: CELTimeZone) -> Instant {
    let first = zone.day(at: moment)
    for day in first - 1...first + 1 {
      for stretch in stretches(on: day, in: zone) where stretch.start <= moment && stretch.end > moment { return stretch.end }
    }
    return moment
  }

  private func stretches(on day: Int64, in zone: CELTimeZone) -> [(start: Instant, end: Instant)] {
    hours(on: day).map { hours in
      let midnight = day * 86_400_000
      return (zone.moment(atLocal: midnight + Int64(hours.from) * 60_000), zone.moment(atLocal: midnight + Int64(hours.to) * 60_000))
    }
  }
}

/// How long something takes: time as it passes, or time in which people work.
public enum TimeSpan: Hashable, Sendable {
  /// Time as it passes.
  case elapsed(Duration)
  /// Working days, and working hours after them, by the calendar of the process.
  case working(days: Int, time: Duration)

  /// `P2D`, or `P2D of working time`.
  public var words: String {
    switch self {
    case .elapsed(let duration): duration.iso8601
    case .working(let days, let time): (Duration.milliseconds(Int64(days) * 86_400_000) + time).iso8601 + " of working time"
    }
  }
}

extension CELTimeZone {
  /// What clocks show at a moment, in milliseconds, as though it were UTC.
  fileprivate func local(at moment: Instant) -> Int64 {
    moment.milliseconds + 1000 * Int64(offset(at: moment.milliseconds.flooredQuotient(by: 1000)))
  }

  /// When clocks first show a local time; where it is skipped, when the clock goes on.
  fileprivate func moment(atLocal local: Int64) -> Instant {
    let seconds = local.flooredQuotient(by: 1000)
    let moment = moments(atLocal: seconds, asHoursPass: false).first ?? seconds
    return Instant(milliseconds: moment * 1000 + (local - seconds * 1000))
  }
}
