internal import Audit
internal import Core
internal import Governance
internal import LLM
internal import ProcessModel

/// What an agent and the service have said to each other on one attempt of a step, read back from the log.
///
/// Nothing of it lives in memory: a run that is parked for a person goes on in any process, with the recorded conversation.
struct Conversation {
  /// One reply of the model and what became of its calls.
  struct Turn {
    /// The proposal of the model call.
    var modelCall: String
    /// The model's message, to be sent back as it came.
    var assistant: JSON
    /// The calls, in order.
    var calls: [Call]
    /// What the model said beside the calls.
    var text: String
  }

  /// One call of a turn.
  struct Call {
    var id: String
    var name: String
    /// The arguments, where they could be read.
    var arguments: JSONObject?
    /// Why they could not.
    var flaw: String?
    var reason: String?
    var isOffered: Bool

    /// The id of the proposal that the call becomes: the same after a crash, so that nothing is proposed twice.
    func proposal(of turn: String) -> String { "p-" + String(SHA256.hash("\(turn)\n\(id)").hex.prefix(16)) }
  }

  var turns: [Turn] = []
  /// Model calls that got no usable reply.
  var failures = 0
  /// Tokens of all replies.
  var tokens = 0
  /// What all replies cost, in millionths of a US dollar.
  var cost: Int64 = 0
  /// When the first model call was made.
  var began: Instant?

  /// Reads the conversation of a step from the entries of its run.
  init(_ history: [Entry], run: RunRecord, step: Occurrence) throws {
    var open: Set<String> = []
    for entry in history {
      guard let id = entry.body["proposal"]?.stringValue else { continue }
      if entry.type == EntryType.proposal, entry.body["tool"]?.stringValue == BuiltinTool.callModel.rawValue,
        run.proposal(id)?.step == step, entry.body["verdict"]?.stringValue == "permit"
      {
        open.insert(id)
        if began == nil { began = entry.time }
      } else if entry.type == EntryType.effectSettled, open.remove(id) != nil {
        guard entry.body["outcome"]?.stringValue == EffectOutcome.Kind.finished.rawValue, let bytes = entry.content(ContentPart.result)
        else {
          failures += 1
          continue
        }
        add(try JSON.parse(bytes, maximumDepth: 512), of: id)
      }
    }
  }

  private mutating func add(_ result: JSON, of modelCall: String) {
    let calls = (result["calls"]?.arrayValue ?? []).compactMap { call -> Call? in
      guard let id = call["id"]?.stringValue, let name = call["name"]?.stringValue else { return nil }
      return Call(
        id: id, name: name, arguments: call["arguments"]?.objectValue, flaw: call["flaw"]?.stringValue, reason: call["reason"]?.stringValue,
        isOffered: call["offered"]?.boolValue ?? true)
    }
    turns.append(Turn(modelCall: modelCall, assistant: result["assistant"] ?? .null, calls: calls, text: result["text"]?.stringValue ?? ""))
    tokens += Int(result["input_tokens"]?.intValue ?? 0) + Int(result["output_tokens"]?.intValue ?? 0)
    cost += result["cost_micro_usd"]?.intValue ?? 0
  }

  /// What the log keeps of a reply: enough to go on with the conversation in another process.
  static func record(_ reply: ModelReply, cost: Int64?) -> JSON {
    let calls = reply.toolCalls.map { call -> JSON in
      var object: JSONObject = ["id": .string(call.id), "name": .string(call.name), "offered": .bool(call.isOffered)]
      switch call.arguments {
      case .success(let arguments): object["arguments"] = .object(arguments)
      case .failure(let flaw): object["flaw"] = .string(flaw.message)
      }
      if let repeated = call.repeats { object["flaw"] = .string("this repeats call `\(repeated)` of the same turn") }
      object["reason"] = call.reason.map { .string($0) }
      return .object(object)
    }
    var object: JSONObject = [
      "assistant": reply.assistant, "calls": .array(calls), "text": .string(reply.text), "finish": .string(reply.finish.rawValue),
    ]
    object["refusal"] = reply.refusal.map { .string($0) }
    if let usage = reply.usage {
      object["input_tokens"] = .int(usage.inputTokens)
      object["output_tokens"] = .int(usage.outputTokens)
    }
    object["cost_micro_usd"] = cost.map { .int($0) }
    object["latency_ms"] = .int(reply.exchange.latency.milliseconds)
    if !reply.warnings.isEmpty { object["warnings"] = .array(reply.warnings.map { .string($0.message) }) }
    return .object(object)
  }
}
