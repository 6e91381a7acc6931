/// What one exchange may cost at most.
///
/// Every limit has an error of its own that states it.
public struct HTTPLimits: Hashable, Sendable {
  /// The whole exchange, from queueing to the last byte.
  public var timeout: Duration
  /// Name lookup, TCP and TLS together.
  public var connectTimeout: Duration
  /// The body of the answer, in bytes.
  ///
  /// A larger `Content-Length` is refused before any of it is read.
  public var maximumBodyBytes: Int
  /// The header lines of the answer, in bytes, interim answers included.
  public var maximumHeaderBytes: Int
  /// Bytes that an answer must bring in every ``slowWindow`` once its first header line has come.
  ///
  /// The wait for that line is not covered, because a model may think for minutes before it answers; ``timeout`` covers it.
  public var minimumBytesPerWindow: Int
  /// The length of the window of ``minimumBytesPerWindow``; checked about once a second.
  public var slowWindow: Duration

  /// Limits for an ordinary exchange; each can be changed on its own.
  public init(
    timeout: Duration = .seconds(60), connectTimeout: Duration = .seconds(5), maximumBodyBytes: Int = 16 << 20,
    maximumHeaderBytes: Int = 64 << 10, minimumBytesPerWindow: Int = 64, slowWindow: Duration = .seconds(10)
  ) {
    self.timeout = timeout
    self.connectTimeout = connectTimeout
    self.maximumBodyBytes = maximumBodyBytes
    self.maximumHeaderBytes = maximumHeaderBytes
    self.minimumBytesPerWindow = minimumBytesPerWindow
    self.slowWindow = slowWindow
  }
}

extension Duration {
  /// Whole milliseconds, rounded up, and at least 1: curl takes 0 for "no limit".
  var atLeastOneMillisecond: Int {
    let (seconds, attoseconds) = components
    let limit = Int64(Int32.max)
    guard seconds < limit / 1000 else { return Int(limit) }
    return Int(max(1, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
  }

  /// Seconds with at most three digits of fraction, such as `2.5 s`.
  var shown: String {
    let milliseconds = atLeastOneMillisecond
    let fraction = milliseconds % 1000
    guard fraction != 0 else { return "\(milliseconds / 1000) s" }
    var digits = String(1000 + fraction).dropFirst()
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(milliseconds / 1000).\(digits) s"
  }
}
