import Glibc
import Synchronization

/// One run of a local program: no shell, an explicit environment, a process group of its own, and limits.
public struct Invocation: Hashable, Sendable {
  /// The program.
  public var executable: Executable
  /// Passed as they are, after the program's own path as argument 0.
  public var arguments: [String]
  /// The variable of the environment by which processes are known that left the group; its value is in no other run.
  ///
  /// Where it is nil, or a process clears its environment, they are out of reach.
  public var mark: String?
  /// The whole environment: nothing is inherited.
  public var environment: [String: String]
  /// The folder to start in; `nil` for this process's own.
  public var workingDirectory: String?
  /// Written to standard input, which is then closed.
  public var input: [UInt8]
  /// What the run may cost.
  public var limits: InvocationLimits

  /// An invocation with these parts.
  public init(
    _ executable: Executable, _ arguments: [String] = [], environment: [String: String] = [:], workingDirectory: String? = nil,
    input: [UInt8] = [], limits: InvocationLimits = InvocationLimits()
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.input = input
    self.limits = limits
  }

  /// Runs the program to its end.
  ///
  /// Both outputs are read at the same time. When the program ends, a limit is reached or the task is cancelled, everything that is
  /// left of its process group is killed, so nothing runs on behind the caller's back; a process that left the group (`setsid`) is
  /// found by ``mark``. The wait takes a thread of its own, none of Swift's shared pool.
  ///
  /// - Returns: How it ended and what it wrote. A non-zero exit code is a result.
  /// - Throws: ``SubprocessError``. ``SubprocessError/wasStarted`` says whether the program ran.
  public func run() async throws(SubprocessError) -> InvocationResult {
    let supervisor = Supervisor(self)
    let result: Supervisor.Outcome = await withTaskCancellationHandler {
      await withUnsafeContinuation { supervisor.start($0) }
    } onCancel: {
      supervisor.cancel()
    }
    return try result.get()
  }

  /// Refuses what the system would cut off or misread.
  func checkArguments() throws(SubprocessError) {
    let name = executable.description
    if let index = arguments.firstIndex(where: { $0.utf8.contains(0) }) {
      throw SubprocessError(.invalidArgument, name, "argument \(index + 1) of `\(name)` contains a NUL byte")
    }
    for key in environment.keys.sorted() {
      guard !key.isEmpty, !key.utf8.contains(UInt8(ascii: "=")), !key.utf8.contains(0) else {
        throw SubprocessError(.invalidArgument, name, "`\(key)` is no name for an environment variable of `\(name)`")
      }
      if environment[key]?.utf8.contains(0) == true {
        throw SubprocessError(.invalidArgument, name, "the environment variable `\(key)` of `\(name)` contains a NUL byte")
      }
    }
    if let directory = workingDirectory, directory.utf8.contains(0) {
      throw SubprocessError(.workingDirectory, name, "the working directory of `\(name)` contains a NUL byte")
    }
  }
}
