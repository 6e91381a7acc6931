internal import Core
internal import Governance
internal import LLM
internal import PolicyEngine
internal import ProcessModel

extension Sight {
  /// What the model is asked next: the step's prompt, and the conversation so far with what became of every call.
  func request(for model: AgentModel) -> ModelRequest {
    let builder = PromptBuilder(release: release, state: run.state, step: step, clearance: model.clearance)
    let prompt = release.process.step(step.occurrence.id)?.prompt.flatMap { release.prompts[$0] }
    var messages: [ModelMessage] = [.user(builder.firstMessage(prompt: prompt))]
    for turn in conversation.turns {
      messages.append(.assistant(turn.assistant))
      let results = turn.calls.map { result(of: $0, turn, builder) }
      if !results.isEmpty { messages.append(.toolResults(results)) }
    }
    return ModelRequest(
      model: model.model, system: builder.system, messages: messages,
      tools: questioned == nil ? builder.tools(agent: agent, shared: shared, guard: guardRules) : [builder.tool(.answerReviewer)],
      mode: model.mode, api: model.api,
      maximumOutputTokens: max(64, min(AgentWorker.replyTokens, agent.budget.tokens - conversation.tokens)))
  }

  /// What the model is told about one of its calls.
  ///
  /// Every call gets an answer, refused ones included.
  private func result(of call: Conversation.Call, _ turn: Conversation.Turn, _ builder: PromptBuilder) -> ModelToolResult {
    func answer(_ content: String, isError: Bool = false) -> ModelToolResult {
      ModelToolResult(callID: call.id, name: call.name, content: content, isError: isError)
    }
    if let flaw = call.flaw { return answer("not executed: \(flaw)", isError: true) }
    if !call.isOffered { return answer("not executed: the tool `\(visible(call.name))` was not offered", isError: true) }
    let id = call.proposal(of: turn.modelCall)
    guard let first = run.proposal(id) else { return answer("not executed", isError: true) }
    let record = run.replacement(of: id) ?? first
    switch record.status {
    case .done:
      if record.tool == BuiltinTool.askHuman.rawValue,
        let question = run.state.questions.last(where: { $0.step == step.occurrence && $0.isAnswered })
      {
        return answer("answered: " + builder.fenced(question.answer ?? "redacted", origin: question.answeredBy ?? "a person"))
      }
      let edited = record.id == first.id ? "" : " A person changed the arguments first."
      return answer("done.\(edited)\(outcome(of: record, builder))")
    case .failed: return answer("failed\(outcome(of: record, builder))", isError: true)
    case .forbidden: return answer("refused: \(refusals[record.id] ?? "the rules do not permit it")", isError: true)
    case .rejected:
      return answer(
        "a person rejected this: " + builder.fenced(refusals[record.id] ?? "no reason was given", origin: "a person"), isError: true)
    case .expired: return answer("nobody decided on this in time; it is not a rejection", isError: true)
    case .withdrawn: return answer("withdrawn, not rejected: \(refusals[record.id] ?? "its step or run is over")", isError: true)
    case .superseded: return answer("a person put other arguments in its place", isError: true)
    case .voided: return answer("not executed: \(refusals[record.id] ?? "something that it depended on has changed")", isError: true)
    case .held where !record.openQuestions.isEmpty:
      let asked = record.openQuestions.map { builder.fenced(questions[$0.entry] ?? "redacted", origin: $0.by) }
      return answer(
        "this waits for a person, who asks: \(asked.joined(separator: " ")). Answer with `\(BuiltinTool.answerReviewer.rawValue)`, "
          + "`proposal` is \(record.id)")
    case .held, .granted, .started: return answer("this is not decided yet", isError: true)
    case .inDoubt: return answer("nobody knows whether this happened; a person will find out", isError: true)
    }
  }

  /// What a tool gave back, or said when it failed, as far as the endpoint may know it; empty for tools without an outcome of their own.
  private func outcome(of record: ProposalRecord, _ builder: PromptBuilder) -> String {
    guard let tool = release.process.tool(record.tool), let outcome = outcomes[record.id] else { return "" }
    let origin = "tool:\(tool.name)"
    let withheld = "withheld (\(tool.resultSensitivity.rawValue))"
    let showsAll = tool.resultSensitivity <= builder.clearance
    switch outcome {
    case .failed(let code, let text):
      return " (\(code)): " + (showsAll ? builder.fenced(text, origin: origin) : "what it said is \(withheld)")
    case .finished(let result) where showsAll: return " " + builder.fenced(result.text(), origin: origin)
    case .finished(let result):
      // Facts are named, with their values where the endpoint may know them. The rest is not even named: a name can tell as much.
      guard let members = result.objectValue else { return " Its result is \(withheld)." }
      let facts = members.filter { member in tool.facts.contains { bytesEqual($0.name, member.key) } }
      let shown = facts.map { key, value -> (String, JSON) in
        let sensitivity = tool.sensitivity(of: key)
        return (key, sensitivity <= builder.clearance ? value : .string("withheld (\(sensitivity.rawValue))"))
      }
      let rest = facts.count < members.count ? " What else it gave back is \(withheld)." : ""
      return " " + builder.fenced(JSON.object(JSONObject(shown)).text(), origin: origin) + rest
    }
  }
}
