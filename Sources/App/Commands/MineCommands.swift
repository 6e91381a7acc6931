internal import Audit
internal import Core
internal import EventData
internal import Governance
internal import ProcessMining

/// `remit mine …`: what really happens, from the log.
enum MineCommands {
  static let all = [map, variants, bottlenecks, conformance, export]

  /// Where the events come from.
  private static let source = [
    Command.Option.value("process", "NAME", "only runs of this process"),
    .value("log", "FILE", "an event log in XES, CSV or OCEL instead of this workspace's; `-` is standard input"),
    .value("map", "WORD=NAME", repeats: true, "which column of a CSV log says what, or which objects of OCEL are cases"),
  ]
  private static let details = """
    With --log the events come from a file and no workspace is needed. XES (IEEE 1849) is read as it is. Of a CSV table each row is an event,
    and --map says which columns are the case, the activity and the time, and where there are any the resource and the lifecycle:
    case=COLUMN, activity=COLUMN, time=COLUMN, resource=COLUMN, lifecycle=COLUMN. Times that have no zone need zone=UTC or zone=+02:00.
    Without a map the columns have the names that `remit mine export` gives them. Of OCEL 2.0 in JSON object=TYPE says which objects are the
    cases, and resource=QUALIFIER under which qualifier events name who did them.
    """
  private static let place: @Sendable (CommandContext) -> Command.Place = { $0.arguments.has("log") ? .local : .store }
  private static let limit = Command.Option.value("limit", short: "n", "N", "how many rows at most, up to 10000")

