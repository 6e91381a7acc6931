internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// `remit inbox`: what waits for people.
enum InboxCommand {
  static let all = [inbox]

  static let inbox = Command(
    path: ["inbox"], summary: "show what waits for a decision or for work by you",
    details: """
      Proposals that are held, soonest due first; effects in doubt; exceptions and questions; and steps for your roles. What you may not
      decide yourself is shown too, with who may.
      """,
    examples: [
      .init("remit inbox", "what waits"),
      .init("remit inbox --json", "as JSON"),
      .init("remit inbox --limit 200", "more of it"),
    ],
    options: [.value("limit", short: "n", "N", "how many of each kind at most, up to 10000; 50 where nothing is said")],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 50
      return try await context.withWorkspace(.read) { workspace in
        let inbox = try await workspace.inbox(limit: limit)
        let now = workspace.now
        return CommandResult(json: inbox.json, notes: inbox.notes, lines: { width in inbox.lines(width: width, now: now) })
      }
    })
}

/// What waits for people, as one command shows it.
struct Inbox: Sendable {
  struct Decision: Sendable {
    var record: ProposalRecord
    /// Its run; nil for what is about the whole workspace.
    var run: String?
    var process: String?
    var requester: String
    /// The field that tells runs of the process apart: the first one of its first form.
    var subject: JSON?
    /// Who may decide, in words.
    var who: String
    /// Whether the person who asks may.
    var isMine: Bool
  }

  struct Problem: Sendable {
    var run: String
    var kind: String
    var id: String
    var text: String
  }

  var decisions: [Decision] = []
  var work: [WorkItem] = []
  var problems: [Problem] = []
  /// How many there are of each kind, shown or not.
  var held = 0
  var open = 0
  /// Calls that ran within an allowance, were sampled, and that nobody has looked at.
  var reviews = 0
  /// Approvals in an emergency that nobody else has looked at.
  var emergencies = 0
  var person: String
  /// Why the wall clock is not believed; nil where it is.
  var clock: ClockRecord.Suspicion?

  var json: JSON {
    [
      "person": .string(person), "held_total": .int(held), "work_total": .int(open), "reviews_total": .int(reviews),
      "emergencies_total": .int(emergencies), "clock": clock?.json ?? .null,
      "held": .array(
        decisions.map { item in
          var member: JSONObject = [
            "id": .string(item.record.id),
            "principal": .string(item.record.principal),
            "tool": .string(item.record.tool), "effect": .string(item.record.effect.rawValue),
            "status": .string(item.record.status.rawValue),
            "requester": .string(item.requester), "asked": .string(item.record.time.iso8601), "code": .string(item.record.shortCode),
            "digest": .string(item.record.digest.hex), "rules": .array(item.record.rulesThatHold.map { .string($0) }),
            "mine": .bool(item.isMine), "questions": .int(item.record.openQuestions.count),
          ]
          member["run"] = item.run.map { .string($0) }
          member["process"] = item.process.map { .string($0) }
          member["step"] = item.record.step.map { .string($0.description) }
          member["expires"] = item.record.expires.map { .string($0.iso8601) }
          member["subject"] = item.subject
          return .object(member)
        }),
      "work": .array(work.map(\.json)),
      "problems": .array(
        problems.map { ["run": .string($0.run), "kind": .string($0.kind), "id": .string($0.id), "text": .string($0.text)] }),
    ]
  }

  var notes: [Shown] {
    var notes: [Shown] = []
    if decisions.isEmpty, work.isEmpty, problems.isEmpty, clock == nil { notes.append("nothing waits for you") }
    if decisions.count < held { notes.append("\(decisions.count) of \(held) held proposals are shown; `--limit N` shows more") }
    if work.count < open { notes.append("\(work.count) of \(open) steps are shown; `--limit N` shows more") }
    if emergencies > 0 {
      notes.append("\(counted(emergencies, "approval")) in an emergency to look at: `remit approval review`")
    }
    if reviews > 0 { notes.append("\(counted(reviews, "call")) to look at later: `remit allowance review`") }
    if let first = decisions.first(where: \.isMine) {
      notes.append("`remit approve \(first.record.id)` shows everything about it and asks for its code")
    }
    return notes
  }

