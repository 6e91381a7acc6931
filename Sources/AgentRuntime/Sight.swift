internal import Audit
internal import Core
internal import Governance
internal import LLM
internal import PolicyEngine
internal import ProcessModel

/// One look at an agent's step: everything that its next move depends on, read from one snapshot of the log.
struct Sight: Sendable {
  /// What became of an effect: its result, or why it failed.
  enum Outcome: Sendable {
    case finished(JSON)
    case failed(code: String, text: String)
  }

  /// A model call that was permitted or approved and has not begun: it is made exactly as it was decided on.
  struct PendingCall: Sendable {
    let proposal: String
    let endpoint: String
    let model: String
    let request: ModelRequest
  }

  let run: RunRecord
  let release: Release
  let shared: SharedState
  /// The live guard of the workspace; nil where there is none.
  let guardRules: RuleSet?
  let step: RunState.StepState
  let agent: AgentDefinition
  /// What was proposed on the step by its agent, and calls of its model, in log order.
  let proposals: [ProposalRecord]
  let conversation: Conversation
  let pendingCall: PendingCall?
  /// What became of effects, by proposal.
  let outcomes: [String: Outcome]
  /// Why proposals were refused or rejected, by proposal.
  let refusals: [String: String]
  /// What people asked, by the entry of the question.
  let questions: [Int: String]

  /// Looks at a step.
  ///
  /// - Returns: nil where the step is not an agent's open step any more.
  init?(of occurrence: Occurrence, in id: String, _ context: ReadContext<GovernanceLedger>, _ gate: PermissionGate) throws {
    // The run is folded from the history that the conversation is read from: decoding the entries is most of the work of a look.
    let history = try context.history(of: id)
    var folded: RunRecord?
    for entry in history { try GovernanceLedger.apply(entry, to: &folded) }
    guard let record = folded, record.state.status == .running, let open = record.state.step(occurrence), open.status.isOpen,
      case .agent(let name) = open.performer
    else { return nil }
    let release = try gate.release(record.state.release, in: context)
    guard let agent = release.process.agent(name) else { return nil }
    run = record
    self.release = release
    shared = try context.shared()
    guardRules = try gate.guardRules(of: shared)
    step = open
    self.agent = agent
    proposals = record.proposals.filter {
      $0.step == occurrence && ($0.principal == agent.principal || $0.tool == BuiltinTool.callModel.rawValue)
    }
    conversation = try Conversation(history, proposals)
    pendingCall = try proposals.last { $0.tool == BuiltinTool.callModel.rawValue && $0.status == .granted }.flatMap {
      try Self.pendingCall($0, history, context)
    }
    questions = history.reduce(into: [:]) { questions, entry in
      guard entry.type == EntryType.approvalNoted, let words = entry.content(ContentPart.reason) else { return }
      questions[entry.index] = String(decoding: words, as: UTF8.self)
    }
    (outcomes, refusals) = try Self.answers(to: proposals.filter { $0.tool != BuiltinTool.callModel.rawValue }, history)
  }

  /// What became of proposals, and why they were refused.
  private static func answers(
    to proposals: [ProposalRecord], _ history: [Entry]
  ) throws -> (outcomes: [String: Outcome], refusals: [String: String]) {
    let ids = Set(proposals.map(\.id))
    var outcomes: [String: Outcome] = [:]
    var refusals: [String: String] = [:]
    for entry in history {
      guard let id = entry.body["proposal"]?.stringValue, ids.contains(id) else { continue }
      func text(_ part: String) -> String? { entry.content(part).map { String(decoding: $0, as: UTF8.self) } }
      switch entry.type {
      case EntryType.proposal: refusals[id] = text(ContentPart.refusal)
      case EntryType.approval: if let reason = text(ContentPart.reason) { refusals[id] = reason }
      case EntryType.effectSettled:
        if let result = entry.content(ContentPart.result) {
          outcomes[id] = .finished(try JSON.parse(result, maximumDepth: 512))
        } else {
          outcomes[id] = .failed(
            code: entry.body["code"]?.stringValue ?? "failed", text: text(ContentPart.error) ?? "no reason was given")
        }
      default: break
      }
    }
    return (outcomes, refusals)
  }

