internal import Audit
public import Core
public import Governance
internal import LLM
internal import PolicyEngine
public import ProcessModel

/// Works on one step of an agent: sense, ask the model, propose what it calls for, carry out what the gate permits, until the step is done,
/// waits for a person, or is out of budget.
///
/// The worker has no power of its own. Whatever the model says becomes a proposal, and everything it needs to go on is in the log.
public struct AgentWorker: Sendable {
  let gate: PermissionGate
  let runner: ToolRunner
  let models: [String: AgentModel]
  let time: TimeSource
  /// Turns in a row without one permitted or held call, after which a person takes over.
  static let fruitlessTurns = 3
  /// The most tokens of one reply: a model that does not find an end must not fill its context on every turn.
  static let replyTokens = 2048
  /// Model calls without a usable reply, after which a person takes over.
  static let failedCalls = 3

  /// A worker.
  ///
  /// - Parameters:
  ///   - gate: Where proposals go.
  ///   - runner: What carries out granted ones.
  ///   - models: The models by the names that processes give them.
  ///   - time: The clock of budgets.
  public init(gate: PermissionGate, runner: ToolRunner, models: [String: AgentModel], time: TimeSource = .system) {
    self.gate = gate
    self.runner = runner
    self.models = models
    self.time = time
  }

  /// Works on a step until it cannot go on.
  ///
  /// - Throws: What the store throws. Nothing is lost: the next call goes on from the log.
  public func work(on step: Occurrence, in run: String) async throws -> StepOutcome {
    while true {
      guard let sight = try await look(at: step, in: run) else { return .completed }
      if let scope = sight.shared.stop(process: sight.run.state.process, run: run, agent: sight.agent.principal) {
        return .parked("work is stopped for \(scope)")
      }
      if sight.step.status == .blocked { return .waiting("an exception at the step is open") }
      if sight.isAsked { return .parked("another worker waits for the model's answer") }
      if let turn = sight.conversation.turns.last, let outcome = try await answer(turn, sight) {
        guard case .proceed = outcome else { return outcome.stepOutcome }
        guard let after = try await look(at: step, in: run) else { return .completed }
        if after.step.status == .blocked { return .waiting("an exception at the step is open") }
        if let outcome = try await handOverIfSpent(after) { return outcome }
        if let outcome = try await ask(after) { return outcome }
        continue
      }
      if let outcome = try await handOverIfSpent(sight) { return outcome }
      if let outcome = try await ask(sight) { return outcome }
    }
  }

  private func look(at step: Occurrence, in run: String) async throws -> Sight? {
    let gate = gate
    return try await gate.store.read { context in try Sight(of: step, in: run, context, gate) }
  }

  // MARK: Answering the model's calls

  private enum Answer {
    case proceed
    case stop(StepOutcome)

    var stepOutcome: StepOutcome { if case .stop(let outcome) = self { outcome } else { .completed } }
  }

  /// Makes proposals of a turn's calls where that was not done yet, and carries out what was granted.
  ///
  /// - Returns: Whether the conversation can go on; nil is never returned for a turn with calls.
  private func answer(_ turn: Conversation.Turn, _ sight: Sight) async throws -> Answer? {
    var held: [String] = []
    for call in turn.calls {
      guard let proposal = call.usable(in: turn) else { continue }
      var record = sight.run.proposal(proposal)
      if record == nil {
        let outcome = try await gate.submit(self.proposal(call, proposal, sight))
        if outcome.verdict == .hold { held.append(proposal) }
        if outcome.isGranted { try await carryOut(proposal, in: sight.run.state.id) }
        if sight.endsStep(outcome) { return .stop(.completed) }
        continue
      }
      if record?.status == .voided || record?.status == .superseded { record = sight.run.replacement(of: proposal) ?? record }
      guard let record else { continue }
      switch record.status {
      case .held: held.append(record.id)
      case .granted: try await carryOut(record.id, in: sight.run.state.id)
      case .inDoubt: return .stop(.parked("effect of \(record.id) is in doubt: a person has to say what happened"))
      case .started: return .stop(.parked("the effect of \(record.id) is under way"))
      default: break
      }
    }
    if !held.isEmpty { return .stop(.held(held)) }
    if let question = sight.run.state.openQuestions.first(where: { $0.step == sight.step.occurrence }) {
      return .stop(.waiting("question \(question.id) is not answered yet"))
    }
    return .proceed
  }

