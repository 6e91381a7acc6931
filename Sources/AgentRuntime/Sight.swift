internal import Audit
internal import Core
internal import Governance
internal import ProcessModel

/// One look at an agent's step: everything that its next move depends on, read from one snapshot of the log.
struct Sight: Sendable {
  let run: RunRecord
  let release: Release
  let shared: SharedState
  let step: RunState.StepState
  let agent: AgentDefinition
  let conversation: Conversation
  /// What effects gave back, or why they failed, by proposal.
  let results: [String: JSON]
  /// Why proposals were refused or rejected, by proposal.
  let refusals: [String: String]

  /// Looks at a step.
  ///
  /// - Returns: nil where the step is not an agent's open step any more.
  init?(of occurrence: Occurrence, in id: String, _ context: ReadContext<GovernanceLedger>, _ gate: PermissionGate) throws {
    guard let record = try context.run(id), record.state.status == .running, let open = record.state.step(occurrence), open.status.isOpen,
      case .agent(let name) = open.performer
    else { return nil }
    let release = try gate.release(record.state.release, in: context)
    guard let agent = release.process.agent(name) else { return nil }
    let history = try context.history(of: id)
    run = record
    self.release = release
    shared = try context.shared()
    step = open
    self.agent = agent
    conversation = try Conversation(history, run: record, step: occurrence)
    var results: [String: JSON] = [:]
    var refusals: [String: String] = [:]
    for entry in history {
      guard let proposal = entry.body["proposal"]?.stringValue else { continue }
      func text(_ part: String) -> String? { entry.content(part).map { String(decoding: $0, as: UTF8.self) } }
      switch entry.type {
      case EntryType.proposal: refusals[proposal] = text(ContentPart.refusal)
      case EntryType.approval: if let reason = text(ContentPart.reason) { refusals[proposal] = reason }
      case EntryType.effectSettled:
        let result = try entry.content(ContentPart.result).map { try JSON.parse($0, maximumDepth: 512) }
        results[proposal] = result ?? text(ContentPart.error).map { .string($0) }
      default: break
      }
    }
    self.results = results
    self.refusals = refusals
  }

  /// Whether a proposal just made ended the agent's work on the step.
  func endsStep(_ outcome: GateOutcome) -> Bool {
    outcome.events.contains { event in
      switch event {
      case .stepCompleted(let occurrence, _), .stepClosed(let occurrence, _), .handedOver(let occurrence, _, _, _, _):
        occurrence == step.occurrence
      default: false
      }
    }
  }

  /// Whether a living process waits for the model's answer on this step right now.
  var isAsked: Bool {
    run.proposals.contains { record in
      record.tool == BuiltinTool.callModel.rawValue && record.step == step.occurrence && record.status == .started
        && record.worker.map { WorkerIdentity.isAlive($0) } ?? false
    }
  }

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
