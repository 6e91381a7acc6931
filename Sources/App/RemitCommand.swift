internal import Core
internal import Glibc

/// The command line `remit`, as one call.
public enum RemitCommand {
  /// The version that `remit --version` prints.
  public static let version = "0.1.0"

  /// Runs one command and answers its exit code.
  ///
  /// Results go to standard output, words to standard error. Nothing is opened, read or connected before the arguments were
  /// understood, so that `--help` costs only the start of the process.
  ///
  /// - Parameter arguments: The process's arguments as bytes, its own name first.
  /// - Returns: The exit code, one of ``ExitCode``, or 141 when the reader of standard output went away.
  public static func main(_ arguments: [[UInt8]]) async -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    let texts = arguments.compactMap { String(validating: $0, as: UTF8.self) }
    let environment = Environment.process
    let terminal = Terminal.detect(environment)
    if texts.count < arguments.count {
      let place = arguments.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
      let console = Console(terminal: terminal, wantsJSON: false, output: .descriptor(STDOUT_FILENO), words: .descriptor(STDERR_FILENO))
      return console.write(CommandError.usage("argument \(place) is not UTF-8")).rawValue
    }
    return await run(
      Array(texts.dropFirst()), environment: environment, terminal: terminal, output: .descriptor(STDOUT_FILENO),
      words: .descriptor(STDERR_FILENO))
  }

  /// As ``main(_:)``, with everything that the process would give passed in.
  static func run(
    _ arguments: [String], environment: Environment, terminal: Terminal, output: Sink, words: Sink, commands: CommandTable = .remit,
    front: any Front = LocalFront(), session: Session? = nil
  ) async -> Int32 {
    let wantsJSON = ArgumentParser.asksForJSON(arguments)
    let console = Console(terminal: terminal, wantsJSON: wantsJSON, output: output, words: words)
    do {
      switch try ArgumentParser(commands: commands).parse(arguments) {
      case .version:
        return console.exitStatus(console.write(CommandResult(json: ["version": .string(version)], lines: { _ in ["remit \(version)"] })))
      case .help(let topic):
        Help(commands: commands).show(topic, on: console)
      case .command(let command, let parsed):
        let context = CommandContext(arguments: parsed, console: console, environment: environment, front: front, session: session)
        switch command.place(context) {
        case .local where session != nil:
          throw CommandError(.identity, "local-only", "`remit \(command.name)` runs where its files are, not in the service")
        case .store where session == nil:
          if let connection = try ServicePlace.connect(context.workspacePath, environment) {
            return try await RemoteCommand(arguments: arguments, context: context, output: output, words: words).run(connection)
          }
        default: break
        }
        return console.exitStatus(console.write(try await command.run(context)))
      }
      return console.exitStatus(.done)
    } catch {
      return console.exitStatus(console.write(CommandError(describing: error)))
    }
  }
}
