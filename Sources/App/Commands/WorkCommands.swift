internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit step …`: whose work a step is, and what becomes of it where it is not simply done.
enum WorkCommands {
  static let all = [list, claim, release, delegate, reassign, skip, sendBack]

  static let list = Command(
    path: ["step", "list"], summary: "show open steps: yours, a role's, a person's or everybody's",
    details: """
      What is due comes first. Without an option these are the steps that you can do now: for you, or for a role of yours and taken by nobody
      else. A step that was brought before another role or person because it was late stands in that queue as well.
      """,
    examples: [
      .init("remit step list", "what you can do"),
      .init("remit step list --role procurement --late", "what is late in a role's queue"),
      .init("remit step list --person ana", "what is Ana's alone"),
      .init("remit step list --everybody --process vendor-onboarding", "all of it"),
    ],
    options: [
      .value("role", "ROLE", "the queue of a role"), .value("person", "NAME", "what is one person's alone"),
      .flag("everybody", "the queues of all roles and people"),
      .value("process", "NAME", "only steps of this process"), .flag("late", "only what is late"),
      .value("limit", short: "n", "N", "how many at most, up to 10000; 50 where nothing is said"),
    ],
    run: { context in
      let (role, person) = (context.arguments.option("role"), context.arguments.option("person"))
      let everybody = context.arguments.flag("everybody")
      if [role != nil, person != nil, everybody].count(where: { $0 }) > 1 {
        throw CommandError.usage("only one of `--role`, `--person` and `--everybody` can be given")
      }
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 50
      return try await context.withWorkspace(.read) { workspace in
        let (identity, now) = (workspace.identity, workspace.now)
        let lateAt = context.arguments.flag("late") ? now : nil
        let process = context.arguments.option("process")
        let (items, total) = try await workspace.store.read { view in
          let directory = try view.shared().directory
          if let role, !directory.roles.contains(where: { $0.name == role }) {
            throw Self.unknown("role", role, directory.roles.map(\.name))
          }
          let principal = person.map { $0.hasPrefix("user:") ? $0 : "user:\($0)" }
          if let principal, directory.person(principal) == nil {
            throw Self.unknown("person", principal, directory.people.map(\.principal))
          }
          let roles = identity.isOperator ? directory.roles.map(\.name) : directory.roles(of: identity.principal)
          let scope: WorkQueue.Scope =
            if let role { .role(role) } else if let principal { .person(principal) } else if everybody { .people } else {
              .mine(person: identity.principal, roles: roles)
            }
          return try WorkQueue(scope: scope, process: process, lateAt: lateAt).read(limit: limit, view)
        }
        var notes: [Shown] = items.isEmpty ? ["no open steps"] : []
        if items.count < total { notes = ["\(items.count) of \(total) steps are shown; `--limit N` shows more"] }
        return CommandResult(
          json: ["steps": .array(items.map(\.json)), "total": .int(total)], notes: notes,
          lines: { width in
            var table = Table([
              .init("Run"), .init("Step"), .init("Title", wraps: true), .init("For"), .init("Due"),
            ])
            for item in items {
              let isLate = item.due.map { $0 < now } ?? false
              let state: Shown = item.status == "ready" ? "" : " \(item.status, .caution)"
              table.add([
                "\(item.run, .strong)", "\(item.step)\(state)", Shown(item.title), Shown(Self.name(item.assignee ?? item.performer)),
                Shown(item.due.map { $0.relativeText(to: now) } ?? "", isLate ? .bad : .plain),
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  /// A role's or person's name without what it is a name of, which the table has no room for.
  private static func name(_ principal: String) -> String {
    for kind in ["role:", "user:"] where principal.hasPrefix(kind) { return String(principal.dropFirst(kind.count)) }
    return principal
  }

  private static func unknown(_ kind: String, _ name: String, _ known: [String]) -> CommandError {
    CommandError(
      .notFound, "\(kind)-unknown", "there is no \(kind) `\(visible(name))`",
      hint: nearestName(to: name, in: known).map { "did you mean `\($0)`?" })
  }

  static let claim = Action(
    verb: "claim", tool: .claimStep, summary: "take a step that several people could do", done: "taken",
    details: "Nobody else can do it then, until you release it; only those to whom it is escalated when it is late.",
    examples: [.init("remit step claim r-7k2m review", "take it"), .init("remit step claim --from mine.csv", "many, a step a row")]
  ).command
  static let release = Action(
    verb: "release", tool: .releaseStep, summary: "give a step back to all who could do it", done: "released", reason: .optional,
    details: "By who has it, or by the owner of the process.", examples: [.init("remit step release r-7k2m review", "give it back")]
  ).command
  static let delegate = Action(
    verb: "delegate", tool: .delegateStep, summary: "give a step to another of those who could do it", done: "delegated", to: "user:NAME",
    reason: .optional,
    details: "To somebody who holds the role that the step is for; the owner of the process can `reassign` it to anybody else.",
    examples: [.init("remit step delegate r-7k2m review --to user:kira", "Kira does it")]
  ).command
  static let reassign = Action(
    verb: "reassign", tool: .reassignStep, summary: "give a step to another role or person", done: "reassigned", to: "PERFORMER",
    reason: .required,
    details: "By the owner of the process: the step is then for another role or person than the process says, and the log says why.",
    examples: [.init("remit step reassign r-7k2m review --to role:legal -m 'a novel case'", "another role")]
  ).command
  static let skip = Action(
    verb: "skip", tool: .skipStep, summary: "go past a step without doing it, where the process lets you", done: "skipped",
    reason: .required,
    details: """
      By whom `skip` of the step names in the process file; a step without it cannot be skipped. A control that stands before the step holds
      its skipping as it holds its completion.
      """,
    examples: [.init("remit step skip r-7k2m visit -m 'visited in May'", "with the reason")]
  ).command
  static let sendBack = Action(
    verb: "send-back", tool: .sendBack, summary: "send work back from an open step to an earlier one", done: "sent back", to: "STEP",
    reason: .required,
    details: """
      The earlier step is open again, with the values that it had; what came after it is done again. Refused where a step in between has
      reached the outside, since that would happen twice.
      """,
    examples: [.init("remit step send-back r-7k2m review --to collect -m 'page 2 is missing'", "do it again")]
  ).command
}

/// A command that makes one proposal about a step, or one for each row of a file.
private struct Action {
  enum Reason { case none, optional, required }

  var verb: String
  var tool: BuiltinTool
  var summary: String
  /// What its outcome is called.
  var done: String
  /// What stands for the value of `--to`.
  var to: String?
  var reason = Reason.none
  var details: String
  var examples: [Command.Example]

  var command: Command {
    var options: [Command.Option] = []
    if let to { options.append(.value("to", to, "whom or what it goes to")) }
    switch reason {
    case .none: break
    case .optional: options.append(.value("reason", short: "m", "TEXT", "why; kept in the log"))
    case .required: options.append(.value("reason", short: "m", "TEXT", "why, for the log; needed"))
    }
    options.append(.value("from", "FILE", "a CSV file with a step in each row; `-` is standard input"))
    let columns = (to == nil ? [] : ["to"]) + (reason == .none ? [] : ["reason"])
    let named = (["run", "step"] + columns).map { "`\($0)`" }.joined(separator: ", ")
    return Command(
      path: ["step", verb], summary: summary,
      details: details + "\n\nWith --from each row of a file with the columns \(named) is one item with a result of its own.",
      examples: examples,
      arguments: [
        .init(name: "RUN", help: "the run's id, or the beginning of it", isRequired: false),
        .init(name: "STEP", help: "the step, as `remit run show` names it", isRequired: false),
      ], options: options, run: { context in try await run(context, columns: columns) })
  }

  private func run(_ context: CommandContext, columns: [String]) async throws -> CommandResult {
    let shared = columns.filter { context.arguments.has($0) }.map { name in (name: name, value: context.arguments.option(name) ?? "") }
    if let file = context.arguments.option("from") {
      if context.arguments.argument("RUN") != nil { throw CommandError.usage("`--from` names the runs: leave RUN and STEP out") }
      let bytes = try await context.front.read(file, maximumBytes: 16 << 20)
      let table = try StepTable(bytes, columns: columns.filter { column in !shared.contains { $0.name == column } })
      return try await context.withWorkspace(.write) { workspace in try await each(of: table, shared, file, workspace) }
    }
    let (run, step) = (try context.arguments.required("RUN"), try context.arguments.required("STEP"))
    let arguments = try self.arguments(shared)
    return try await context.withWorkspace(.write) { workspace in
      let run = try await workspace.runID(run)
      let outcome = try await workspace.submit(tool, arguments, run: run, step: step)
      let now = workspace.now
      return CommandResult(
        exit: outcome.exitCode, json: .object(outcome.json),
        lines: { width in outcome.lines(of: "step \(step) of \(run) \(done)", now: now).flatMap { $0.wrapped(to: width) } })
    }
  }

  private func each(
    of table: StepTable, _ shared: [(name: String, value: String)], _ file: String, _ workspace: Workspace
  ) async throws -> CommandResult {
    var bulk = BulkResult()
    for row in table.rows {
      let (run, step) = (row.value("run") ?? "", row.value("step") ?? "")
      let about: JSONObject = ["line": .int(row.line), "run": .string(run), "step": .string(step)]
      try await bulk.add("\(file):\(row.line): \(run) \(step)", about) {
        let arguments = try self.arguments(shared + row.cells)
        return try await workspace.submit(tool, arguments, run: try await workspace.runID(run), step: step)
      }
    }
    for failure in table.failures {
      bulk.fail("\(file):\(failure.line)", ["line": .int(failure.line)], CommandError.usage(failure.message))
    }
    return bulk.result
  }

  private func arguments(_ given: [(name: String, value: String)]) throws -> JSONObject {
    var arguments: JSONObject = [:]
    if let target = given.first(where: { $0.name == "to" })?.value {
      let isPlainName = tool == .delegateStep && !target.contains(":")
      arguments["to"] = .string(isPlainName ? "user:\(target)" : target)
    } else if let to {
      throw CommandError.usage("`--to \(to)` is missing")
    }
    if let text = given.first(where: { $0.name == "reason" })?.value {
      arguments["text"] = .string(text)
    } else if reason == .required {
      throw CommandError.usage("`--reason TEXT` is missing")
    }
    return arguments
  }
}
