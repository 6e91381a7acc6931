internal import Audit
internal import Core
internal import Governance
internal import LLM
internal import ProcessModel

/// What an agent and the service have said to each other on a step, read back from the log.
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

    /// The id of the proposal that the call becomes.
    func proposal(of turn: String) -> String { Proposal.id(of: turn, id) }

    /// The proposal that the call becomes; nil where it cannot become one.
    func usable(in turn: Turn) -> String? { arguments == nil || flaw != nil ? nil : proposal(of: turn.modelCall) }
  }

  var turns: [Turn] = []
  /// Model calls that got no usable reply; those that got none because the endpoint was out of reach are left out.
  var failures = 0
  /// Tokens of all replies.
  var tokens = 0
  /// What all replies cost, in millionths of a US dollar.
  var cost: Int64 = 0
  /// The time that calls of the model and of tools took.
  var time = Duration.zero

  /// The largest record of one reply, in bytes; every further turn sends it back.
  static let recordBytes = 2 << 20
  /// The longest reason of a call and the longest refusal, in bytes.
  static let textBytes = 4000
  /// Where a server does not count tokens, one is taken for so many bytes.
  static let bytesPerToken = 4

  /// Reads the conversation from the entries of its run.
  ///
  /// - Parameters:
  ///   - history: The entries.
  ///   - proposals: What was proposed on the step by its agent, and calls of its model.
  /// - Throws: Where a recorded reply is not what ``record(_:prices:)`` writes.
  init(_ history: [Entry], _ proposals: [ProposalRecord]) throws {
    let tools = Dictionary(proposals.map { ($0.id, $0.tool) }, uniquingKeysWith: { first, _ in first })
    var begun: [String: (at: Instant, deadline: Instant)] = [:]
    for entry in history {
      guard let id = entry.body["proposal"]?.stringValue, let tool = tools[id] else { continue }
      if entry.type == EntryType.effectStarted {
        begun[id] = (entry.time, entry.body["deadline"]?.intValue.map { Instant(milliseconds: $0) } ?? entry.time)
      } else if entry.type == EntryType.effectSettled, let start = begun.removeValue(forKey: id) {
        // One whose process was gone is settled when someone looks.
        time += max(.zero, min(entry.time, start.deadline) - start.at)
        if tool == BuiltinTool.callModel.rawValue { try add(entry, of: id) }
      }
    }
  }

  private mutating func add(_ entry: Entry, of modelCall: String) throws {
    guard entry.body["outcome"]?.stringValue == EffectOutcome.Kind.finished.rawValue, let bytes = entry.content(ContentPart.result) else {
      let code = entry.body["code"]?.stringValue.flatMap { ModelError.Code(rawValue: $0) }
      if code?.isOutage != true { failures += 1 }
      return
    }
    let result = try JSON.parse(bytes, maximumDepth: 512)
    let calls = (result["calls"]?.arrayValue ?? []).compactMap { call -> Call? in
      guard let id = call["id"]?.stringValue, let name = call["name"]?.stringValue else { return nil }
      return Call(
        id: id, name: name, arguments: call["arguments"]?.objectValue, flaw: call["flaw"]?.stringValue, reason: call["reason"]?.stringValue,
        isOffered: call["offered"]?.boolValue ?? true)
    }
    turns.append(Turn(modelCall: modelCall, assistant: result["assistant"] ?? .null, calls: calls))
    func count(_ key: String) -> Int128 { Int128(result[key]?.intValue ?? 0) }
    // The largest number stands for anything beyond it: a budget is then spent.
    tokens = Int(clamping: Int128(tokens) + count("input_tokens") + count("output_tokens"))
    cost = Int64(clamping: Int128(cost) + count("cost_micro_usd"))
  }

  /// What the log keeps of a reply: enough to go on with the conversation in another process.
  ///
  /// - Returns: The record; an error for a reply that is too large to go on with.
  static func record(_ reply: ModelReply, prices: (input: Int64, output: Int64)?) -> Result<JSON, ModelError> {
    let calls = reply.toolCalls.map { call -> JSON in
      var object: JSONObject = ["id": .string(call.id), "name": .string(call.name), "offered": .bool(call.isOffered)]
      switch call.arguments {
      case .success(let arguments): object["arguments"] = .object(arguments)
      case .failure(let flaw): object["flaw"] = .string(flaw.message)
      }
      if let repeated = call.repeats { object["flaw"] = .string("this repeats call `\(repeated)` of the same turn") }
      object["reason"] = call.reason.map { .string(cut($0, to: textBytes)) }
      return .object(object)
    }
    let usage = reply.usage ?? estimatedUsage(of: reply.exchange)
    var object: JSONObject = [
      "assistant": reply.assistant, "calls": .array(calls), "finish": .string(reply.finish.rawValue),
      "input_tokens": .int(usage.inputTokens), "output_tokens": .int(usage.outputTokens),
    ]
    if reply.usage == nil { object["tokens_estimated"] = true }
    object["refusal"] = reply.refusal.map { .string(cut($0, to: textBytes)) }
    object["cost_micro_usd"] = prices.map { .int(cost(of: usage, $0)) }
    object["latency_ms"] = .int(reply.exchange.latency.milliseconds)
    if !reply.warnings.isEmpty { object["warnings"] = .array(reply.warnings.map { .string($0.message) }) }
    let record = JSON.object(object)
    guard record.text().utf8.count <= recordBytes else {
      let message = "the model's reply is larger than the \(recordBytes) bytes that a conversation can go on with"
      return .failure(ModelError(.replyTooLarge, message, exchange: reply.exchange))
    }
    return .success(record)
  }

  private static func estimatedUsage(of exchange: ModelExchange) -> ModelUsage {
    func tokens(_ bytes: [UInt8]) -> Int { (bytes.count + bytesPerToken - 1) / bytesPerToken }
    return ModelUsage(inputTokens: tokens(exchange.requestBytes), outputTokens: tokens(exchange.responseBytes))
  }

  private static func cost(of usage: ModelUsage, _ prices: (input: Int64, output: Int64)) -> Int64 {
    let sum = Int128(usage.inputTokens) * Int128(prices.input) + Int128(usage.outputTokens) * Int128(prices.output)
    return Int64(clamping: sum / 1_000_000)
  }
}