  func lines(width: Int, now: Instant) -> [Shown] {
    var lines: [Shown] = []
    func section(_ title: String, _ entries: [[Shown]]) {
      if entries.isEmpty { return }
      if !lines.isEmpty { lines.append("") }
      lines.append("\(title, .strong)")
      for entry in entries {
        for (index, line) in entry.enumerated() {
          let indent = index == 0 ? 2 : 6
          lines += line.wrapped(to: width - indent).enumerated().map { .spaces($0.offset == 0 ? indent : 6) + $0.element }
        }
      }
    }
    if let clock { section("The wall clock is not believed", [clock.shown]) }
    section(
      "Held for a decision",
      decisions.map { item in
        let place = item.record.step.map { " on \($0.description)" } ?? ""
        let effect: Shown.Tone = item.record.effect == .external ? .caution : .plain
        var title: Shown = "\(item.record.id, .strong)  \(item.record.tool)\(place) (\(Shown(item.record.effect.rawValue, effect)))"
        if let expires = item.record.expires { title.append(", due \(expires.relativeText(to: now))") }
        let about = item.subject.map { "\($0.stringValue ?? $0.text()), " } ?? ""
        let rules = item.record.rulesThatHold.joined(separator: ", ")
        let open = item.record.openQuestions.count
        let asked: Shown = open > 0 ? "; \(Shown(counted(open, "question") + " not answered", .caution))" : ""
        return [
          title, "\(about)asked for by \(item.requester) \(item.record.time.relativeText(to: now)); held by \(rules)\(asked)",
          item.isMine ? "\("you may decide", .good), as \(item.who)" : "\("not yours", .faint): decided by \(item.who)",
        ]
      })
    section("Stuck", problems.map { ["\($0.kind, .bad)  \($0.run)  \($0.id)", "\($0.text)"] })
    section(
      "Steps to do",
      work.map { item in
        let tone: Shown.Tone = item.due.map { $0 < now } ?? false ? .bad : .plain
        let due = item.due.map { Shown(", due \($0.relativeText(to: now))", tone) } ?? ""
        let taken = item.assignee == nil ? "" : ", taken by you"
        let paused = item.status == "ready" ? "" : " (\(item.status))"
        return ["\(item.run, .strong)  \(item.step): \(item.title)\(paused)", "\(item.process), for \(item.performer)\(taken)\(due)"]
      })
    return lines
  }
}

extension Workspace {
  /// Reads the inbox of the person who asks.
  ///
  /// - Complexity: O(shown items); it does not grow with the number of runs.
  func inbox(limit: Int) async throws -> Inbox {
    let (identity, gate, now) = (identity, gate, now)
    return try await store.read { context in
      let shared = try context.shared()
      let roles = identity.isOperator ? shared.directory.roles.map(\.name) : shared.directory.roles(of: identity.principal)
      var inbox = Inbox(person: identity.principal, clock: shared.clock.suspicion)
      // Held and doubtful ones are few: the index holds only open proposals.
      let open = "\(GovernanceProjections.isOpen) AND status IN ('held', 'in-doubt')"
      inbox.held = try context.database.first("SELECT count(*) FROM proposal WHERE \(open)") { $0.int(0) } ?? 0
      inbox.reviews =
        try context.database.first("SELECT count(*) FROM usage WHERE sampled = 1 AND review IS NULL") { $0.int(0) } ?? 0
      inbox.emergencies = try context.database.first("SELECT count(*) FROM proposal WHERE review IS NOT NULL") { $0.int(0) } ?? 0
      let rows = try context.database.query(
        "SELECT id, run FROM proposal WHERE \(open) ORDER BY expires IS NULL, expires, entry LIMIT ?", [.int(limit)]
      ) { (id: $0.text(0), run: $0.optionalText(1)) }
      var runs: [String: RunRecord] = [:]
      for row in rows {
        guard let run = row.run else {
          if let proposal = shared.proposals.last(where: { $0.id == row.id }) {
            inbox.add(proposal, of: nil, nil, for: identity, shared, now)
          }
          continue
        }
        if runs[run] == nil { runs[run] = try context.run(run) }
        guard let record = runs[run], let proposal = record.proposal(row.id) else { continue }
        if proposal.status == .inDoubt {
          inbox.problems.append(
            .init(run: run, kind: "in doubt", id: proposal.id, text: "\(proposal.tool) began, and a person has to say what became of it"))
          continue
        }
        inbox.add(proposal, of: record, try gate.release(record.state.release, in: context), for: identity, shared, now)
      }
      (inbox.work, inbox.open) = try WorkQueue(scope: .mine(person: identity.principal, roles: roles)).read(limit: limit, context)
      try inbox.addProblems(limit: limit, context)
      return inbox
    }
  }
}

extension Inbox {
  /// Adds a proposal that waits, and says whether it waits for this person.
  fileprivate mutating func add(
    _ proposal: ProposalRecord, of run: RunRecord?, _ release: Release?, for identity: Identity, _ shared: SharedState, _ now: Instant
  ) {
    let open = proposal.progress(in: run, shared: shared, release: release, at: now).needs.filter { $0.standing == .open }
    let who = open.map { ($0.requirement.roles + $0.requirement.approvers + $0.escalatedTo).joined(separator: " or ") }
    decisions.append(
      Decision(
        record: proposal, run: run?.state.id, process: run?.state.process, requester: run?.state.requester ?? proposal.principal,
        subject: release?.process.triggers.first?.fields.first.flatMap { run?.state.value(of: $0.name) },
        who: who.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: "; "),
        isMine: proposal.awaits(identity, in: run, shared: shared, release: release, at: now)))
  }

  fileprivate mutating func addProblems(limit: Int, _ context: ReadContext<GovernanceLedger>) throws {
    let runs = try context.database.query("SELECT id FROM run WHERE problems > 0 ORDER BY id LIMIT ?", [.int(limit)]) { $0.text(0) }
    for id in runs {
      guard let state = try context.run(id)?.state, state.status == .running else { continue }
      for question in state.openQuestions {
        problems.append(Problem(run: id, kind: "question", id: question.id, text: question.text ?? "redacted"))
      }
      for exception in state.openExceptions where exception.handler == nil {
        problems.append(Problem(run: id, kind: "exception", id: exception.id, text: "\(exception.code): \(exception.text ?? "redacted")"))
      }
    }
  }
}
