/// Leaves an endpoint alone for a while after it failed several times in a row, so that a thousand runs do not each find out alone.
///
/// A pure state machine: closed → (failures in a row) → open → (time) → one probe → closed again, or open for twice as long.
public struct CircuitBreaker: Hashable, Sendable {
  /// Failures in a row that open it.
  public let threshold: Int
  /// How long it stays open the first time.
  public let cooldown: Duration
  /// The longest time that it stays open.
  public let maximumCooldown: Duration

  private var failures = 0
  private var openings = 0
  private var openUntil: ContinuousClock.Instant?
  private var isProbing = false

  /// A closed breaker.
  public init(threshold: Int = 5, cooldown: Duration = .seconds(30), maximumCooldown: Duration = .seconds(300)) {
    self.threshold = threshold
    self.cooldown = cooldown
    self.maximumCooldown = maximumCooldown
  }

  /// Asks to send a request.
  ///
  /// - Returns: `nil` to go on, and then ``succeeded()``, ``failed(now:)`` or ``abandoned()`` must follow; otherwise how long to wait.
  public mutating func admit(now: ContinuousClock.Instant) -> Duration? {
    guard let openUntil else { return nil }
    if now < openUntil { return openUntil - now }
    if isProbing { return cooldown }
    isProbing = true
    return nil
  }

  /// The endpoint answered, be it with a refusal of the request.
  public mutating func succeeded() {
    failures = 0
    openings = 0
    openUntil = nil
    isProbing = false
  }

  /// The endpoint was not reached, did not answer, or failed itself.
  public mutating func failed(now: ContinuousClock.Instant) {
    failures += 1
    let wasProbe = isProbing
    isProbing = false
    guard wasProbe || (openUntil == nil && failures >= threshold) else { return }
    openUntil = now + min(cooldown * (1 << min(openings, 10)), maximumCooldown)
    openings += 1
  }

  /// The request ended without a word about the endpoint, such as by cancellation.
  public mutating func abandoned() { isProbing = false }
}
