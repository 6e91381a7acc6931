/// What one socket takes: enough for an office, too little to hurt the machine.
public enum SocketLimits {
  /// The longest path of a socket in bytes, as the kernel's `sun_path` has room for it and its end.
  public static let pathBytes = 107
  /// The largest first frame, which holds a command line.
  public static let firstFrameBytes = 256 << 10
  /// The largest frame after it, of a client.
  public static let frameBytes = 512 << 10
  /// Bytes of a file that one frame carries.
  public static let chunkBytes = 192 << 10
  /// How many connections wait to say what they want or for their turn, of everybody.
  public static let waiting = 256
  /// How many of them are of one account; its oldest idle one makes room for a new one.
  public static let waitingPerAccount = 32
  /// How many commands run at the same time, of everybody and of one account; others wait their turn.
  public static let running = 48
  /// See ``running``.
  public static let runningPerAccount = 12
  /// How long a connection may take to say what it wants, in seconds.
  public static let helloSeconds = 10
  /// How long the other end may take to accept what it is sent, in seconds.
  public static let sendSeconds = 30
  /// How long a person may take to answer, in seconds.
  public static let answerSeconds = 1800
  /// How many bytes are kept for a reader that is slow.
  public static let unsentBytes = 8 << 20
}
