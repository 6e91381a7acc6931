internal import AgentRuntime
internal import Audit
internal import Core
internal import Governance

extension TrialRecord {
  /// Notes where work on the step ended.
  mutating func add(_ end: StepOutcome) {
    switch end {
    case .completed: outcome = "completed"
    case .held: outcome = "held"
    case .waiting(let why): (outcome, detail) = ("waiting", why)
    case .handedOver(let code): (outcome, detail) = ("handed-over", code)
    case .busy(let why), .parked(let why): (outcome, detail) = ("parked", why)
    }
  }

  /// Reads from a run's entries what the agent called, what became of it, and what that took.
  ///
  /// - Throws: What reading a recorded value throws.
  mutating func add(_ history: [Entry], agent: String, step: String) throws {
    defer { if outcome == "completed", !isCompleted { outcome = "ended" } }
    var models: Set<String> = []
    for entry in history {
      guard let id = entry.body["proposal"]?.stringValue else { continue }
      if entry.type == EntryType.proposal, entry.body["step"]?.stringValue == step {
        if entry.body["tool"]?.stringValue == BuiltinTool.callModel.rawValue {
          models.insert(id)
        } else if entry.principal == agent {
          try addCall(entry)
        }
      } else if entry.type == EntryType.effectSettled, models.contains(id), let bytes = entry.content(ContentPart.result) {
        addReply(try JSON.parse(bytes, maximumDepth: 512))
      }
    }
  }

  /// Whether the agent itself completed the step: it may also be over because a handler of an exception took the run elsewhere.
  private var isCompleted: Bool { calls.contains { $0.tool == BuiltinTool.completeStep.rawValue && $0.verdict == "permit" } }

  private mutating func addCall(_ entry: Entry) throws {
    let verdict = entry.body["verdict"]?.stringValue ?? ""
    let tool = entry.body["tool"]?.stringValue ?? ""
    let deciding = (entry.body["rules"]?.arrayValue ?? []).filter { $0["effect"]?.stringValue == verdict }
    let rules = deciding.compactMap { $0["rule"]?.stringValue }
    calls.append(Call(tool: tool, verdict: verdict, code: entry.body["refusal"]?.stringValue, rules: rules))
    if tool == BuiltinTool.completeStep.rawValue, verdict != "forbid", let bytes = entry.content(ContentPart.arguments) {
      answer = try JSON.parse(bytes)["fields"]?.objectValue ?? [:]
    }
  }

  /// Counts a reply, and those of its calls that never come to the gate.
  private mutating func addReply(_ reply: JSON) {
    turns += 1
    inputTokens += Int(reply["input_tokens"]?.intValue ?? 0)
    outputTokens += Int(reply["output_tokens"]?.intValue ?? 0)
    if let micro = reply["cost_micro_usd"]?.intValue { cost = (cost ?? 0) + micro }
    for call in reply["calls"]?.arrayValue ?? [] {
      let name = call["name"]?.stringValue ?? ""
      // One that was not offered goes to the gate as well, which refuses it.
      if call["flaw"] != nil || call["arguments"] == nil { calls.append(Call(tool: name, verdict: "unusable", code: "flaw")) }
    }
  }
}
