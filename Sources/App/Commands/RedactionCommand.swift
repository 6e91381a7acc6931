internal import Audit
internal import Core
internal import Governance

/// `remit audit redact`: content is removed from the log, and the log says so.
enum RedactionCommand {
  static let redact = Command(
    path: ["audit", "redact"], summary: "propose to remove content of a run that is over; another person agrees",
    details: """
      Entries stay, with their proofs: what is removed is the content that they commit to, such as arguments, values, reasons and results.
      Another person has to agree (`governs.content` in `organisation.json5` says who); with their approval it is gone from the store, its
      projections are made again, and the file is rewritten so that no free page and no write-ahead log holds it. `remit audit verify` says
      from then on what was removed, when, by whom and under which rule. Signatures stay, and so does what concerns no run. Copies of the
      store keep what they have. --scrub rewrites the file once more, for when somebody was reading it.
      """,
    examples: [
      .init("remit audit redact r-7k2m --rule policy.md#9 -m 'asked for it'", "all content of a run"),
      .init("remit audit redact r-7k2m --entry 41 --part values --rule GDPR-17", "one part of one entry"),
      .init("remit audit redact --scrub", "once nobody reads the file any more"),
    ],
    arguments: [.init(name: "RUN", help: "the run; it must be over", isRequired: false)],
    options: [
      .value("entry", "INDEX", repeats: true, "only what is in this entry"),
      .value("part", "NAME", repeats: true, "only these parts"),
      .value("rule", "TEXT", "the rule that says so, such as a clause of a policy"),
      .value("reason", short: "m", "TEXT", "why"),
      .flag("scrub", "rewrite the file, so that nothing of what was removed is left in it"),
    ],
    run: { context in
      try await context.withWorkspace(.write) { workspace in
        if context.arguments.flag("scrub") { return try await scrub(workspace) }
        guard let rule = context.arguments.option("rule") else {
          throw CommandError.usage("name the rule that says so", hint: "`--rule policy.md#9`")
        }
        let run = try await workspace.runID(try context.arguments.required("RUN"))
        let targets = try await targets(of: run, in: workspace, context)
        let outcome = try await workspace.gate.redact(
          targets, rule: rule, reason: context.arguments.option("reason"), by: workspace.identity)
        let now = workspace.now
        var json = outcome.json
        json["targets"] = .array(targets.map(\.json))
        return CommandResult(
          exit: outcome.exitCode, json: .object(json),
          lines: { width in
            outcome.lines(of: "\(counted(targets.count, "content part")) of run \(run)", now: now).flatMap { $0.wrapped(to: width) }
          })
      }
    })

  private static func scrub(_ workspace: Workspace) async throws -> CommandResult {
    let isDone = try await workspace.store.scrub()
    return CommandResult(
      exit: isDone ? .done : .conflict, json: ["scrubbed": .bool(isDone)],
      lines: { _ in
        isDone
          ? ["\("done", .good)  nothing of what was removed is left in the file"]
          : ["\("not yet", .caution)  somebody reads the file: try again when they are done"]
      })
  }

  /// The parts that the command line names and that are there still.
  private static func targets(
    of run: String, in workspace: Workspace, _ context: CommandContext
  ) async throws -> [RedactionRecord.Target] {
    let entries = try context.arguments.all("entry").map { word in
      guard let index = Int(word), index >= 0 else { throw CommandError.usage("`\(visible(word))` is not the index of an entry") }
      return index
    }
    let parts = context.arguments.all("part")
    let all = try await workspace.store.read { view in
      try view.history(of: run).flatMap { entry in
        entry.content.filter { $0.bytes != nil && !RedactionRecord.kept.contains($0.part) }.map {
          RedactionRecord.Target(entry: entry.index, part: $0.part)
        }
      }
    }
    let chosen = all.filter { target in
      (entries.isEmpty || entries.contains(target.entry)) && (parts.isEmpty || parts.contains { bytesEqual($0, target.part.string) })
    }
    if chosen.isEmpty {
      throw CommandError(
        .notFound, "content-unknown", "the run `\(run)` has no such content, or it was removed already",
        hint: "`remit audit export --run \(run)` shows its entries and their parts")
    }
    guard chosen.count <= RedactionRecord.limit else {
      throw CommandError.usage(
        "these are \(chosen.count) parts, and a proposal names at most \(RedactionRecord.limit)", hint: "name some with --entry or --part")
    }
    return chosen
  }

  // MARK: What verification says

  /// `[{"approved_by", "at", "entry", "proposal", "proposed_by", "removed", "rule", "targets"}]`.
  static func json(_ redactions: [RedactionRecord]) -> JSON {
    .array(
      redactions.map { one in
        [
          "approved_by": .array(one.approvers.map { .string($0) }), "at": .string(one.time.iso8601), "entry": .int(one.entry),
          "proposal": .string(one.proposal), "proposed_by": .string(one.proposer), "removed": .int(one.removed.count),
          "rule": .string(one.rule), "targets": .array(one.targets.map(\.json)),
        ]
      })
  }

  static func lines(_ redactions: [RedactionRecord]) -> [Shown] {
    redactions.map { one in
      let entries = Set(one.targets.map(\.entry)).sorted()
      let span = entries.count == 1 ? "entry \(entries[0])" : "\(entries.count) entries from \(entries.first ?? 0) to \(entries.last ?? 0)"
      return
        "redacted  \(counted(one.removed.count, "part")) of \(span), at \(one.time.iso8601), proposed by \(one.proposer), approved by \(one.approvers.joined(separator: ", ")), under \(one.rule) (entry \(one.entry))"
    }
  }
}
