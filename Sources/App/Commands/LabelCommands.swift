internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine

/// `remit label …`: what people vouch for, so that labels call it trusted.
enum LabelCommands {
  static let all = [endorse, list, withdraw]

  private static let reason = Command.Option.value("reason", short: "m", "TEXT", "why")

  static let endorse = Command(
    path: ["label", "endorse"], summary: "vouch for a source or one exact value, on record",
    details: """
      A source is `tool:NAME`, all that a tool returns, or `form:NAME`, all that comes in by a trigger. A value counts byte for byte, only where
      it is the whole of an argument or field of a name given with `--as`, and vouches for no text that contains it.

      `governs.labels` of organisation.json5 says who has to agree; without it the owner of the process, or the operator of a workspace that
      is not shared. Rules see `endorsed` and the entry, and whoever approves a call that rests on it is shown both.
      """,
    examples: [
      .init("remit label endorse --source tool:crm.lookup --scope workspace", "every process"),
      .init("remit label endorse --value bob@x.org --as to --scope run:r-7k2m", "one run"),
    ],
    options: [
      .value("source", "SOURCE", "such as tool:crm.lookup"), .value("value", "TEXT", "one exact value"),
      .value("as", "NAME", repeats: true, "the argument or field as which the value counts"),
      .value("scope", "SCOPE", "run:ID, process:NAME or workspace"), .value("until", "TIME", "when it ends; without one it stays"), reason,
    ],
    run: { context in
      let subject = try subject(context)
      let text = try context.arguments.option("scope").map { $0 } ?? missing("scope", "SCOPE", "run:ID, process:NAME or workspace")
      guard let scope = Endorsement.Scope(parsing: text) else {
        throw CommandError.usage("`\(visible(text))` is no scope", hint: "write run:ID, process:NAME or workspace")
      }
      let until = try time(context)
      return try await context.withWorkspace(.write) { workspace in
        let outcome = try await workspace.gate.endorse(
          subject, in: try await workspace.whole(scope), until: until, reason: context.arguments.option("reason"), by: workspace.identity)
        return result(outcome, outcome.verdict == .permit ? "endorsed as entry \(outcome.entry)" : "the endorsement", now: workspace.now)
      }
    })

  static let list = Command(
    path: ["label", "list"], summary: "list what people vouch for",
    examples: [
      .init("remit label list", "what counts now"),
      .init("remit label list --all --json", "also what was withdrawn or ran out, as JSON"),
    ],
    options: [.flag("all", "also what was withdrawn or ran out")],
    run: { context in
      let wantsAll = context.arguments.flag("all")
      return try await context.withWorkspace(.read) { workspace in
        let now = workspace.now
        let found = try await workspace.store.read { try $0.shared().endorsements }.filter { wantsAll || $0.status(at: now) == "live" }
        return CommandResult(
          json: ["endorsements": .array(found.map { $0.json(at: now) })],
          notes: found.isEmpty ? ["nobody vouches for anything beyond what the processes say"] : [],
          lines: { width in
            var table = Table([
              .init("Entry"), .init("Trusted", wraps: true), .init("Where", wraps: true), .init("By", wraps: true), .init("Status"),
            ])
            for endorsement in found {
              table.add([
                Shown("\(endorsement.entry)", .strong), Shown(endorsement.subject.text), Shown(endorsement.scope.description),
                Shown(endorsement.people), endorsement.shown(at: now),
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  static let withdraw = Command(
    path: ["label", "withdraw"], summary: "take an endorsement back at once",
    details: "Anyone may. What was permitted because of it and has not begun is decided anew.",
    examples: [.init("remit label withdraw 41 -m 'they were hacked'", "the one that `remit label list` calls 41")],
    arguments: [.init(name: "ENTRY", help: "the entry that names it")], options: [reason],
    run: { context in
      let text = try context.arguments.required("ENTRY")
      guard let entry = Int(text), entry >= 0 else { throw CommandError.usage("`\(visible(text))` is not the number of an entry") }
      return try await context.withWorkspace(.write) { workspace in
        let outcome = try await workspace.gate.withdrawEndorsement(
          entry, reason: context.arguments.option("reason"), by: workspace.identity)
        return result(outcome, "the endorsement of entry \(entry) is withdrawn", now: workspace.now)
      }
    })

  private static func subject(_ context: CommandContext) throws -> Endorsement.Subject {
    let names = context.arguments.all("as")
    switch (context.arguments.option("source"), context.arguments.option("value")) {
    case (let source?, nil):
      if !names.isEmpty { throw CommandError.usage("`--as` is for a value; a source vouches for all that it says") }
      return .source(source)
    case (nil, let value?):
      if names.isEmpty { return try missing("as", "NAME", "the argument or field as which the value counts, such as `to`") }
      return .value(value, as: names)
    default: throw CommandError.usage("say what is endorsed: `--source tool:NAME`, or `--value TEXT --as NAME`")
    }
  }

  private static func missing<R>(_ name: String, _ value: String, _ hint: String) throws -> R {
    throw CommandError.usage("`--\(name) \(value)` is missing", hint: hint)
  }

  private static func time(_ context: CommandContext) throws -> Instant? {
    guard let text = context.arguments.option("until") else { return nil }
    if let time = Instant(iso8601: text) ?? Instant(iso8601: "\(text)T00:00:00Z") { return time }
    throw CommandError.usage("`--until \(visible(text))` is no time", hint: "write it as 2026-12-24T00:00:00Z, or 2026-12-24")
  }

  private static func result(_ outcome: GateOutcome, _ what: String, now: Instant) -> CommandResult {
    CommandResult(
      exit: outcome.exitCode, json: .object(outcome.json),
      lines: { width in outcome.lines(of: what, now: now).flatMap { $0.wrapped(to: width) } })
  }
}

extension Workspace {
  /// A scope with the whole id of its run, of which people type the beginning.
  fileprivate func whole(_ scope: Endorsement.Scope) async throws -> Endorsement.Scope {
    guard case .run(let text) = scope else { return scope }
    return .run(try await runID(text))
  }
}

extension Endorsement.Subject {
  /// What is trusted, for people.
  fileprivate var text: String {
    switch self {
    case .source(let source): source
    case .value(let value, let names): "\(value) as \(names.joined(separator: ", "))"
    }
  }
}

extension Endorsement {
  /// Who stands behind it.
  fileprivate var people: String { by + (approver.map { ", with \($0)" } ?? "") }

  fileprivate func shown(at now: Instant) -> Shown {
    switch status(at: now) {
    case "live": until.map { "until \($0.relativeText(to: now))" } ?? "\("live", .good)"
    case let other: Shown(other, .faint)
    }
  }

  /// The endorsement for programs.
  fileprivate func json(at now: Instant) -> JSON {
    var object = subject.json
    object["approver"] = approver.map { .string($0) }
    object["by"] = .string(by)
    object["entry"] = .int(entry)
    object["scope"] = .string(scope.description)
    object["since"] = .string(time.iso8601)
    object["status"] = .string(status(at: now))
    object["until"] = until.map { .string($0.iso8601) }
    if let end { object["withdrawn"] = ["by": .string(end.by), "entry": .int(end.entry), "why": end.text.map { .string($0) } ?? .null] }
    return .object(object)
  }
}