  private func proposal(_ call: Conversation.Call, _ id: String, _ sight: Sight) -> Proposal {
    Proposal(
      id: id, principal: sight.agent.principal, tool: call.name, arguments: call.arguments ?? [:], run: sight.run.state.id,
      step: sight.step.occurrence.description, reason: call.reason.map { String($0.prefix(4000)) }, call: call.id,
      isScripted: models[sight.agent.model]?.endpoint == AgentModel.scriptedEndpoint)
  }

  private func carryOut(_ proposal: String, in run: String) async throws {
    do {
      _ = try await runner.run(proposal, in: run)
    } catch is Refusal {
      // It could not begin, and the log says why: a stop, a change, someone else began it. The next look shows where it stands.
    } catch is CancellationError {
      throw CancellationError()
    }
  }

  // MARK: Asking the model

  private func ask(_ sight: Sight) async throws -> StepOutcome? {
    guard let model = models[sight.agent.model] else { return .parked("no model `\(sight.agent.model)` is configured") }
    let request = request(sight, model)
    let body = Array(request.json.text().utf8)
    let evidence = try Evidence.bytes(body, media: "application/json")
    let run = sight.run.state.id
    let proposal = Proposal(
      id: gate.mintID(), principal: SystemPrincipal.agents.rawValue, tool: BuiltinTool.callModel.rawValue,
      arguments: [
        "agent": .string(sight.agent.name), "endpoint": .string(model.endpoint), "model": .string(model.model),
        "request": .string(evidence.reference.digest.hex), "size": .int(body.count),
        "turn": .int(sight.conversation.turns.count + sight.conversation.failures + 1),
      ],
      run: run, step: sight.step.occurrence.description, isScripted: model.endpoint == AgentModel.scriptedEndpoint)
    let outcome = try await gate.submit(proposal, evidence: [evidence])
    switch outcome.verdict {
    case .permit: break
    case .hold: return .held([outcome.proposal])
    case .forbid:
      let code = outcome.refusal?.code ?? Refusal.Code.forbidden.rawValue
      if let refusal = outcome.refusal, refusal.isPassing { return .parked(refusal.message) }
      return try await handOver(sight, code: code, text: outcome.refusal?.message ?? "the rules do not permit this model call")
    }
    return try await call(model, request, proposal.id, sight)
  }

  private func call(_ model: AgentModel, _ request: ModelRequest, _ proposal: String, _ sight: Sight) async throws -> StepOutcome? {
    let run = sight.run.state.id
    let limit = min(sight.agent.budget.time, PermissionGate.modelCallTime)
    do {
      return try await use(try await gate.begin(proposal, in: run, time: limit), model, request, sight, limit: limit)
    } catch let refusal as Refusal {
      return .parked(refusal.message)
    }
  }

