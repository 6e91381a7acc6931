internal import Core
internal import Governance

/// `remit approval ask|answer|extend|withdraw|review`: what people say about a proposal without approving or rejecting it.
enum ApprovalNoteCommands {
  static let all = [ask, answer, extend, withdraw, review]

  private static let reason = Command.Option.value("reason", short: "m", "TEXT", "why")

  static let ask = Command(
    path: ["approval", "ask"], summary: "ask something before you decide; the proposal goes on waiting",
    details: """
      Who may decide may ask. An agent answers when it works next (`remit agent work`); the person who asked for the run, who worked on it,
      and the owners of agent and process can answer with `remit approval answer`. The clock does not stop: `remit approval extend`.
      """,
    examples: [.init("remit approval ask p-3k9d 'Which contract is this under?'", "the question and its answer stand on the card")],
    arguments: [ApprovalCommands.proposal, .init(name: "TEXT", help: "the question")],
    run: { context in
      try await note(context, "asked") { .ask(try context.arguments.required("TEXT")) }
    })

  static let answer = Command(
    path: ["approval", "answer"], summary: "answer what somebody asked about a proposal",
    examples: [.init("remit approval answer p-3k9d 'The frame contract of 2024.'", "answers the oldest open question")],
    arguments: [ApprovalCommands.proposal, .init(name: "TEXT", help: "the answer")],
    run: { context in
      try await note(context, "answered") { .answer(try context.arguments.required("TEXT")) }
    })

  static let extend = Command(
    path: ["approval", "extend"], summary: "give more time for a decision",
    details: """
      Who may decide, and the owner of the process, may extend a proposal three times, each time by at most what it had to begin with.
      """,
    examples: [
      .init("remit approval extend p-3k9d --by P1D -m 'Ben is back on Monday'", "one day more"),
      .init("remit approval extend p-3k9d --until 2026-12-01T12:00:00Z -m 'audit'", "until then"),
    ],
    arguments: [ApprovalCommands.proposal],
    options: [
      .value("by", "DURATION", "how much more, such as PT4H or P2D"), .value("until", "TIME", "until when: RFC 3339, with a zone"), reason,
    ],
    run: { context in
      guard let why = context.arguments.option("reason") else { throw CommandError.usage("`--reason TEXT` is missing") }
      switch (context.arguments.option("by"), context.arguments.option("until")) {
      case (let text?, nil):
        guard let more = Duration(iso8601: text), more > .zero else {
          throw CommandError.usage("`--by \(visible(text))` is no length of time", hint: "such as PT4H or P2D")
        }
        return try await note(context, "extended") { record in
          .extend(until: (record.expires ?? Instant(milliseconds: 0)) + more, reason: why)
        }
      case (nil, let text?):
        guard let until = Instant(iso8601: text) else {
          throw CommandError.usage("`--until \(visible(text))` is no time", hint: "such as 2026-12-01T12:00:00Z")
        }
        return try await note(context, "extended") { _ in .extend(until: until, reason: why) }
      default: throw CommandError.usage("one of `--by DURATION` and `--until TIME` is needed")
      }
    })

  static let withdraw = Command(
    path: ["approval", "withdraw"], summary: "take back a proposal of yours, or of an agent in a run that you asked for",
    details: "Withdrawn is not rejected: the proposer is told which. Others who do not want it reject it.",
    examples: [.init("remit approval withdraw p-3k9d -m 'ordered twice' --digest 8c1f27a0b3d4", "without a terminal")],
    arguments: [ApprovalCommands.proposal], options: [reason, .value("digest", "D", ApprovalCommands.digestHelp)],
    run: { context in
      guard let why = context.arguments.option("reason"), !why.isEmpty else { throw CommandError.usage("`--reason TEXT` is missing") }
      return try await ApprovalCommands.decide(context, verb: "withdraw") { _, _ in .withdraw(reason: why) }
    })

