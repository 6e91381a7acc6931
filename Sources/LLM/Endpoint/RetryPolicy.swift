internal import Core

/// When a failed request is sent again, and after which wait.
///
/// A pure value: randomness arrives as an argument.
public struct RetryPolicy: Hashable, Sendable {
  /// Requests after the first one.
  public var maximumRetries: Int
  /// The first wait; each further one doubles.
  public var initialDelay: Duration
  /// The longest wait of our own.
  public var maximumDelay: Duration
  /// The longest wait that an endpoint may ask for; when it asks for more, the turn ends and says so.
  public var maximumRetryAfter: Duration

  /// A policy with these parts; the defaults are those of OpenAI's own client.
  public init(
    maximumRetries: Int = 2, initialDelay: Duration = .milliseconds(500), maximumDelay: Duration = .seconds(8),
    maximumRetryAfter: Duration = .seconds(120)
  ) {
    self.maximumRetries = maximumRetries
    self.initialDelay = initialDelay
    self.maximumDelay = maximumDelay
    self.maximumRetryAfter = maximumRetryAfter
  }

  /// The wait before retry number `retry` (1 for the first).
  ///
  /// - Parameters:
  ///   - retry: Which retry it would be.
  ///   - asked: What the endpoint asked for, where it did.
  ///   - random: Evenly distributed in 0..<1. Our own waits are shortened by up to a quarter, so that clients do not return in step.
  /// - Returns: The wait, or `nil` when the retries are used up or the endpoint asks for more than ``maximumRetryAfter``.
  public func delay(before retry: Int, asked: Duration?, random: Double) -> Duration? {
    guard retry <= maximumRetries else { return nil }
    if let asked {
      if asked > maximumRetryAfter { return nil }
      if asked > .zero { return asked }
    }
    let doubled = initialDelay * (1 << min(retry - 1, 20))
    return min(doubled, maximumDelay) * (1 - 0.25 * random)
  }
}

/// What an answer's headers say about trying again.
struct RetryAdvice: Hashable {
  /// `x-should-retry`.
  var shouldRetry: Bool?
  /// `retry-after-ms` or `retry-after`; zero or less means that nothing usable was said.
  var after: Duration?

  init(shouldRetry: Bool? = nil, after: Duration? = nil) {
    self.shouldRetry = shouldRetry
    self.after = after
  }

  /// - Parameters:
  ///   - header: The value of a header.
  ///   - now: Used for a date when the answer carries no `Date` of its own.
  init(header: (String) -> String?, now: Instant) {
    switch header("x-should-retry") {
    case "true": shouldRetry = true
    case "false": shouldRetry = false
    default: break
    }
    if let text = header("retry-after-ms"), let milliseconds = Self.number(text) {
      after = .milliseconds(Int64(milliseconds))
    } else if let text = header("retry-after") {
      if let seconds = Self.number(text) {
        after = .milliseconds(Int64(seconds * 1000))
      } else if let date = Self.date(text) {
        after = date - (header("date").flatMap(Self.date) ?? now)
      }
    }
  }

  private static func number(_ text: String) -> Double? {
    guard text.utf8.count <= 20, let value = Double(text), value.isFinite, (0...1e9).contains(value) else { return nil }
    return value
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of HTTP dates that is still sent.
  static func date(_ text: String) -> Instant? {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "GMT", parts[0].hasSuffix(","), let month = months.firstIndex(of: String(parts[2])) else {
      return nil
    }
    func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
    guard let day = Int(parts[1]), (1...31).contains(day), parts[3].count == 4 else { return nil }
    return Instant(iso8601: "\(parts[3])-\(padded(month + 1))-\(padded(day))T\(parts[4])Z")
  }
}
