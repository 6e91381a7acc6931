/// What a program that ended by itself left.
public struct InvocationResult: Hashable, Sendable {
  /// How the program ended.
  public enum Termination: Hashable, Sendable, CustomStringConvertible {
    /// With this exit code, 0...255.
    case exited(Int32)
    /// By a signal that was not ours.
    case signalled(Int32)

    /// `exit code 3` or `SIGSEGV`.
    public var description: String {
      switch self {
      case .exited(let code): "exit code \(code)"
      case .signalled(let signal): signalName(signal)
      }
    }
  }

  /// A non-zero code is an answer and no thrown error.
  public var termination: Termination
  /// Standard output.
  public var output: [UInt8]
  /// Standard error.
  public var errorOutput: [UInt8]
  /// From the start to the end.
  public var duration: Duration

  /// A result with these parts.
  public init(termination: Termination, output: [UInt8] = [], errorOutput: [UInt8] = [], duration: Duration = .zero) {
    self.termination = termination
    self.output = output
    self.errorOutput = errorOutput
    self.duration = duration
  }

  /// Whether the program exited with code 0.
  public var succeeded: Bool { termination == .exited(0) }
}
