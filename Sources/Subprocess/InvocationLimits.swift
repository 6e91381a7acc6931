/// What one run of a program may cost at most.
///
/// Each limit has an error that states it.
public struct InvocationLimits: Hashable, Sendable {
  /// From the start to the program's exit; then the process group gets SIGTERM.
  public var time: Duration
  /// From SIGTERM to SIGKILL, for a program that does not end by itself.
  public var grace: Duration
  /// How long to wait, once the program has ended, for the rest of its output while a process that it left behind holds the pipes.
  public var drain: Duration
  /// Standard output, in bytes.
  public var outputBytes: Int
  /// Standard error, in bytes.
  public var errorBytes: Int

  /// Limits for an ordinary tool call; each can be changed on its own.
  public init(
    time: Duration = .seconds(30), grace: Duration = .milliseconds(400), drain: Duration = .milliseconds(200),
    outputBytes: Int = 4 << 20, errorBytes: Int = 256 << 10
  ) {
    self.time = time
    self.grace = grace
    self.drain = drain
    self.outputBytes = outputBytes
    self.errorBytes = errorBytes
  }
}

extension Duration {
  /// Nanoseconds, at least 0 and at most about 146 years.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 4_600_000_000 else { return 4_600_000_000_000_000_000 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }
}
