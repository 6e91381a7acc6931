internal import Core
internal import Governance
internal import PolicyEngine

/// `remit allowance …`: the autonomy that agents have, for how long and how much of it.
enum AllowanceCommands {
  static let all = [list, show, grant, stop, review]

  private static let name = Command.Positional(name: "NAME", help: "the allowance's name")
  private static let reason = Command.Option.value("reason", short: "m", "TEXT", "why")

  static let list = Command(
    path: ["allowance", "list"], summary: "list allowances: what agents may do without being asked for each call",
    examples: [
      .init("remit allowance list", "those that have not ended"),
      .init("remit allowance list --all --json", "ended ones too, as JSON"),
    ],
    options: [.flag("all", "also those that have ended")],
    run: { context in
      let wantsAll = context.arguments.flag("all")
      return try await context.withWorkspace(.read) { workspace in
        let found = try await workspace.allowances().filter { wantsAll || $0.record.end == nil }
        let now = workspace.now
        let waiting = found.reduce(0) { $0 + $1.waiting.count }
        return CommandResult(
          json: ["allowances": .array(found.map { $0.json(now) })],
          notes: found.isEmpty
            ? ["no agent has an allowance; `remit allowance grant FILE` asks for one"]
            : waiting == 0 ? [] : ["\(counted(waiting, "call")) to look at: `remit allowance review`"],
          lines: { width in
            var table = Table([
              .init("Allowance"), .init("Status"), .init("Agents", wraps: true), .init("Tool", wraps: true), .init("Used", wraps: true),
              .init("Until"),
            ])
            for item in found {
              let allowance = item.record.allowance
              let status = item.record.status(at: now)
              table.add([
                Shown(allowance.name, .strong), Shown(status, status == "live" ? .good : .caution),
                Shown(allowance.agents.joined(separator: ", ")),
                Shown(allowance.tool + (allowance.step.map { " on \($0)" } ?? "")), Shown(item.used.joined(separator: "; ")),
                Shown(allowance.until.relativeText(to: now)),
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  static let show = Command(
    path: ["allowance", "show"], summary: "show an allowance: its terms, its evidence, its use, how it ended",
    examples: [.init("remit allowance show small-payments", "the latest one of that name")],
    arguments: [name],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let item = try await workspace.allowance(try context.arguments.required("NAME"))
        let now = workspace.now
        return CommandResult(json: item.json(now), lines: { width in item.lines(width: width, now: now) })
      }
    })

  static let grant = Command(
    path: ["allowance", "grant"], summary: "ask for an allowance; another person has to agree",
    details: """
      FILE is JSON5. The gate counts the evidence itself: decisions of people on calls within these bounds, made with the same tool, prompts,
      documents and model. It refuses where those leave more errors possible than `maximum_error_ppm` (one-sided 95 % bound, Clopper and
      Pearson). Otherwise the owner of the process, or whom `governs.allowances` of organisation.json5 names, has to approve.

      { name: "small-payments", agents: ["clerk"], process: "payments", step: "pay", tool: "bank.pay",
        bounds: [{ at: "/amount", minimum: 0, maximum: 100.50 }],
        caps: [{ within: "PT24H", count: 50, sum: { at: "/amount", limit: 2000 } }],
        maximum_error_ppm: 50000, reviewed_within: "P90D", sampling_ppm: 100000, until: "2027-06-30T00:00:00Z" }
      """,
    examples: [
      .init("remit allowance grant small-payments.json5", "then `remit approve ID` by another person"),
      .init("remit allowance grant - --json", "from standard input, for a program"),
    ],
    arguments: [.init(name: "FILE", help: "the terms, a JSON5 object; `-` is standard input")],
    run: { context in
      let file = try context.arguments.required("FILE")
      let terms = try await context.front.object(file, "with the allowance's terms")
      return try await submit(context, BuiltinTool.grantAllowance, terms) { _ in "the allowance `\(terms["name"]?.stringValue ?? "")`" }
    })

  static let stop = Command(
    path: ["allowance", "stop"], summary: "end an allowance at once",
    details: "Anyone may. What it covered and has not begun yet is decided anew; calls that are under way go on (`remit stop` ends them).",
    examples: [.init("remit allowance stop small-payments --reason 'an audit begins'", "with the reason, which agents are told")],
    arguments: [name], options: [reason],
    run: { context in
      let name = try context.arguments.required("NAME")
      var arguments: JSONObject = ["allowance": .string(name)]
      arguments["reason"] = context.arguments.option("reason").map { .string($0) }
      return try await submit(context, BuiltinTool.stopAllowance, arguments) { outcome in
        outcome.verdict == .permit ? "the allowance `\(name)` has ended" : "the end of the allowance `\(name)`"
      }
    })

  static let review = Command(
    path: ["allowance", "review"], summary: "look at calls that ran within an allowance, and say whether they were right",
    details: """
      Without an ID it lists the calls that were sampled and that nobody has looked at. A call that was wrong ends its allowance at once.
      The owner of the process may say so, or whom `governs.allowances` names, but never who asked for the run.
      """,
    examples: [
      .init("remit allowance review", "what waits"),
      .init("remit allowance review p-3k9d right", "it was right"),
      .init("remit allowance review p-3k9d wrong --reason 'a duplicate'", "it was not: the allowance ends"),
    ],
    arguments: [
      .init(name: "ID", help: "the call's proposal, or the beginning of its id", isRequired: false),
      .init(name: "VERDICT", help: "right or wrong", isRequired: false),
    ],
    options: [reason],
    run: { context in
      guard let id = context.arguments.argument("ID") else { return try await waiting(context) }
      guard let verdict = context.arguments.argument("VERDICT"), verdict == "right" || verdict == "wrong" else {
        throw CommandError.usage("say whether it was `right` or `wrong`", hint: "`remit approval show \(visible(id))` shows the call")
      }
      return try await context.withWorkspace(.write) { workspace in
        let card = try await workspace.card(try await workspace.proposalID(id))
        var arguments: JSONObject = ["proposal": .string(card.proposal), "verdict": .string(verdict)]
        arguments["text"] = context.arguments.option("reason").map { .string($0) }
        let before = try await workspace.allowances().filter { $0.record.end == nil }.map(\.record.allowance.name)
        let outcome = try await workspace.gate.submit(.reviewCall, arguments, run: card.run, by: workspace.identity)
        let after = try await workspace.allowances().filter { $0.record.end == nil }.map(\.record.allowance.name)
        let ended = before.filter { !after.contains($0) }
        let notes: [Shown] = ended.map { "the allowance `\($0)` has ended" }
        return result(outcome, "the review of \(card.proposal): \(verdict)", now: workspace.now, notes: notes)
      }
    })

  private static func waiting(_ context: CommandContext) async throws -> CommandResult {
    try await context.withWorkspace(.read) { workspace in
      let calls = try await workspace.allowances().flatMap(\.waiting)
      let now = workspace.now
      return CommandResult(
        json: ["waiting": .array(calls.map(\.json))], notes: calls.isEmpty ? ["no call waits to be looked at"] : [],
        lines: { width in
          var table = Table([.init("Call"), .init("Allowance", wraps: true), .init("Run"), .init("Made")])
          for call in calls {
            table.add([Shown(call.proposal, .strong), Shown(call.allowance), Shown(call.run), Shown(call.time.relativeText(to: now))])
          }
          return table.lines(width: width)
        })
    }
  }

  private static func submit(
    _ context: CommandContext, _ tool: BuiltinTool, _ arguments: JSONObject, _ what: @escaping @Sendable (GateOutcome) -> String
  ) async throws -> CommandResult {
    try await context.withWorkspace(.write) { workspace in
      let outcome = try await workspace.gate.submit(tool, arguments, run: nil, by: workspace.identity)
      return result(outcome, what(outcome), now: workspace.now, notes: [])
    }
  }

  private static func result(_ outcome: GateOutcome, _ what: String, now: Instant, notes: [Shown]) -> CommandResult {
    CommandResult(
      exit: outcome.exitCode, json: .object(outcome.json), notes: notes,
      lines: { width in outcome.lines(of: what, now: now).flatMap { $0.wrapped(to: width) } })
  }
}
