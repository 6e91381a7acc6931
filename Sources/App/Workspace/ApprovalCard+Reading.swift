internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel
internal import Storage

extension Workspace {
  /// The card of a proposal, made from what the log holds now.
  ///
  /// - Throws: ``CommandError`` where there is no such proposal, or its arguments were redacted.
  func card(_ id: String) async throws -> ApprovalCard {
    let (gate, now) = (gate, now)
    return try await store.read { context in
      let run = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { $0.optionalText(0) } ?? nil
      let record: ProposalRecord?
      let runRecord = try run.flatMap { try context.run($0) }
      let shared = try context.shared()
      if let runRecord { record = runRecord.proposal(id) } else { record = shared.proposals.last { $0.id == id } }
      guard let record, let entry = try context.entry(at: record.entry) else {
        throw CommandError(.notFound, "proposal-unknown", "there is no proposal `\(visible(id))`", hint: "`remit inbox` shows what waits")
      }
      let release = try runRecord.map { try gate.release($0.state.release, in: context) }
      var card = try ApprovalCard(reading: record, entry: entry, run: runRecord, release: release, shared: shared, now: now)
      card.questions = try Self.questions(about: record, context)
      if let process = release?.process.id { card.precedents = try Self.precedents(of: record, in: process, context) }
      return card
    }
  }

  /// A proposal as the log has it now.
  ///
  /// - Throws: ``CommandError`` where there is none.
  func record(of id: String) async throws -> ProposalRecord {
    let found = try await store.read { context in
      let run = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { $0.optionalText(0) } ?? nil
      guard let run else { return try context.shared().proposals.last { $0.id == id } }
      return try context.run(run)?.proposal(id)
    }
    guard let found else {
      throw CommandError(.notFound, "proposal-unknown", "there is no proposal `\(visible(id))`", hint: "`remit inbox` shows what waits")
    }
    return found
  }

  /// What was passed in an emergency and nobody else has looked at, soonest due first.
  ///
  /// - Complexity: O(what waits), at most 200.
  func breakGlassReviews() async throws -> [BreakGlassReview] {
    try await store.read { context in
      let rows = try context.database.query(
        "SELECT id, run, review FROM proposal WHERE review IS NOT NULL ORDER BY review LIMIT 200", []
      ) { (id: $0.text(0), run: $0.optionalText(1), due: Instant(milliseconds: $0.integer(2))) }
      return try rows.compactMap { row in
        guard let run = row.run, let record = try context.run(run)?.proposal(row.id) else { return nil }
        return BreakGlassReview(proposal: record, run: run, due: row.due, reason: try Self.reason(ofEmergency: record, context))
      }
    }
  }

  private static func reason(ofEmergency record: ProposalRecord, _ context: ReadContext<GovernanceLedger>) throws -> String? {
    guard let glass = record.votes.last(where: \.isBreakGlass),
      let note = record.notes.last(where: { note in
        if case .decided(.approve, _) = note.kind { bytesEqual(note.by, glass.principal) && note.time == glass.time } else { false }
      }), let words = try context.entry(at: note.entry)?.content(ContentPart.reason)
    else { return nil }
    return String(decoding: words, as: UTF8.self)
  }

  private static func questions(
    about record: ProposalRecord, _ context: ReadContext<GovernanceLedger>
  ) throws -> [ApprovalCard.Question] {
    func words(_ note: ProposalRecord.Note) throws -> String {
      guard let entry = try context.entry(at: note.entry) else { return "redacted" }
      if let words = entry.content(ContentPart.reason), entry.type == EntryType.approvalNoted {
        return String(decoding: words, as: UTF8.self)
      }
      // An agent answers by a call.
      let arguments = try entry.content(ContentPart.arguments).map { try JSON.parse($0) }
      return arguments?["text"]?.stringValue ?? "redacted"
    }
    return try record.notes.filter { $0.kind == .asked }.map { asked in
      let answer = record.notes.first { $0.kind == .answered(question: asked.entry) }
      return ApprovalCard.Question(by: asked.by, text: try words(asked), answer: try answer.map { ($0.by, try words($0)) })
    }
  }

