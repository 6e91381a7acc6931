public import Core

/// The clock, the sleep and the randomness of an endpoint's client, as values, so that tests wait for nothing.
public struct ModelTiming: Sendable {
  /// The monotonic clock.
  public var now: @Sendable () -> ContinuousClock.Instant
  /// Suspends; throws when the task is cancelled.
  public var sleep: @Sendable (Duration) async throws -> Void
  /// Evenly distributed in 0..<1.
  public var random: @Sendable () -> Double
  /// The wall clock, for dates in `Retry-After`.
  public var wall: TimeSource

  /// A timing with these parts.
  public init(
    now: @escaping @Sendable () -> ContinuousClock.Instant, sleep: @escaping @Sendable (Duration) async throws -> Void,
    random: @escaping @Sendable () -> Double, wall: TimeSource
  ) {
    self.now = now
    self.sleep = sleep
    self.random = random
    self.wall = wall
  }

  /// Real time.
  public static let system = ModelTiming(
    now: { .now }, sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) }, wall: .system)
}
