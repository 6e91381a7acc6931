internal import Audit
internal import Core
public import Governance
internal import LLM
internal import PolicyEngine
public import ProcessModel

/// Works on one step of an agent: sense, ask the model, propose what it calls for, carry out what the gate permits, until the step is done,
/// waits for a person, or is out of budget.
///
/// The worker has no power of its own. Whatever the model says becomes a proposal, and everything it needs to go on is in the log: each
/// move follows from a fresh look at it, so that any number of workers may be at the same step.
public struct AgentWorker: Sendable {
  let gate: PermissionGate
  let runner: ToolRunner
  let models: [String: AgentModel]
  /// Turns in a row without one permitted or held call, after which a person takes over.
  static let fruitlessTurns = 3
  /// The most tokens of one reply: a model that does not find an end must not fill its context on every turn.
  static let replyTokens = 2048
  /// Model calls without a usable reply, after which a person takes over.
  static let failedCalls = 3
  /// The most of a model's words that the person who takes over is shown, in bytes.
  static let handOverBytes = 2000

  /// A worker.
  ///
  /// - Parameters:
  ///   - gate: Where proposals go.
  ///   - runner: What carries out granted ones.
  ///   - models: The models by the names that processes give them.
  public init(gate: PermissionGate, runner: ToolRunner, models: [String: AgentModel]) {
    self.gate = gate
    self.runner = runner
    self.models = models
  }

  /// Works on a step until it cannot go on.
  ///
  /// - Throws: What the store throws. Nothing is lost: the next call goes on from the log.
  public func work(on step: Occurrence, in run: String) async throws -> StepOutcome {
    let gate = gate
    while true {
      guard let sight = try await gate.store.read({ context in try Sight(of: step, in: run, context, gate) }) else { return .completed }
      if let outcome = try await move(sight) { return outcome }
    }
  }

  /// Makes the next move.
  ///
  /// What was proposed before comes first, whichever turn it is from. Nothing new is proposed and no model is asked while an effect of the
  /// step is under way or in doubt: the model would only ask for it again.
  /// - Returns: nil where another look is due.
  private func move(_ sight: Sight) async throws -> StepOutcome? {
    if let scope = sight.shared.stop(process: sight.run.state.process, run: sight.run.state.id, agent: sight.agent.principal) {
      return .parked("work is stopped for \(scope)")
    }
    if sight.run.state.pause != nil { return .parked("the run is paused") }
    if sight.step.status == .blocked { return .waiting("an exception at the step is open") }
    if let outcome = sight.unsettled { return outcome }
    if let id = sight.due { return try await carryOut(id, sight) }
    if let (call, id) = sight.unproposed { return try await propose(call, id, sight) }
    let held = sight.open.filter { $0.status == .held }
    if !held.isEmpty {
      // Somebody who decides has asked: that is answered, and nothing else is done meanwhile.
      guard sight.questioned != nil, sight.spent == nil else { return .held(held.map(\.id)) }
      return try await ask(sight)
    }
    if let question = sight.run.state.openQuestions.first(where: { $0.step == sight.step.occurrence }) {
      return .waiting("question \(question.id) is not answered yet")
    }
    if let outcome = try await handOverIfSpent(sight) { return outcome }
    return try await ask(sight)
  }

  // MARK: Answering the model's calls

  private func propose(_ call: Conversation.Call, _ id: String, _ sight: Sight) async throws -> StepOutcome? {
    let outcome = try await gate.submit(
      Proposal(
        id: id, principal: sight.agent.principal, tool: call.name, arguments: call.arguments ?? [:], run: sight.run.state.id,
        step: sight.step.occurrence.description, reason: call.reason, call: call.id,
        isScripted: models[sight.agent.model]?.endpoint == AgentModel.scriptedEndpoint))
    return outcome.isGranted ? try await carryOut(id, sight) : nil
  }

