internal import Audit
internal import Core
internal import Governance
internal import ProcessModel

/// `remit stop` and `remit resume`.
enum StopCommands {
  static let all = [stop, resume]

  private static let scope = Command.Positional(
    name: "SCOPE", help: "agent:NAME, process:NAME or run:ID; the options say the same", isRequired: false)
  private static let scopes: [Command.Option] = [
    .value("agent", "NAME", "one agent, in every run"), .value("process", "NAME", "every run of a process"), .value("run", "ID", "one run"),
    .flag("all", "everything: all agents, all effects"),
  ]

  static let stop = Command(
    path: ["stop"], summary: "stop agents and effects: everywhere, of an agent, a process or a run",
    details:
      "Queued work does not begin, and calls that are under way are ended within a second. People can still look, comment and cancel.",
    examples: [
      .init("remit stop --all", "everything, at once"),
      .init("remit stop --agent risk-analyst", "one agent, in every run"),
      .init("remit stop --process vendor-onboarding", "every run of a process"),
      .init("remit stop run:r-7k2mx0q4v9c1t8za", "one run"),
    ],
    arguments: [scope], options: scopes, run: { try await set($0, isStopped: true) })

  static let resume = Command(
    path: ["resume"], summary: "lift a stop",
    examples: [
      .init("remit resume --all", "lift every stop"),
      .init("remit resume --agent risk-analyst", "the stop of one agent"),
    ],
    arguments: [scope], options: scopes, run: { try await set($0, isStopped: false) })

  private static func set(_ context: CommandContext, isStopped: Bool) async throws -> CommandResult {
    let named = try named(context.arguments)
    return try await context.withWorkspace(.write) { workspace in
      // A stop that is in force can be lifted whatever has become of what it names.
      let scope = isStopped ? try await existing(named, in: workspace) : named ?? "all"
      let outcome = try await workspace.gate.setStop(scope, isStopped, by: workspace.identity)
      let stops = try await workspace.store.read { try $0.shared().stops }
      let now = workspace.now
      var json = outcome.json
      json["stops"] = .array(stops.map { .string($0) })
      return CommandResult(
        exit: outcome.exitCode, json: .object(json),
        lines: { width in
          var lines = outcome.lines(of: isStopped ? "work is stopped for \(scope)" : "the stop for \(scope) is lifted", now: now)
          if !stops.isEmpty { lines.append("      stopped now: \(stops.joined(separator: ", "))") }
          return lines.flatMap { $0.wrapped(to: width) }
        })
    }
  }

  /// The scope as it was named, by the argument or by one of the options; nil for everything.
  private static func named(_ arguments: ParsedArguments) throws -> String? {
    var scopes = ["agent", "process", "run"].compactMap { kind in arguments.option(kind).map { "\(kind):\($0)" } }
    if let scope = arguments.argument("SCOPE") { scopes.append(scope) }
    guard scopes.count + (arguments.flag("all") ? 1 : 0) == 1 else {
      throw CommandError.usage("name one scope, or `--all`", hint: "`--agent NAME`, `--process NAME`, `--run ID` or `--all`")
    }
    return scopes.first
  }

  /// The scope in full, of something that is there: a mistyped name must not look as if work were stopped.
  private static func existing(_ named: String?, in workspace: Workspace) async throws -> String {
    guard let named else { return "all" }
    let parts = named.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[1].isEmpty else {
      throw CommandError.usage("`\(visible(named))` is no scope", hint: "a scope is agent:NAME, process:NAME or run:ID")
    }
    let (kind, name) = (parts[0], parts[1])
    if kind == "run" { return "run:\(try await workspace.runID(name))" }
    let gate = workspace.gate
    let known = try await workspace.store.read { context in
      let shared = try context.shared()
      if kind == "process" { return shared.processes }
      // Runs follow the release that they began under, so agents of earlier ones may be at work still.
      return try shared.releases.flatMap { try gate.release($0.digest, in: context).process.agents.map(\.name) }
    }
    guard ["agent", "process"].contains(kind) else {
      throw CommandError.usage("`\(visible(kind))` is no kind of scope", hint: "a scope is agent:NAME, process:NAME or run:ID")
    }
    guard known.contains(where: { bytesEqual($0, name) }) else {
      let hint =
        nearestName(to: name, in: known).map { "did you mean `\(kind):\($0)`?" }
        ?? "`remit stop --all` stops everything; there are: \(Set(known).sorted().joined(separator: ", "))"
      throw CommandError(.notFound, "\(kind)-unknown", "there is no \(kind) `\(visible(name))`; nothing was stopped", hint: hint)
    }
    return named
  }
}
