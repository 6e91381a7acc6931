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
      return try ApprovalCard(reading: record, entry: entry, run: runRecord, release: release, shared: shared, now: now)
    }
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
      consequences: Self.consequences(of: record, run: state, isEngine: record.principal == SystemPrincipal.engine.rawValue),
      asked: record.time,
      expires: record.expires, digest: record.digest.hex, now: now)
    targets = GateView(shared: shared, run: run, release: release, now: now)
      .targetOrigins(of: record.tool, arguments: arguments.objectValue ?? [:])
      .map { Target(pointer: $0.pointer, text: $0.text, origin: $0.origin, isVouched: $0.isVouched) }
    changes = Self.changes(of: record, arguments, in: state)
    rules = Self.rules(of: entry, release: release)
    requirements = record.requirements.map { need in
      let approvers = record.votes.filter { vote in
        vote.isOperator || need.approvers.contains { bytesEqual($0, vote.authority) }
          || !Set(shared.directory.roles(of: vote.authority)).isDisjoint(with: need.roles)
      }
      return Requirement(
        rule: need.rule, roles: need.roles + need.approvers, count: need.count, approvedBy: approvers.map(\.shown), excluded: need.not)
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

  private static func rules(of entry: Entry, release: Release?) -> [Rule] {
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
      return Rule(id: id, effect: effect, statement: statement, clause: clause)
    }
    let erred = (entry.body["errors"]?.arrayValue ?? []).compactMap { error -> Rule? in
      error["rule"]?.stringValue.map { Rule(id: $0, effect: "erred", statement: error["message"]?.stringValue) }
    }
    // What holds stands first; a permit that was overruled is shown, so that nothing that matched is hidden.
    return matched.filter { $0.effect != "permit" } + erred + matched.filter { $0.effect == "permit" }
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

  private static func consequences(of record: ProposalRecord, run: RunState?, isEngine: Bool) -> Consequences {
    let needed = record.requirements.map(\.count).max() ?? 1
    let missing = max(0, needed - record.votes.count - 1)
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
