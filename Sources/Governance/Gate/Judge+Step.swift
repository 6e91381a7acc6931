internal import Core
internal import PolicyEngine
internal import ProcessModel

// The step that a proposal is for, and what its performer may do there.
extension Judge {
  /// The open step that the proposal belongs to, and the permit that its performer implies.
  mutating func step(for tool: Tool) throws(Refusal) -> RunState.StepState? {
    if let builtin = tool.builtin { try checkRun(builtin) }
    guard let run = view.run else {
      if tool.definition != nil { throw Refusal(.runUnknown, "a tool is called in a run, and this proposal names none") }
      return nil
    }
    guard let name = proposal.step else {
      if agentName != nil || tool.definition != nil { throw Refusal(.stepNotOpen, "this needs the step that it is for") }
      impliedWithoutStep(tool)
      return nil
    }
    guard let step = run.state.step(named: name) else { throw noSuchStep(name, in: run) }
    if tool.builtin == .comment, !proposal.principal.hasPrefix("agent:") {
      implied.append(.implied("run:comment"))
      return step
    }
    let title = step.occurrence.description
    guard step.status.isOpen else {
      throw Refusal(.stepNotOpen, "the step `\(title)` is not open: it is \(step.closure?.rawValue ?? step.status.rawValue)")
    }
    switch tool.builtin {
    case .handOver: implied.append(.implied("system:hand-over", reason: "an agent's step may always be given to a person"))
    case .callModel: try implyModelCall(step)
    case .answerReviewer:
      _ = try reviewerQuestion()
      implied.append(.implied("step:\(step.occurrence.id)", reason: "an agent may always answer who decides about its calls"))
    case .some(let builtin) where builtin.isAboutWork: try implyWork(builtin, on: step)
    case .some(let builtin) where builtin.isOnStep:
      guard isPerformer(of: step) else {
        throw Refusal(.stepNotOpen, "the step `\(title)` is for \(performers(of: step)), not for `\(proposal.principal)`")
      }
      implied.append(.implied("step:\(step.occurrence.id)"))
    case .some: break
    case nil:
      // A connector tool needs a written permit; only whoever has the step may ask.
      let isEngine = proposal.principal == SystemPrincipal.engine.rawValue && step.performer == .tool(tool.name)
      guard isEngine || isPerformer(of: step) else {
        throw Refusal(.stepNotOpen, "the step `\(title)` is for \(performers(of: step)), not for `\(proposal.principal)`")
      }
    }
    // What reaches the outside for a step whose exception is open could happen beside what its handler does about it.
    if tool.effect == .external || tool.definition != nil, step.status == .blocked {
      throw Refusal(.stepBlocked, "the step `\(title)` waits until its exception is resolved")
    }
    return step
  }

  func noSuchStep(_ name: String, in run: RunRecord) -> Refusal {
    let known = view.release?.process.steps.map(\.id) ?? []
    if let id = Occurrence(parsing: name)?.id, known.contains(where: { bytesEqual($0, id) }) {
      if let several = run.state.ambiguity(of: name) { return Refusal(.stepNotOpen, several) }
      let open = run.state.openSteps.map { "`\($0.occurrence)`" }.joined(separator: ", ")
      return Refusal(.stepNotOpen, "the step `\(visible(name))` is not open" + (open.isEmpty ? "" : "; open now: \(open)"))
    }
    let hint = nearestName(to: name, in: known).map { "; did you mean `\($0)`?" } ?? ""
    return Refusal(.stepUnknown, "process `\(run.state.process)` has no step `\(visible(name))`\(hint)")
  }

  func checkRun(_ builtin: BuiltinTool) throws(Refusal) {
    switch builtin {
    case .startRun: return
    default: if view.run == nil, !builtin.isOfWorkspace { throw Refusal(.runUnknown, "there is no run `\(visible(proposal.run ?? ""))`") }
    }
  }

  mutating func impliedWithoutStep(_ tool: Tool) {
    switch tool.builtin {
    case .fireTimer: implied.append(.implied("system:timer", reason: "a timer fires when its time has come"))
    case .comment: implied.append(.implied("run:comment"))
    case .reviewCall: if let reason = authorityToReview { implied.append(.implied(reason)) }
    case .answer, .resolveException, .cancelRun, .pauseRun, .resumeRun:
      if let reason = authorityOverRun { implied.append(.implied(reason)) }
    default: break
    }
  }