  private func carryOut(_ proposal: String, _ sight: Sight) async throws -> StepOutcome? {
    do {
      let outcome = try await runner.run(proposal, in: sight.run.state.id)
      return outcome.kind == .inDoubt ? .parked(Sight.doubt(about: proposal)) : nil
    } catch let refusal as Refusal {
      return try await refused(refusal, proposal, sight)
    }
  }

  /// What it means that a proposal could not begin.
  private func refused(_ refusal: Refusal, _ proposal: String, _ sight: Sight) async throws -> StepOutcome? {
    let status = sight.run.proposal(proposal)?.status ?? .granted
    return try await gate.outcome(of: refusal, on: (proposal, status), step: sight.step.occurrence, in: sight.run.state.id)
  }

  // MARK: Asking the model

  private func ask(_ sight: Sight) async throws -> StepOutcome? {
    guard let model = models[sight.agent.model] else { return .parked("no model `\(sight.agent.model)` is configured") }
    if let pending = sight.pendingCall, bytesEqual(pending.endpoint, model.endpoint), bytesEqual(pending.model, model.model) {
      return try await call(model, pending.request, pending.proposal, sight)
    }
    let request = sight.request(for: model)
    let body = Array(request.json.text().utf8)
    let evidence = try Evidence.bytes(body, media: "application/json")
    let (run, step, tool) = (sight.run.state.id, sight.step.occurrence.description, BuiltinTool.callModel.rawValue)
    let proposal = Proposal(
      id: Proposal.id(of: run, step, tool, "\(sight.modelCalls.count)"), principal: SystemPrincipal.agents.rawValue, tool: tool,
      arguments: [
        "agent": .string(sight.agent.name), "endpoint": .string(model.endpoint), "model": .string(model.model),
        "request": .string(evidence.reference.digest.hex), "size": .int(body.count),
        "turn": .int(sight.conversation.turns.count + sight.conversation.failures + 1),
      ],
      run: run, step: step, isScripted: model.endpoint == AgentModel.scriptedEndpoint)
    let outcome = try await gate.submit(proposal, evidence: [evidence])
    switch outcome.verdict {
    case .permit: return try await call(model, request, proposal.id, sight)
    case .hold: return .held([outcome.proposal])
    case .forbid: return try await refused(outcome.refusal, sight)
    }
  }

  /// What a refused model call means for the step.
  private func refused(_ refusal: Refusal?, _ sight: Sight) async throws -> StepOutcome? {
    let refusal = refusal ?? Refusal(.forbidden, "the rules do not permit this model call")
    if refusal.isPassing { return try await gate.outcome(of: refusal, step: sight.step.occurrence, in: sight.run.state.id) }
    // Another worker's call, which was refused before this look.
    if refusal.code == Refusal.Code.notHeld.rawValue { return nil }
    return try await handOver(sight, code: refusal.code, text: refusal.message)
  }

  private func call(_ model: AgentModel, _ request: ModelRequest, _ proposal: String, _ sight: Sight) async throws -> StepOutcome? {
    let limit = max(.seconds(1), min(sight.agent.budget.time - sight.conversation.time, PermissionGate.modelCallTime))
    do {
      return try await use(try await gate.begin(proposal, in: sight.run.state.id, time: limit), model, request, sight, limit: limit)
    } catch let refusal as Refusal {
      return try await refused(refusal, proposal, sight)
    }
  }