  /// Makes the call that a grant allows, and settles it.
  private func use(
    _ grant: consuming Grant, _ model: AgentModel, _ request: ModelRequest, _ sight: Sight, limit: Duration
  ) async throws -> StepOutcome? {
    let (proposal, run, id) = (grant.proposal, grant.run, grant.id)
    let reply: Result<ModelReply, ModelError>
    do {
      reply = try await gate.unlessStopped(run: run, agent: sight.agent.principal) {
        do throws(ModelError) { return .success(try await model.client.respond(to: request, within: limit)) } catch {
          return .failure(error)
        }
      }
    } catch {
      reply = .failure(ModelError(.cancelled, "the call was cancelled", isTransient: true))
    }
    let isScripted = model.endpoint == AgentModel.scriptedEndpoint
    switch reply {
    case .success(let reply):
      let cost = reply.usage.flatMap { usage in
        model.prices.map { (Int64(usage.inputTokens) * $0.input + Int64(usage.outputTokens) * $0.output) / 1_000_000 }
      }
      try await gate.settle(
        proposal, in: run, grant: id, outcome: .finished(Conversation.record(reply, cost: cost)), isScripted: isScripted,
        evidence: try exchangeEvidence(reply.exchange))
      if reply.toolCalls.isEmpty { return try await handOverWithoutCall(reply, sight) }
      return nil
    case .failure(let error):
      try await gate.settle(
        proposal, in: run, grant: id, outcome: .failed(error.code.rawValue, error.message), isScripted: isScripted,
        evidence: try exchangeEvidence(error.exchange))
      switch error.code {
      case .malformedReply, .tooManyToolCalls, .hostedTool, .replyTooLarge, .contextLength, .contentFilter, .invalidRequest, .notScripted:
        if sight.conversation.failures + 1 < Self.failedCalls, error.code != .contextLength, error.code != .notScripted { return nil }
        return try await handOver(sight, code: error.code.rawValue, text: error.message)
      default: return .parked("the model endpoint: \(error.message)")
      }
    }
  }

  private func exchangeEvidence(_ exchange: ModelExchange?) throws -> [Evidence] {
    guard let exchange else { return [] }
    let parts = [exchange.requestBytes, exchange.responseBytes].filter { !$0.isEmpty }
    let pieces = try parts.map { try Evidence.bytes($0, media: "application/json") }
    return pieces.count == 2 && pieces[0].reference.digest == pieces[1].reference.digest ? [pieces[0]] : pieces
  }

  private func request(_ sight: Sight, _ model: AgentModel) -> ModelRequest {
    let builder = PromptBuilder(release: sight.release, state: sight.run.state, step: sight.step, clearance: model.clearance)
    let prompt = sight.release.process.step(sight.step.occurrence.id)?.prompt.flatMap { sight.release.prompts[$0] }
    var messages: [ModelMessage] = [.user(builder.firstMessage(prompt: prompt))]
    for turn in sight.conversation.turns {
      messages.append(.assistant(turn.assistant))
      let results = turn.calls.map { call in
        result(of: call, turn, sight, builder)
      }
      if !results.isEmpty { messages.append(.toolResults(results)) }
    }
    return ModelRequest(
      model: model.model, system: builder.system, messages: messages, tools: builder.tools(agent: sight.agent, shared: sight.shared),
      mode: model.mode, api: model.api,
      maximumOutputTokens: max(64, min(Self.replyTokens, sight.agent.budget.tokens - sight.conversation.tokens)))
  }

  /// What the model is told about one of its calls.
  ///
  /// Every call gets an answer, refused ones included.
  private func result(of call: Conversation.Call, _ turn: Conversation.Turn, _ sight: Sight, _ builder: PromptBuilder) -> ModelToolResult {
    func answer(_ content: String, isError: Bool = false) -> ModelToolResult {
      ModelToolResult(callID: call.id, name: call.name, content: content, isError: isError)
    }
    if let flaw = call.flaw { return answer("not executed: \(flaw)", isError: true) }
    if !call.isOffered { return answer("not executed: the tool `\(visible(call.name))` was not offered", isError: true) }
    let id = call.proposal(of: turn.modelCall)
    guard let first = sight.run.proposal(id) else { return answer("not executed", isError: true) }
    let record = sight.run.replacement(of: id) ?? first
    let edited = record.id == first.id ? "" : " A person changed the arguments first."
    switch record.status {
    case .done:
      if record.tool == BuiltinTool.askHuman.rawValue,
        let question = sight.run.state.questions.last(where: { $0.step == sight.step.occurrence && $0.isAnswered })
      {
        return answer("answered: " + builder.fenced(question.answer ?? "redacted", origin: question.answeredBy ?? "a person"))
      }
      return answer("done.\(edited) \(sight.results[record.id].map { shown($0, record, builder) } ?? "")")
    case .failed:
      return answer(
        "failed: " + builder.fenced(sight.results[record.id]?.text() ?? "no reason was given", origin: record.tool), isError: true)
    case .forbidden: return answer("refused: \(sight.refusals[record.id] ?? "the rules do not permit it")", isError: true)
    case .rejected:
      return answer(
        "a person rejected this: " + builder.fenced(sight.refusals[record.id] ?? "no reason was given", origin: "a person"), isError: true)
    case .expired: return answer("nobody decided on this in time; it is not a rejection", isError: true)
    case .withdrawn: return answer("this was withdrawn", isError: true)
    case .superseded, .voided: return answer("this was replaced", isError: true)
    case .held, .granted, .started: return answer("this is not decided yet", isError: true)
    case .inDoubt: return answer("nobody knows whether this happened; a person will find out", isError: true)
    }
  }