  /// The newest calls of the same tool that people found right or wrong.
  private static func precedents(
    of record: ProposalRecord, in process: String, _ context: ReadContext<GovernanceLedger>
  ) throws -> [ApprovalCard.Precedent] {
    try context.database.query(
      """
      SELECT proposal.id, reviewed.at, reviewed.is_right FROM reviewed JOIN proposal ON proposal.entry = reviewed.entry
      WHERE reviewed.process = ? AND reviewed.tool = ? AND reviewed.entry <> ? ORDER BY reviewed.at DESC LIMIT 5
      """, [.text(process), .text(record.tool), .int(record.entry)]
    ) { ApprovalCard.Precedent(proposal: $0.text(0), time: Instant(milliseconds: $0.integer(1)), isRight: $0.integer(2) == 1) }
  }
}

extension ApprovalCard {
  /// Makes a card from a proposal's own entry, its run and its release.
  init(reading record: ProposalRecord, entry: Entry, run: RunRecord?, release: Release?, shared: SharedState, now: Instant) throws {
    guard let bytes = entry.content(ContentPart.arguments) else {
      throw CommandError(.conflict, "redacted", "the arguments of `\(record.id)` are not there any more, so nobody can decide on it")
    }
    // The very bytes that were decided on: nothing here is rendered from a copy.
    let arguments = try JSON.parse(bytes)
    let state = run?.state
    let process = release?.process
    let step = record.step.flatMap { state?.step($0) }
    let tool = process?.tool(record.tool)
    self.init(
      proposal: record.id, status: record.status == .held ? "pending" : record.status.rawValue, code: record.shortCode,
      asker: record.principal,
      onBehalfOf: state?.requester, process: Self.title(process, state), run: state?.id ?? "none: this is about the whole workspace",
      step: step.map { "\($0.occurrence.description), \($0.title)" }, tool: record.tool, effect: record.effect.rawValue,
      isIdempotent: record.effect == .external ? tool?.isIdempotent : nil, arguments: arguments,
      consequences: Self.consequences(
        of: record, missing: record.progress(in: run, shared: shared, release: release, at: now).missing,
        isEngine: record.principal == SystemPrincipal.engine.rawValue),
      asked: record.time,
      expires: record.expires, digest: record.digest.hex, now: now)
    targets = GateView(shared: shared, run: run, release: release, now: now)
      .targetOrigins(of: record.tool, arguments: arguments.objectValue ?? [:])
      .map { Target(pointer: $0.pointer, text: $0.text, origin: $0.origin, isVouched: $0.isVouched) }
    changes = Self.changes(of: record, arguments, in: state)
    rules = Self.rules(of: entry, release: release, guarding: shared.guarding)
    let progress = record.progress(in: run, shared: shared, release: release, at: now)
    requirements = progress.needs.map { need in
      let asked = need.requirement
      return Requirement(
        rule: asked.rule, roles: asked.roles + asked.approvers, count: asked.count, approvedBy: need.votes.map { record.votes[$0].shown },
        excluded: asked.not, stage: asked.stage, standing: need.standing.rawValue, askedAsWell: need.escalatedTo,
        breakGlass: asked.course.breakGlass?.roles ?? [])
    }
    evidence = (state?.evidence ?? []).map {
      Evidence(name: $0.name, media: $0.media, size: $0.size, digest: $0.digest.hex, source: $0.by)
    }
    reason = entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }
    if let read = try entry.content(ContentPart.read).map({ try JSON.parse($0) })?.objectValue {
      readings = read.map { path, value in Reading(path: path, value: value, origin: Self.origin(of: path, in: state)) }
    }
    if entry.body["scripted"]?.boolValue == true { modes.append("scripted: a script, not a model or a person, proposed this") }
    if !shared.isTeam { modes.append("single-operator mode: the store's file is opened directly, and every record says so") }
  }

  private static func title(_ process: ProcessDefinition?, _ state: RunState?) -> String {
    guard let process, let state else { return "none: this is about the whole workspace" }
    return "\(process.title) (\(process.id), release \(state.release.prefix(12)))"
  }

  /// The fields that a state tool would set, beside what they are.
  private static func changes(of record: ProposalRecord, _ arguments: JSON, in state: RunState?) -> [Change] {
    guard record.effect == .state, let fields = arguments["fields"]?.objectValue, let state else { return [] }
    return fields.map { Change(field: $0.key, before: state.value(of: $0.key), after: $0.value) }
  }

  private static func rules(of entry: Entry, release: Release?, guarding: WorkspaceGuard?) -> [Rule] {
    let matched = (entry.body["rules"]?.arrayValue ?? []).compactMap { match -> Rule? in
      guard let id = match["rule"]?.stringValue, let effect = match["effect"]?.stringValue else { return nil }
      let control = release?.process.controls.first { bytesEqual("control:\($0.id)", id) }
      let written = release?.rules.rule(id)
      let reference = match["clause"]?.stringValue ?? control?.clause ?? written?.clause
      let clause = reference.map { reference -> Rule.Clause in
        let found = release?.clause(reference)
        return Rule.Clause(reference: reference, title: found.map { "\($0.id) \($0.title)" }, text: found?.text)
      }
      let statement = match["why"]?.stringValue ?? control?.statement ?? written?.reason
      return Rule(
        id: id, effect: effect, statement: statement, clause: clause, guarding: Self.guarding(id, at: entry.index, guarding))
    }
    let erred = (entry.body["errors"]?.arrayValue ?? []).compactMap { error -> Rule? in
      error["rule"]?.stringValue.map {
        Rule(
          id: $0, effect: "erred", statement: error["message"]?.stringValue, guarding: Self.guarding($0, at: entry.index, guarding))
      }
    }
    // What holds stands first; a permit that was overruled is shown, so that nothing that matched is hidden.
    return matched.filter { $0.effect != "permit" } + erred + matched.filter { $0.effect == "permit" }
  }

  /// Who set the guard that a rule is of, in words; nil for a rule of the process.
  private static func guarding(_ rule: String, at entry: Int, _ guarding: WorkspaceGuard?) -> String? {
    guard rule.hasPrefix(WorkspaceGuard.prefix) else { return nil }
    guard let guarding, guarding.entry < entry else { return "which is another one now" }
    return "which \(guarding.by) set in entry \(guarding.entry)"
  }

  private static func origin(of path: String, in state: RunState?) -> String? {
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, let state else { return nil }
    switch parts[0] {
    case "run": return state.field(parts[1])?.origin.description
    case "facts": return state.fact(parts[1])?.origin.description
    default: return nil
    }
  }

  /// What follows, where that many approvals are missing in all.
  private static func consequences(of record: ProposalRecord, missing: Int, isEngine: Bool) -> Consequences {
    let missing = max(0, missing - 1)
    let more = missing > 0 ? "; \(counted(missing, "more approval")) \(missing == 1 ? "is" : "are") needed before anything happens" : ""
    let step = record.step.map { " `\($0.description)`" } ?? ""
    let approve =
      switch record.effect {
      case .external: "\(record.tool) is called once, with exactly these arguments, when work goes on"
      case .read: "\(record.tool) is called once, with exactly these arguments; it only reads"
      case .state where record.tool == BuiltinTool.completeStep.rawValue:
        "the step\(step) is completed with these values, and the run goes on"
      case .state: "\(record.tool) is done with exactly these arguments"
      }
    let reject =
      isEngine
      ? "nothing is called; the step\(step) raises the exception `rejected`, which the process handles or a person resolves"
      : "nothing happens; \(record.principal) is told your reason and may propose something else"
    return Consequences(
      approve: approve + more, reject: reject,
      expiry: "nothing happens; it counts as expired, not as rejected, and the proposer is told so")
  }
}