  /// Makes the call that a grant allows, and settles it.
  private func use(
    _ grant: consuming Grant, _ model: AgentModel, _ request: ModelRequest, _ sight: Sight, limit: Duration
  ) async throws -> StepOutcome? {
    let (proposal, run, id) = (grant.proposal, grant.run, grant.id)
    var answer: Result<ModelReply, ModelError>
    do {
      answer = try await gate.unlessStopped(run: run, agent: sight.agent.principal) {
        do throws(ModelError) { return .success(try await model.client.respond(to: request, within: limit)) } catch {
          return .failure(error)
        }
      }
    } catch {
      answer = .failure(ModelError(.cancelled, "the call was cancelled", isTransient: true))
    }
    let isScripted = model.endpoint == AgentModel.scriptedEndpoint
    switch answer.flatMap({ reply in Conversation.record(reply, prices: model.prices).map { (reply, $0) } }) {
    case .success(let (reply, record)):
      try await gate.settle(
        proposal, in: run, grant: id, outcome: .finished(record), isScripted: isScripted, evidence: try exchangeEvidence(reply.exchange))
      return reply.toolCalls.isEmpty ? try await handOverWithoutCall(reply, sight) : nil
    case .failure(let error):
      try await gate.settle(
        proposal, in: run, grant: id, outcome: .failed(error.code.rawValue, error.message), isScripted: isScripted,
        evidence: try exchangeEvidence(error.exchange))
      return try await failed(error, sight)
    }
  }

  /// What a model call without a usable reply means for the step.
  private func failed(_ error: ModelError, _ sight: Sight) async throws -> StepOutcome? {
    // A refused request may be the server's or the conversation's fault; it counts as a turn, so that it is not made for ever.
    if error.code.isOutage || error.code == .refusedRequest { return .parked("the model endpoint: \(error.message)") }
    let isHopeless = error.code == .contextLength || error.code == .notScripted
    if !isHopeless, sight.conversation.failures + 1 < Self.failedCalls { return nil }
    return try await handOver(sight, code: error.code.rawValue, text: error.message)
  }

  private func exchangeEvidence(_ exchange: ModelExchange?) throws -> [Evidence] {
    guard let exchange else { return [] }
    let parts = [exchange.requestBytes, exchange.responseBytes].filter { !$0.isEmpty }
    let pieces = try parts.map { try Evidence.bytes($0, media: "application/json") }
    return pieces.count == 2 && pieces[0].reference.digest == pieces[1].reference.digest ? [pieces[0]] : pieces
  }

  // MARK: Giving up

  private func handOverIfSpent(_ sight: Sight) async throws -> StepOutcome? {
    if let (code, text) = sight.spent { return try await handOver(sight, code: code, text: text) }
    if let call = sight.modelCalls.last, call.status == .rejected || call.status == .expired {
      let text = call.status == .rejected ? "a person rejected the call of the model" : "nobody decided on the call of the model in time"
      return try await handOver(sight, code: "model-call-\(call.status.rawValue)", text: text)
    }
    if sight.isFruitless {
      return try await handOver(sight, code: "revisions-exhausted", text: "\(Self.fruitlessTurns) turns in a row led to nothing")
    }
    return nil
  }

  private func handOverWithoutCall(_ reply: ModelReply, _ sight: Sight) async throws -> StepOutcome {
    if let refusal = reply.refusal { return try await handOver(sight, code: "model-refused", text: refusal) }
    let looksLikeCall = reply.warnings.contains { $0.code == .proseLooksLikeToolCall }
    let code = looksLikeCall ? "prose-instead-of-call" : "no-tool-call"
    let lead = looksLikeCall ? "the model wrote something that looks like a tool call, which is never executed" : "the model called no tool"
    return try await handOver(sight, code: code, text: "\(lead); it said: \(reply.text)")
  }

  private func handOver(_ sight: Sight, code: String, text: String) async throws -> StepOutcome {
    // What waits for people is not given up because a question about it was not answered.
    if sight.questioned != nil { return .held(sight.open.filter { $0.status == .held }.map(\.id)) }
    // What a model or a server wrote is escaped where it is shown, but the gate takes no NUL.
    let words = cut(text, to: Self.handOverBytes).replacing("\0", with: "\u{FFFD}")
    let outcome = try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: SystemPrincipal.agents.rawValue, tool: BuiltinTool.handOver.rawValue,
        arguments: ["code": .string(code), "text": .string(words)], run: sight.run.state.id, step: sight.step.occurrence.description))
    return outcome.verdict == .permit ? .handedOver(code) : .parked(outcome.refusal?.message ?? "the step could not be handed over")
  }
}
