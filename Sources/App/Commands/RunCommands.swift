internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// `remit run …`: executions of processes.
enum RunCommands {
  static let all = [start, list, show, cancel, pause, resume, answer, resolve]

  static let start = Command(
    path: ["run", "start"], summary: "start a run of a process, or many from a table",
    details: """
      With --from each row of a CSV file starts a run; its first line names the fields, an empty cell leaves a field out. What is wrong with a
      row is said with its line and keeps no other row from starting. A row that was started before in the same batch is not started again, so
      a file can be given again after a crash, or with its bad rows mended.
      """,
    examples: [
      .init("remit run start vendor-onboarding -f vendor='Acme GmbH' -f country=DE", "with values of fields"),
      .init("remit run start access-request --fields request.json5", "with a file of values"),
      .init("remit run start access-request --from requests.csv", "many"),
    ],
    arguments: [.init(name: "PROCESS", help: "a released process")],
    options: [
      .value("field", short: "f", "NAME=VALUE", repeats: true, "the value of a field"),
      .value("fields", "FILE", "a JSON5 object of fields; `-` is standard input"),
      .value("from", "FILE", "a CSV file with a run in each row; `-` is standard input"),
      .value("batch", "NAME", "what the rows belong to; the name of the file where nothing is said"),
      .value("trigger", "NAME", "the form that starts it, where the process has several"),
      .value("reason", short: "m", "TEXT", "why; kept with the request"),
    ],
    run: { context in
      let name = try context.arguments.required("PROCESS")
      let pairs = try context.arguments.pairs("field")
      return try await context.withWorkspace(.write) { workspace in
        let process = try await workspace.process(name)
        if let file = context.arguments.option("from") { return try await intake(file, process, pairs.isEmpty, workspace, context) }
        if context.arguments.option("batch") != nil { throw CommandError.usage("`--batch` goes with `--from`") }
        let fields = try await FieldInput.values(
          pairs, file: context.arguments.option("fields"), process: process, front: context.front)
        var arguments: JSONObject = ["process": .string(name)]
        if !fields.isEmpty { arguments["fields"] = .object(fields) }
        arguments["trigger"] = context.arguments.option("trigger").map { .string($0) }
        let run = workspace.gate.mintRunID()
        let outcome = try await workspace.submit(.startRun, arguments, run: run, reason: context.arguments.option("reason"))
        let now = workspace.now
        var json = outcome.json
        json["id"] = .string(run)
        return CommandResult(
          exit: outcome.exitCode, json: .object(json),
          notes: outcome.verdict == .permit
            ? ["`remit agent work` lets agents do their steps; `remit inbox` shows what waits for people"] : [],
          lines: { width in outcome.lines(of: "run \(run) of \(name)", now: now).flatMap { $0.wrapped(to: width) } })
      }
    })

  private static func intake(
    _ file: String, _ process: ProcessDefinition, _ isAlone: Bool, _ workspace: Workspace, _ context: CommandContext
  ) async throws -> CommandResult {
    if !isAlone || context.arguments.option("fields") != nil {
      throw CommandError.usage("`--from` has the fields of every run: leave `--field` and `--fields` out")
    }
    guard let batch = context.arguments.option("batch") ?? (file == "-" ? nil : file.split(separator: "/").last.map(String.init)) else {
      throw CommandError.usage("`--batch NAME` is missing", hint: "it says what the rows belong to, so that none is started twice")
    }
    let bytes = try await context.front.read(file, maximumBytes: 64 << 20)
    let intake = RunIntake(
      workspace: workspace, process: process, trigger: context.arguments.option("trigger"), reason: context.arguments.option("reason"),
      batch: batch)
    return RunIntake.result(try await intake.start(bytes), file: file)
  }