  /// Why a person may answer questions, resolve exceptions or cancel: the process is theirs, or the step is.
  var authorityOverRun: String? {
    guard let run = view.run, let process = view.release?.process else { return nil }
    if holds(process.owner) { return "owner:\(process.id)" }
    if proposal.tool == BuiltinTool.resumeRun.rawValue {
      return run.state.pause.map { bytesEqual($0.by, proposal.principal) } == true ? "paused-by:\(proposal.principal)" : nil
    }
    if proposal.tool == BuiltinTool.cancelRun.rawValue || proposal.tool == BuiltinTool.pauseRun.rawValue {
      return bytesEqual(run.state.requester, proposal.principal) ? "requester:\(run.state.id)" : nil
    }
    if let id = proposal.arguments["question"]?.stringValue, let question = run.state.questions.first(where: { $0.id == id }),
      let step = process.step(question.step.id), case .agent(let agent) = step.performer, let owner = process.agent(agent)?.owner,
      holds(owner)
    {
      return "agent-owner:\(agent)"
    }
    if let id = proposal.arguments["question"]?.stringValue, run.state.questions.contains(where: { $0.id == id }),
      bytesEqual(run.state.requester, proposal.principal)
    {
      return "requester:\(run.state.id)"
    }
    return nil
  }

  func holds(_ performer: Performer) -> Bool { proposal.identity?.holds(performer, in: view.shared.directory) ?? false }

  func isPerformer(of step: RunState.StepState) -> Bool {
    if let agentName { return step.performer == .agent(agentName) && step.status == .ready }
    if proposal.principal == SystemPrincipal.engine.rawValue, case .tool = step.performer { return true }
    return step.performers(for: proposal.principal).contains { holds($0) }
  }

  func performers(of step: RunState.StepState) -> String {
    if let assignee = step.assignee {
      return ([assignee] + step.escalatedTo.map(\.description)).map { "`\($0)`" }.joined(separator: " and ")
    }
    return ([step.performer] + step.escalatedTo).map { "`\($0)`" }.joined(separator: " and ")
  }

  /// The question that an agent answers: the oldest open one about a call of its own.
  func reviewerQuestion() throws(Refusal) -> ReviewerAnswer {
    let id = proposal.arguments["proposal"]?.stringValue ?? ""
    guard let run = view.run, let record = run.place(of: id).map({ run.proposals[$0] }), record.status == .held,
      bytesEqual(record.principal, proposal.principal), let question = record.openQuestions.first
    else { throw Refusal(.notHeld, "nobody asks anything about a call `\(visible(id))` of `\(proposal.principal)`") }
    return ReviewerAnswer(proposal: record.id, question: question.entry)
  }

  mutating func implyModelCall(_ step: RunState.StepState) throws(Refusal) {
    guard case .agent(let name) = step.performer, proposal.arguments["agent"]?.stringValue == name else {
      throw Refusal(.stepNotOpen, "the step `\(step.occurrence)` is not an agent's")
    }
    implied.append(.implied("agent:\(name)", reason: "the process employs this agent for the step"))
  }

  /// Refuses what would begin beside an effect of the same step that is not over: a second question to the model, or a second effect
  /// outside by an agent or the engine, which could be the first one again.
  func checkOpenEffects(of tool: Tool, on step: RunState.StepState?) throws(Refusal) {
    guard tool.effect == .external, let step, let run = view.run, !proposal.principal.hasPrefix("user:") else { return }
    let isModelCall = tool.builtin == .callModel
    let open = run.proposals.last { other in
      other.step == step.occurrence && (other.tool == BuiltinTool.callModel.rawValue) == isModelCall && other.effect == .external
        && (other.status == .started || other.status == .inDoubt)
    }
    guard let open else { return }
    let standing = open.status == .started ? "is under way with another worker" : "is in doubt: a person has to say what became of it"
    throw Refusal(.stepBusy, "the effect of `\(open.id)` on the step `\(step.occurrence)` \(standing)")
  }

  func checkBudget(_ step: RunState.StepState?) throws(Refusal) {
    guard proposal.tool == BuiltinTool.callModel.rawValue, let step, case .agent(let name) = step.performer,
      let budget = view.release?.process.agent(name)?.budget
    else { return }
    // Calls that failed are left out: an endpoint that cannot be reached takes nothing from the agent. Its worker bounds unusable replies.
    let spent: [ProposalRecord.Status] = [.granted, .started, .done]
    let turns = view.run?.proposals.count { $0.tool == proposal.tool && $0.step == step.occurrence && spent.contains($0.status) } ?? 0
    if turns >= budget.turns {
      throw Refusal(.budgetExhausted, "the agent `\(name)` has used its \(budget.turns) turns on this step")
    }
  }
}
