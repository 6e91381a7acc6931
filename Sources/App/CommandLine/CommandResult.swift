internal import Core

/// What a command answers: the same facts for programs and for people.
struct CommandResult: Sendable {
  /// The result with a stable shape, for `--json`; nil where everything was written already.
  var json: JSON?
  /// The result for a screen of that many columns, line by line.
  var lines: @Sendable (Int) -> [Shown]
  /// Words beside the result, for standard error; left out with `--json`.
  var notes: [Shown]
  var exit: ExitCode

  init(
    exit: ExitCode = .done, json: JSON?, notes: [Shown] = [],
    lines: @escaping @Sendable (_ width: Int) -> [Shown] = { _ in [] }
  ) {
    self.json = json
    self.lines = lines
    self.notes = notes
    self.exit = exit
  }
}

/// What a command gets to work with.
struct CommandContext: Sendable {
  var arguments: ParsedArguments
  var console: Console
  var environment: Environment
  /// Where the person is who gives the command.
  var front: any Front = LocalFront()
  /// The session of the service in which it runs; nil in a process of its own.
  var session: Session?

  /// The folder of the workspace: `--workspace`, else `REMIT_WORKSPACE`, else the current folder; for a client of the service, theirs.
  var workspacePath: String {
    if let session { return session.folder }
    if let path = arguments.option("workspace") { return path }
    if let path = environment["REMIT_WORKSPACE"], !path.isEmpty { return path }
    return "."
  }
}