  static let list = Command(
    path: ["run", "list"], summary: "list runs, the latest first",
    examples: [
      .init("remit run list", "the latest 50"),
      .init("remit run list --status running --process vendor-onboarding", "those under way"),
      .init("remit run list --limit 1000 --json", "more of them, as JSON"),
    ],
    options: [
      .value("status", "STATUS", "only running, paused, completed or cancelled ones"),
      .value("process", "NAME", "only runs of this process"),
      .value("limit", short: "n", "N", "how many at most, up to 100000; 50 where nothing is said"),
    ],
    run: { context in
      let status = context.arguments.option("status")
      let known = RunState.Status.allCases.map(\.rawValue) + ["paused"]
      if let status, !known.contains(status) {
        throw CommandError.usage(
          "`--status \(visible(status))`: unknown status",
          hint: nearestName(to: status, in: known).map { "did you mean `\($0)`?" } ?? "one of: \(known.joined(separator: ", "))")
      }
      let process = context.arguments.option("process")
      let limit = try context.arguments.integer("limit", in: 1...100_000) ?? 50
      return try await context.withWorkspace(.read) { workspace in
        let now = workspace.now
        let (rows, total) = try await workspace.store.read { context in
          var conditions: [String] = []
          var values: [SQLValue] = []
          if let status { (conditions, values) = (conditions + ["status = ?"], values + [.text(status)]) }
          if let process { (conditions, values) = (conditions + ["process = ?"], values + [.text(process)]) }
          let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
          let total = try context.database.first("SELECT count(*) FROM run\(filter)", values) { $0.int(0) } ?? 0
          let rows = try context.database.query(
            "SELECT id, process, status, requester, started, updated, open, problems, release FROM run\(filter) ORDER BY first DESC LIMIT ?",
            values + [.int(limit)]
          ) { row in
            RunRow(
              id: row.text(0), process: row.text(1), status: row.text(2), requester: row.text(3),
              started: Instant(milliseconds: row.integer(4)),
              updated: Instant(milliseconds: row.integer(5)), open: row.int(6), problems: row.int(7), release: row.text(8))
          }
          return (rows, total)
        }
        var notes: [Shown] = []
        if rows.isEmpty { notes = ["no runs"] }
        if rows.count < total { notes = ["\(rows.count) of \(total) runs are shown; `--limit N` shows more"] }
        return CommandResult(
          json: ["runs": .array(rows.map(\.json)), "total": .int(total)], notes: notes,
          lines: { width in
            var table = Table([
              .init("Run"), .init("Process", wraps: true), .init("Status"), .init("Asked by", wraps: true), .init("Started"),
              .init("Open", .trailing),
            ])
            for row in rows {
              let tone: Shown.Tone =
                row.problems > 0
                ? .bad : row.status == "running" || row.status == "paused" ? .caution : row.status == "completed" ? .good : .faint
              table.add([
                "\(row.id, .strong)", Shown(row.process), Shown(row.status, tone), Shown(row.requester),
                Shown(row.started.relativeText(to: now)), "\(row.open)",
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  private struct RunRow: Sendable {
    var id, process, status, requester: String
    var started, updated: Instant
    var open, problems: Int
    var release: String

    var json: JSON {
      [
        "id": .string(id), "process": .string(process), "status": .string(status), "requester": .string(requester),
        "started": .string(started.iso8601), "updated": .string(updated.iso8601), "open_steps": .int(open), "problems": .int(problems),
        "release": .string(release),
      ]
    }
  }

  static let show = Command(
    path: ["run", "show"], summary: "show a run: fields, steps, evidence, every proposal with its verdict",
    examples: [
      .init("remit run show r-7k2m", "by the beginning of its id"),
      .init("remit run show r-7k2m --json", "as JSON"),
    ],
    arguments: [.init(name: "RUN", help: "the run's id, or the beginning of it")],
    run: { context in
      let text = try context.arguments.required("RUN")
      return try await context.withWorkspace(.read) { workspace in
        let id = try await workspace.runID(text)
        let view = try await workspace.store.read { context in try RunView(id, context) }
        let now = workspace.now
        return CommandResult(json: view.json, lines: { width in view.lines(width: width, now: now) })
      }
    })

  static let cancel = Command(
    path: ["run", "cancel"], summary: "end runs before their end",
    examples: [
      .init("remit run cancel r-7k2m --reason 'filed twice'", "with the reason that the log keeps"),
      .init("remit run cancel r-7k2m r-9p4q -m 'the project ended'", "several, each with its own result"),
    ],
    arguments: [.init(name: "RUN", help: "a run's id, or the beginning of it", repeats: true)],
    options: [.value("reason", short: "m", "TEXT", "why; required")],
    run: { context in try await actOnEach(context, .cancelRun, needsReason: true, "cancelled") })

  static let pause = Command(
    path: ["run", "pause"], summary: "let nothing happen in runs for now",
    details: """
      No step can be done, no agent or tool works and no timer fires; comments and answers are taken, and what had begun outside still ends.
      When the run is resumed, what is due or timed is later by as long as it was paused. By the owner of the process, or who asked for the run.
      """,
    examples: [.init("remit run pause r-7k2m -m 'the supplier is being sold'", "with the reason")],
    arguments: [.init(name: "RUN", help: "a run's id, or the beginning of it", repeats: true)],
    options: [.value("reason", short: "m", "TEXT", "why; required")],
    run: { context in try await actOnEach(context, .pauseRun, needsReason: true, "paused") })

  static let resume = Command(
    path: ["run", "resume"], summary: "let paused runs go on",
    details: "By who paused them, or the owner of the process.",
    examples: [.init("remit run resume r-7k2m", "it goes on")],
    arguments: [.init(name: "RUN", help: "a run's id, or the beginning of it", repeats: true)],
    run: { context in try await actOnEach(context, .resumeRun, needsReason: false, "resumed") })

  static let answer = Command(
    path: ["run", "answer"], summary: "answer a question of an agent",
    examples: [.init("remit run answer r-7k2m q1 'The contract is signed.'", "question q1 of that run")],
    arguments: [
      .init(name: "RUN", help: "the run's id, or the beginning of it"), .init(name: "QUESTION", help: "the question's id"),
      .init(name: "TEXT", help: "the answer"),
    ],
    run: { context in
      try await act(
        context, .answer,
        ["question": .string(try context.arguments.required("QUESTION")), "text": .string(try context.arguments.required("TEXT"))],
        "answered")
    })

  static let resolve = Command(
    path: ["run", "resolve"], summary: "resolve an exception of a run",
    examples: [.init("remit run resolve r-7k2m x1 retry", "try the step again")],
    arguments: [
      .init(name: "RUN", help: "the run's id, or the beginning of it"), .init(name: "EXCEPTION", help: "the exception's id"),
      .init(name: "RESOLUTION", help: "retry, proceed or end"),
    ],
    options: [.value("comment", short: "m", "TEXT", "what was done about it")],
    run: { context in
      let resolution = try context.arguments.required("RESOLUTION")
      guard ["retry", "proceed", "end"].contains(resolution) else {
        throw CommandError.usage("`\(visible(resolution))` is no resolution", hint: "one of: retry, proceed, end")
      }
      var arguments: JSONObject = ["exception": .string(try context.arguments.required("EXCEPTION")), "resolution": .string(resolution)]
      arguments["comment"] = context.arguments.option("comment").map { .string($0) }
      return try await act(context, .resolveException, arguments, "resolved")
    })

  /// Submits one built-in call about each of the runs that are named.
  private static func actOnEach(_ context: CommandContext, _ tool: BuiltinTool, needsReason: Bool, _ what: String) async throws
    -> CommandResult
  {
    var arguments: JSONObject = [:]
    if needsReason {
      guard let reason = context.arguments.option("reason") else { throw CommandError.usage("`--reason TEXT` is missing") }
      arguments["text"] = .string(reason)
    }
    let names = context.arguments.rest("RUN")
    if names.count == 1 { return try await act(context, tool, arguments, what) }
    return try await context.withWorkspace(.write) { workspace in
      var bulk = BulkResult()
      for name in names {
        try await bulk.add(name, ["run": .string(name)]) {
          try await workspace.submit(tool, arguments, run: try await workspace.runID(name))
        }
      }
      return bulk.result
    }
  }

  /// Submits one built-in call about a whole run.
  private static func act(_ context: CommandContext, _ tool: BuiltinTool, _ arguments: JSONObject, _ what: String) async throws
    -> CommandResult
  {
    let text = try context.arguments.required("RUN")
    return try await context.withWorkspace(.write) { workspace in
      let run = try await workspace.runID(text)
      let outcome = try await workspace.submit(tool, arguments, run: run)
      let now = workspace.now
      return CommandResult(
        exit: outcome.exitCode, json: .object(outcome.json),
        lines: { width in outcome.lines(of: "\(run) \(what)", now: now).flatMap { $0.wrapped(to: width) } })
    }
  }
}

extension Workspace {
  /// The process that new runs of a name follow.
  func process(_ name: String) async throws -> ProcessDefinition {
    let gate = gate
    return try await store.read { context in
      let shared = try context.shared()
      guard let current = shared.current(name) else { throw Self.unknownProcess(name, shared) }
      return try gate.release(current.digest, in: context).process
    }
  }

  /// Submits a built-in call of the person who gives the command.
  func submit(
    _ tool: BuiltinTool, _ arguments: JSONObject, run: String? = nil, step: String? = nil, reason: String? = nil, evidence: [Evidence] = [],
    by other: Identity? = nil
  ) async throws -> GateOutcome {
    let who = other ?? identity
    return try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: who.principal, identity: who, tool: tool.rawValue, arguments: arguments, run: run, step: step,
        reason: reason,
        isScripted: who.mode == .scripted),
      evidence: evidence)
  }
}
