public import Core

/// What happened when one sample was tried once: the facts alone, from which every score is computed, now or later.
public struct TrialRecord: Hashable, Sendable {
  /// One call that the model made.
  public struct Call: Hashable, Sendable {
    /// The tool, as the model named it.
    public let tool: String
    /// `permit`, `hold`, `forbid`, or `unusable` for a call that never came to the gate.
    public let verdict: String
    /// Why it was refused or unusable, a short code.
    public let code: String?
    /// The rules and controls that decided.
    public let rules: [String]

    /// A call with these parts.
    public init(tool: String, verdict: String, code: String? = nil, rules: [String] = []) {
      self.tool = tool
      self.verdict = verdict
      self.code = code
      self.rules = rules
    }

    var json: JSON {
      var object: JSONObject = ["tool": .string(tool), "verdict": .string(verdict)]
      object["code"] = code.map { .string($0) }
      if !rules.isEmpty { object["rules"] = .array(rules.map { .string($0) }) }
      return .object(object)
    }

    init?(json: JSON) {
      guard let tool = json["tool"]?.stringValue, let verdict = json["verdict"]?.stringValue else { return nil }
      self.init(
        tool: tool, verdict: verdict, code: json["code"]?.stringValue, rules: (json["rules"]?.arrayValue ?? []).compactMap(\.stringValue))
    }
  }

  /// The sample.
  public let sample: String
  /// The digest of the sample's line when it was tried.
  public let sampleDigest: Digest
  /// Which repetition, from 1.
  public let repetition: Int
  /// Where work on the step ended.
  ///
  /// `completed`, `held`, `waiting`, `handed-over`, `parked`, or `ended` where something
  /// else than the agent ended the step.
  public var outcome = ""
  /// Why it was handed over, waits or was parked.
  public var detail: String?
  /// The values that the agent gave in its last `complete_step` that was permitted or held; nil where it gave none.
  public var answer: JSONObject?
  /// What a person decided.
  public var expectation = EvalSample.Expectation()
  /// The calls, in order.
  public var calls: [Call] = []
  /// Replies of the model.
  public var turns = 0
  /// Tokens of the requests.
  public var inputTokens = 0
  /// Tokens of the replies.
  public var outputTokens = 0
  /// Millionths of a US dollar; nil where prices are not known.
  public var cost: Int64?
  /// The time that the model took.
  public var latency = Duration.zero
  /// The SHA-256 of each reply's bytes.
  public var replies: [Digest] = []

  /// A record in which nothing has happened yet.
  public init(sample: String, sampleDigest: Digest, repetition: Int) {
    self.sample = sample
    self.sampleDigest = sampleDigest
    self.repetition = repetition
  }

  /// The record as JSON; one line of a file of results.
  public var json: JSON {
    var object: JSONObject = [
      "sample": .string(sample), "sample_digest": .string(sampleDigest.hex), "repeat": .int(repetition), "outcome": .string(outcome),
    ]
    object["detail"] = detail.map { .string($0) }
    object["answer"] = answer.map { .object($0) }
    if !expectation.isEmpty { object["expect"] = expectation.json }
    object["calls"] = .array(calls.map(\.json))
    object["turns"] = .int(turns)
    object["input_tokens"] = .int(inputTokens)
    object["output_tokens"] = .int(outputTokens)
    object["cost_micro_usd"] = cost.map { .int($0) }
    object["latency_ms"] = .int(latency.milliseconds)
    object["replies"] = .array(replies.map { .string($0.hex) })
    return .object(object)
  }

  /// A record from its ``json``; nil for anything else.
  public init?(json: JSON) {
    guard let sample = json["sample"]?.stringValue, let digest = json["sample_digest"]?.stringValue.flatMap({ Digest(hex: $0) }),
      let repetition = json["repeat"]?.intValue.flatMap({ Int(exactly: $0) }), repetition >= 1,
      let outcome = json["outcome"]?.stringValue, let calls = json["calls"]?.arrayValue?.map({ Call(json: $0) }), !calls.contains(nil),
      let turns = Self.count(json["turns"]), let input = Self.count(json["input_tokens"]), let output = Self.count(json["output_tokens"]),
      let latency = Self.count(json["latency_ms"]), let expectation = EvalSample.Expectation(json: json["expect"] ?? [:]),
      let replies = json["replies"]?.arrayValue?.map({ $0.stringValue.flatMap { Digest(hex: $0) } }), !replies.contains(nil)
    else { return nil }
    self.init(sample: sample, sampleDigest: digest, repetition: repetition)
    self.outcome = outcome
    detail = json["detail"]?.stringValue
    answer = json["answer"]?.objectValue
    self.expectation = expectation
    self.calls = calls.compactMap(\.self)
    self.turns = turns
    inputTokens = input
    outputTokens = output
    cost = json["cost_micro_usd"]?.intValue
    self.latency = .milliseconds(latency)
    self.replies = replies.compactMap(\.self)
  }

  private static func count(_ json: JSON?) -> Int? { json?.intValue.flatMap { $0 >= 0 ? Int(exactly: $0) : nil } }
}