  static let review = Command(
    path: ["approval", "review"], summary: "look at what was passed in an emergency: list it, or say whether it was right",
    details: """
      Without an ID it lists what somebody passed alone (`approve --break-glass`) and nobody else has looked at yet, soonest due first. With
      an ID and no VERDICT it shows everything about that one, and why it was passed.
      Who may review it says the rule (`break_glass: { review: [...] }`); never who did it or asked for it.
      """,
    examples: [
      .init("remit approval review", "what waits for a review"),
      .init("remit approval review p-3k9d", "what it was, and why it was passed"),
      .init("remit approval review p-3k9d right -m 'the outage was real'", "it was right"),
    ],
    arguments: [
      .init(name: "ID", help: "the proposal's id, or the beginning of it", isRequired: false),
      .init(name: "VERDICT", help: "right or wrong", isRequired: false),
    ],
    options: [reason],
    run: { context in
      guard context.arguments.argument("ID") != nil else { return try await list(context) }
      guard let verdict = context.arguments.argument("VERDICT") else { return try await matter(context) }
      guard verdict == "right" || verdict == "wrong" else {
        throw CommandError.usage("`\(visible(verdict))` is no verdict", hint: "one of: right, wrong")
      }
      guard let why = context.arguments.option("reason") else { throw CommandError.usage("`--reason TEXT` is missing") }
      return try await note(context, "reviewed") { .review(isRight: verdict == "right", text: why) }
    })

  /// Everything about one that waits for a review, and how to say what it was worth.
  private static func matter(_ context: CommandContext) async throws -> CommandResult {
    try await context.withWorkspace(.read) { workspace in
      let id = try await workspace.proposalID(try context.arguments.required("ID"))
      guard let review = try await workspace.breakGlassReviews().first(where: { bytesEqual($0.proposal.id, id) }) else {
        throw CommandError(
          .conflict, "no-review", "nothing about `\(id)` waits for a review", hint: "`remit approval show \(id)` shows everything about it")
      }
      let card = try await workspace.card(id)
      let now = workspace.now
      return CommandResult(
        json: ["review": review.json, "card": card.json],
        notes: ["`remit approval review \(id) right|wrong -m 'why'` says what it was worth"],
        lines: { width in (review.lines(now: now) + [""]).flatMap { $0.wrapped(to: width) } + card.lines(width: width) })
    }
  }

  private static func list(_ context: CommandContext) async throws -> CommandResult {
    try await context.withWorkspace(.read) { workspace in
      let due = try await workspace.breakGlassReviews()
      let now = workspace.now
      return CommandResult(
        json: ["reviews": .array(due.map(\.json))],
        notes: due.isEmpty ? ["nothing that was passed in an emergency waits for a review"] : [],
        lines: { width in due.flatMap { $0.lines(now: now).flatMap { $0.wrapped(to: width) } } })
    }
  }

  // MARK: Recording

  private static func note(
    _ context: CommandContext, _ word: String, _ note: @escaping () throws -> PermissionGate.PersonNote
  ) async throws -> CommandResult {
    try await self.note(context, word) { _ in try note() }
  }

  private static func note(
    _ context: CommandContext, _ word: String, _ note: @escaping (ProposalRecord) throws -> PermissionGate.PersonNote
  ) async throws -> CommandResult {
    try await context.withWorkspace(.write) { workspace in
      let id = try await workspace.proposalID(try context.arguments.required("ID"))
      let record = try await workspace.record(of: id)
      try await workspace.gate.note(id, try note(record), by: workspace.identity)
      let after = try await workspace.record(of: id)
      var json: JSONObject = ["proposal": .string(id), "note": .string(word)]
      json["expires"] = after.expires.map { .string($0.iso8601) }
      let (until, now) = (after.status == .held ? after.expires : nil, workspace.now)
      return CommandResult(
        json: .object(json),
        lines: { width in
          Shown("\(word, .good)  \(id)\(until.map { "; it waits until \($0.fullText(to: now))" } ?? "")").wrapped(to: width)
        })
    }
  }
}

/// An approval in an emergency that somebody has to look at.
struct BreakGlassReview: Sendable {
  let proposal: ProposalRecord
  let run: String
  let due: Instant
  /// Why it was passed; nil where the words were redacted.
  let reason: String?

  private var glass: ProposalRecord.Vote? { proposal.votes.first(where: \.isBreakGlass) }

  var json: JSON {
    [
      "id": .string(proposal.id), "run": .string(run), "tool": .string(proposal.tool), "by": .string(glass?.principal ?? ""),
      "at": .string((glass?.time ?? proposal.time).iso8601), "due": .string(due.iso8601), "status": .string(proposal.status.rawValue),
      "reason": reason.map { .string($0) } ?? .null,
    ]
  }

  func lines(now: Instant) -> [Shown] {
    [
      "\(proposal.id, .strong)  \(proposal.tool) in \(run), \(Shown(due < now ? "overdue" : "due", due < now ? .bad : .caution)) \(due.relativeText(to: now))",
      "      passed alone by \(glass?.principal ?? "somebody") \((glass?.time ?? proposal.time).relativeText(to: now)); it is \(proposal.status.rawValue)",
      "      because: \(reason ?? "the reason was redacted")",
    ]
  }
}
