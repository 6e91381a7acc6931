import Glibc

/// A program that could not be started, or was ended by us.
///
/// Match on ``code``. ``message`` names the executable, the limit and the signal; neither arguments nor environment appear in it.
public struct SubprocessError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, stable across releases.
  public enum Code: String, Hashable, Sendable {
    /// There is no such program.
    case executableNotFound = "executable-not-found"
    /// The file is a folder, a device, or not marked executable.
    case notExecutable = "not-executable"
    /// The working directory cannot be entered.
    case workingDirectory = "working-directory"
    /// An argument or an environment entry cannot be passed on: NUL, or `=` in a name.
    case invalidArgument = "invalid-argument"
    /// The system refused: too many processes, descriptors, or too little memory.
    case system
    /// ``InvocationLimits/time`` passed.
    case timeLimit = "time-limit"
    /// ``InvocationLimits/outputBytes`` were exceeded.
    case outputLimit = "output-limit"
    /// ``InvocationLimits/errorBytes`` were exceeded.
    case errorOutputLimit = "error-output-limit"
    /// The task was cancelled.
    case cancelled
  }

  /// What to match on.
  public let code: Code
  /// The path or the name of the program.
  public let executable: String
  /// One line for people.
  public let message: String
  /// Whether the program ran, so that it may have had effects.
  public let wasStarted: Bool
  /// Standard output until then.
  public let output: [UInt8]
  /// Standard error until then.
  public let errorOutput: [UInt8]

  /// An error with these parts.
  public init(
    _ code: Code, _ executable: String, _ message: String, wasStarted: Bool = false, output: [UInt8] = [], errorOutput: [UInt8] = []
  ) {
    self.code = code
    self.executable = executable
    self.message = message
    self.wasStarted = wasStarted
    self.output = output
    self.errorOutput = errorOutput
  }

  /// The message.
  public var description: String { message }
}

/// The name of a signal, such as `SIGTERM`.
public func signalName(_ signal: Int32) -> String {
  let names: [Int32: String] = [
    SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS",
    SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE",
    SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGSYS: "SIGSYS", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
  ]
  return names[signal] ?? "signal \(signal)"
}

/// The system's words for an error number.
func systemText(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
