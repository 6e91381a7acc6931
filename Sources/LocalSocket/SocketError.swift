/// A socket that cannot be used, for people.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of problem it is.
  public enum Code: String, Sendable {
    /// The path is longer than a socket's address takes.
    case pathTooLong = "path-too-long"
    /// Another process listens there.
    case inUse = "in-use"
    /// Nobody listens there.
    case nobody
    /// The operating system does not let this account.
    case denied
    /// Whoever listens is not who should.
    case impostor
    /// The other end went away.
    case gone
    /// The other end did not answer, or did not take what it was sent, in time.
    case timedOut = "timed-out"
    /// Others have their turn first.
    case busy
    /// More bytes than a frame may have.
    case tooLarge = "too-large"
    /// Not a frame.
    case garbled
    /// The operating system refused.
    case system
  }

  /// What kind of problem it is.
  public var code: Code
  /// What is wrong: lower case, no full stop.
  public var message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
