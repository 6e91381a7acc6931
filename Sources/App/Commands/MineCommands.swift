internal import Audit
internal import Core
internal import EventData
internal import Governance
internal import ProcessMining

/// `remit mine …`: what really happens, from the log.
enum MineCommands {
  static let all = [map, variants, bottlenecks]

  private static let process = Command.Option.value("process", "NAME", "only runs of this process")
  private static let limit = Command.Option.value("limit", short: "n", "N", "how many rows at most, up to 10000")

  static let map = Command(
    path: ["mine", "map"], summary: "show which step follows which, how often and how long after",
    examples: [
      .init("remit mine map", "as text"),
      .init("remit mine map --process vendor-onboarding --svg map.svg", "as a picture"),
    ],
    options: [process, limit, .value("svg", "FILE", "write the map as a self-contained SVG picture; `-` is standard output")],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 40
      let path = context.arguments.option("svg")
      if path == "-", context.console.wantsJSON { throw CommandError.usage("`--svg -` and `--json` both write to standard output") }
      return try await context.withWorkspace(.read) { workspace in
        let log = try await workspace.eventLog(context)
        let graph = DirectlyFollowsGraph(log)
        var notes = Self.notes(log)
        if let path {
          let title = context.arguments.option("process") ?? "All processes"
          let svg = ProcessMap(graph, options: ProcessMap.Options(title: title)).svg()
          if path == "-" {
            context.console.write(data: Array(svg.utf8))
            return CommandResult(json: nil, notes: notes)
          }
          try await context.front.write(OutputFile(path: path, bytes: Array(svg.utf8)), in: context.workspacePath)
          notes.append("the map is in \(path)")
        }
        return CommandResult(json: graph.json, notes: notes, lines: { width in Self.lines(graph.text(width: width, limit: limit), width) })
      }
    })

  static let variants = Command(
    path: ["mine", "variants"], summary: "show the ways that runs take, the most frequent first",
    examples: [
      .init("remit mine variants", "of all processes"),
      .init("remit mine variants --process vendor-onboarding --json", "of one, as JSON"),
    ],
    options: [process, limit],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 20
      return try await context.withWorkspace(.read) { workspace in
        let log = try await workspace.eventLog(context)
        let variants = Variants(log)
        return CommandResult(
          json: variants.json, notes: Self.notes(log), lines: { width in Self.lines(variants.text(width: width, limit: limit), width) })
      }
    })

  static let bottlenecks = Command(
    path: ["mine", "bottlenecks"], summary: "show where work waits, and between whom",
    examples: [
      .init("remit mine bottlenecks", "steps, decisions and hand-offs by waiting time"),
      .init("remit mine bottlenecks --process vendor-onboarding --limit 5", "the five worst of one process"),
    ],
    options: [process, limit],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 15
      return try await context.withWorkspace(.read) { workspace in
        let log = try await workspace.eventLog(context)
        let (places, handOffs) = (Bottlenecks(log), HandOffs(log))
        return CommandResult(
          json: ["bottlenecks": places.json, "hand_offs": handOffs.json], notes: Self.notes(log),
          lines: { width in Self.lines(places.text(width: width, limit: limit) + "\n" + handOffs.text(width: width, limit: limit), width) })
      }
    })

  private static func notes(_ log: EventLog) -> [Shown] { log.caseCount == 0 ? ["no runs yet"] : [] }

  /// The same on lines of at most that many columns.
  private static func lines(_ text: String, _ width: Int) -> [Shown] { lines(text).flatMap { $0.wrapped(to: width) } }

  /// Text of the miner, which is safe to print already, line by line.
  static func lines(_ text: String) -> [Shown] { Shown.message(text.hasSuffix("\n") ? String(text.dropLast()) : text) }
}

extension Workspace {
  /// The log as events, of the process that `--process` names.
  fileprivate func eventLog(_ context: CommandContext) async throws -> EventLog {
    let name = context.arguments.option("process")
    return try await Progress.during("reading the log", on: context.console) {
      try await store.read { view in
        if let name {
          let shared = try view.shared()
          guard shared.processes.contains(name) else { throw Workspace.unknownProcess(name, shared) }
        }
        return try LogEvents.eventLog(view, process: name)
      }
    }
  }
}