  /// The call as its entry and the request stored with it say; nil where either is not there any more.
  private static func pendingCall(
    _ record: ProposalRecord, _ history: [Entry], _ context: ReadContext<GovernanceLedger>
  ) throws -> PendingCall? {
    guard let bytes = history.first(where: { $0.index == record.entry })?.content(ContentPart.arguments),
      let arguments = try JSON.parse(bytes).objectValue, let endpoint = arguments["endpoint"]?.stringValue,
      let model = arguments["model"]?.stringValue, let digest = arguments["request"]?.stringValue.flatMap({ Digest(hex: $0) }),
      let body = try context.evidence(digest), let request = ModelRequest(json: try JSON.parse(body, maximumDepth: 512))
    else { return nil }
    return PendingCall(proposal: record.id, endpoint: endpoint, model: model, request: request)
  }

  /// The proposals from which something may still come.
  var open: [ProposalRecord] { proposals.filter(\.status.isOpen) }

  /// The calls of the model, whatever became of them.
  var modelCalls: [ProposalRecord] { proposals.filter { $0.tool == BuiltinTool.callModel.rawValue } }

  /// Why nothing may be done now: something of the step is under way, or nobody knows whether it happened and it must not be repeated.
  var unsettled: StepOutcome? {
    for record in open {
      switch record.status {
      case .started where record.tool == BuiltinTool.callModel.rawValue: return .busy("another worker waits for the model's answer")
      case .started: return .busy("another worker carries out \(record.id)")
      case .inDoubt where !isIdempotent(record): return .parked(Self.doubt(about: record.id))
      default: continue
      }
    }
    return nil
  }

  static func doubt(about proposal: String) -> String {
    "the effect of \(proposal) is in doubt: a person has to say what happened"
  }

  /// The first proposal to be carried out: one that was permitted or approved, or one in doubt that may be repeated.
  var due: String? {
    open.first { record in
      record.tool != BuiltinTool.callModel.rawValue && (record.status == .granted || record.status == .inDoubt && isIdempotent(record))
    }?.id
  }

  private func isIdempotent(_ record: ProposalRecord) -> Bool { release.process.tool(record.tool)?.isIdempotent ?? false }

  /// The first call of the latest turn that is no proposal yet, with the id that it gets.
  var unproposed: (call: Conversation.Call, id: String)? {
    guard let turn = conversation.turns.last else { return nil }
    for call in turn.calls {
      if let id = call.usable(in: turn), run.proposal(id) == nil { return (call, id) }
    }
    return nil
  }

  /// The budget that is used up, as a code and in words; nil where there is something left of each.
  var spent: (code: String, text: String)? {
    let budget = agent.budget
    if conversation.turns.count + conversation.failures >= budget.turns {
      return ("budget-turns", "the agent used its \(budget.turns) turns")
    }
    if conversation.tokens >= budget.tokens {
      return ("budget-tokens", "the agent used \(conversation.tokens) of \(budget.tokens) tokens")
    }
    if let limit = budget.costMicroUSD, conversation.cost >= limit {
      return ("budget-cost", "the agent spent \(conversation.cost) of \(limit) millionths of a dollar")
    }
    if conversation.time >= budget.time {
      return ("budget-time", "the agent used \(conversation.time.iso8601) of \(budget.time.iso8601)")
    }
    return nil
  }

  /// A call of the agent's own that waits, and about which somebody has asked.
  var questioned: ProposalRecord? { open.first { $0.status == .held && $0.principal == agent.principal && !$0.openQuestions.isEmpty } }

  /// Whether the latest turns led to nothing: every call of them was refused, rejected or could not be read.
  var isFruitless: Bool {
    let latest = conversation.turns.suffix(AgentWorker.fruitlessTurns)
    return latest.count == AgentWorker.fruitlessTurns
      && latest.allSatisfy { turn in
        turn.calls.allSatisfy { call in
          guard let id = call.usable(in: turn), let record = run.replacement(of: id) ?? run.proposal(id) else { return true }
          return [.forbidden, .rejected, .expired, .failed].contains(record.status)
        }
      }
  }
}