  /// A tool's result as the model may see it.
  private func shown(_ result: JSON, _ record: ProposalRecord, _ builder: PromptBuilder) -> String {
    guard let tool = builder.release.process.tool(record.tool) else { return "" }
    if tool.returnsPrivate, builder.clearance < .internal { return "its result is withheld (private)" }
    var visibleResult = result
    if let object = result.objectValue {
      // Facts that are too sensitive for the endpoint are named without their value.
      visibleResult = .object(
        JSONObject(
          object.map { key, value in
            let sensitivity = tool.facts.first { $0.name == key }?.value.sensitivity ?? .internal
            return (key, sensitivity <= builder.clearance ? value : .string("withheld (\(sensitivity.rawValue))"))
          }))
    }
    return builder.fenced(visibleResult.text(), origin: "tool:\(tool.name)")
  }

  // MARK: Giving up

  private func handOverIfSpent(_ sight: Sight) async throws -> StepOutcome? {
    let conversation = sight.conversation
    let budget = sight.agent.budget
    if conversation.turns.count + conversation.failures >= budget.turns {
      return try await handOver(sight, code: "budget-turns", text: "the agent used its \(budget.turns) turns")
    }
    if conversation.tokens >= budget.tokens {
      return try await handOver(sight, code: "budget-tokens", text: "the agent used \(conversation.tokens) of \(budget.tokens) tokens")
    }
    if let limit = budget.costMicroUSD, conversation.cost >= limit {
      return try await handOver(sight, code: "budget-cost", text: "the agent spent \(conversation.cost) of \(limit) millionths of a dollar")
    }
    if sight.isFruitless {
      return try await handOver(sight, code: "revisions-exhausted", text: "\(Self.fruitlessTurns) turns in a row led to nothing")
    }
    return nil
  }

  private func handOverWithoutCall(_ reply: ModelReply, _ sight: Sight) async throws -> StepOutcome {
    if let refusal = reply.refusal { return try await handOver(sight, code: "model-refused", text: String(refusal.prefix(2000))) }
    let looksLikeCall = reply.warnings.contains { $0.code == .proseLooksLikeToolCall }
    let code = looksLikeCall ? "prose-instead-of-call" : "no-tool-call"
    let lead = looksLikeCall ? "the model wrote something that looks like a tool call, which is never executed" : "the model called no tool"
    return try await handOver(sight, code: code, text: "\(lead); it said: \(reply.text.prefix(2000))")
  }

  private func handOver(_ sight: Sight, code: String, text: String) async throws -> StepOutcome {
    let outcome = try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: SystemPrincipal.agents.rawValue, tool: BuiltinTool.handOver.rawValue,
        arguments: ["code": .string(code), "text": .string(text)], run: sight.run.state.id, step: sight.step.occurrence.description))
    return outcome.verdict == .permit ? .handedOver(code) : .parked(outcome.refusal?.message ?? "the step could not be handed over")
  }
}

extension Conversation.Call {
  /// The proposal that the call becomes; nil where it cannot become one.
  func usable(in turn: Conversation.Turn) -> String? {
    arguments == nil || flaw != nil ? nil : proposal(of: turn.modelCall)
  }
}