  static let map = Command(
    path: ["mine", "map"], summary: "show which step follows which, how often and how long after", details: details,
    examples: [
      .init("remit mine map", "as text"),
      .init("remit mine map --process vendor-onboarding --svg map.svg", "as a picture"),
      .init("remit mine map --log orders.xes", "of another system's log"),
    ],
    options: source + [limit, .value("svg", "FILE", "write the map as a self-contained SVG picture; `-` is standard output")],
    place: place,
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 40
      let path = context.arguments.option("svg")
      if path == "-", context.console.wantsJSON { throw CommandError.usage("`--svg -` and `--json` both write to standard output") }
      let log = try await Self.log(context)
      let graph = DirectlyFollowsGraph(log.log)
      var notes = Self.notes(log)
      if let path {
        let title = context.arguments.option("process") ?? context.arguments.option("log") ?? "All processes"
        let svg = ProcessMap(graph, options: ProcessMap.Options(title: title)).svg()
        if path == "-" {
          context.console.write(data: Array(svg.utf8))
          return CommandResult(json: nil, notes: notes)
        }
        try await context.front.write(OutputFile(path: path, bytes: Array(svg.utf8)), in: context.workspacePath)
        notes.append("the map is in \(path)")
      }
      return CommandResult(json: graph.json, notes: notes, lines: { width in Self.lines(graph.text(width: width, limit: limit), width) })
    })

  static let variants = Command(
    path: ["mine", "variants"], summary: "show the ways that runs take, the most frequent first", details: details,
    examples: [
      .init("remit mine variants", "of all processes"),
      .init("remit mine variants --process vendor-onboarding --json", "of one, as JSON"),
    ],
    options: source + [limit],
    place: place,
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 20
      let log = try await Self.log(context)
      let variants = Variants(log.log)
      return CommandResult(
        json: variants.json, notes: Self.notes(log), lines: { width in Self.lines(variants.text(width: width, limit: limit), width) })
    })

  static let bottlenecks = Command(
    path: ["mine", "bottlenecks"], summary: "show where work waits, and between whom", details: details,
    examples: [
      .init("remit mine bottlenecks", "steps, decisions and hand-offs by waiting time"),
      .init("remit mine bottlenecks --process vendor-onboarding --limit 5", "the five worst of one process"),
    ],
    options: source + [limit],
    place: place,
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 15
      let log = try await Self.log(context)
      let (places, handOffs) = (Bottlenecks(log.log), HandOffs(log.log))
      return CommandResult(
        json: ["bottlenecks": places.json, "hand_offs": handOffs.json], notes: Self.notes(log),
        lines: { width in Self.lines(places.text(width: width, limit: limit) + "\n" + handOffs.text(width: width, limit: limit), width) })
    })

  static let export = Command(
    path: ["mine", "export"], summary: "write the events of runs to a file for other tools",
    details: """
      Runs are cases; steps, and people's decisions on held proposals, are activities, with who did them and where in its life the work was.
      With --log a log of another system is written in the other format instead. CSV has no place for lists and for attributes of attributes;
      cells are written as they are, so a spreadsheet program may take one that begins with `=` for a formula. OCEL 2.0 (JSON) has the runs,
      steps, proposals, approvals, evidence, agents and people of this workspace as objects.

      \(details)
      """,
    examples: [
      .init("remit mine export log.xes", "all runs, in XES"),
      .init("remit mine export --format csv -", "in CSV, to standard output"),
      .init("remit mine export log.jsonocel", "with objects, in OCEL 2.0"),
    ],
    arguments: [.init(name: "OUT", help: "the file; `-` is standard output")],
    options: source + [.value("format", "FORMAT", "`xes`, `csv` or `ocel`; otherwise as the file's name ends")],
    place: place,
    run: { context in
      let path = try context.arguments.required("OUT")
      let format = try LogFile.Format(context.arguments.option("format"), path: path)
      if path == "-", context.console.wantsJSON { throw CommandError.usage("`OUT` is `-`, and `--json` writes to standard output too") }
      let (bytes, cases, events, notes) = try await Self.exported(context, format)
      if path == "-" {
        context.console.write(data: bytes)
        return CommandResult(json: nil, notes: notes)
      }
      try await context.front.write(OutputFile(path: path, bytes: bytes, mode: 0o600), in: context.workspacePath)
      return CommandResult(
        json: ["file": .string(path), "format": .string(format.rawValue), "cases": .int(cases), "events": .int(events)],
        notes: notes,
        lines: { _ in ["\("written", .good)  \(counted(events, "event", "events")) of \(counted(cases, "run", "runs")) to \(path)"] })
    })

  private static func exported(
    _ context: CommandContext, _ format: LogFile.Format
  ) async throws -> (bytes: [UInt8], cases: Int, events: Int, notes: [Shown]) {
    if format == .ocel, !context.arguments.has("log") {
      let log = try await context.withWorkspace(.read) { try await $0.objectLog(context) }
      let runs = log.objects.count { $0.type == "run" }
      return (try LogFile.Format.bytes(log), runs, log.events.count, runs == 0 ? ["no runs yet"] : [])
    }
    let log = try await log(context)
    return (try format.bytes(log), log.log.caseCount, log.log.eventCount, notes(log))
  }

  /// The log that the command is about: the file's that `--log` names, else the workspace's.
  private static func log(_ context: CommandContext) async throws -> AttributedLog {
    guard let path = context.arguments.option("log") else {
      guard context.arguments.all("map").isEmpty else { throw CommandError.usage("`--map` is about the file of `--log`") }
      return try await context.withWorkspace(.read) { AttributedLog(try await $0.eventLog(context)) }
    }
    guard context.arguments.option("process") == nil else {
      throw CommandError.usage("`--process` is about this workspace's log, `--log` about a file")
    }
    let map = try context.arguments.pairs("map")
    return try await Progress.during("reading `\(visible(path))`", on: context.console) { try LogFile.read(path, map: map) }
  }

  private static func notes(_ log: AttributedLog) -> [Shown] {
    if log.log.caseCount == 0 { return ["no runs yet"] }
    guard log.outOfOrder > 0 else { return [] }
    return ["\(counted(log.outOfOrder, "event", "events")) stood after a later one of the same case; here they are in order of time"]
  }

  /// The same on lines of at most that many columns.
  private static func lines(_ text: String, _ width: Int) -> [Shown] { lines(text).flatMap { $0.wrapped(to: width) } }

  /// Text of the miner, which is safe to print already, line by line.
  static func lines(_ text: String) -> [Shown] { Shown.message(text.hasSuffix("\n") ? String(text.dropLast()) : text) }
}

extension Workspace {
  /// The log as events, of the process that `--process` names.
  fileprivate func eventLog(_ context: CommandContext) async throws -> EventLog {
    try await mined(context) { try LogEvents.eventLog($0, process: $1) }
  }

  /// The log as events about objects, of the process that `--process` names.
  fileprivate func objectLog(_ context: CommandContext) async throws -> ObjectLog {
    try await mined(context) { try LogEvents.objectLog($0, process: $1) }
  }

  private func mined<Log: Sendable>(
    _ context: CommandContext, _ body: @escaping @Sendable (ReadContext<GovernanceLedger>, _ process: String?) throws -> Log
  ) async throws -> Log {
    let name = context.arguments.option("process")
    return try await Progress.during("reading the log", on: context.console) {
      try await store.read { view in
        if let name {
          let shared = try view.shared()
          guard shared.processes.contains(name) else { throw Workspace.unknownProcess(name, shared) }
        }
        return try body(view, name)
      }
    }
  }
}
