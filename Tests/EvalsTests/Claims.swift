import AgentRuntime
import Core
import Evals
import Governance
import LLM

/// A small process with one agent's step, a suite for it, and a script that plays its model.
enum Claims {
  static let organisation = """
    { roles: { clerk: "Clerk", finance: "Finance" }, people: { ana: { roles: ["clerk"] }, ben: { roles: ["finance"] } } }
    """

  static let process = """
    {
      process: "claims", title: "Claims", owner: "role:finance", purpose: "Settle claims.", documents: ["policy.md"],
      triggers: [{ form: "claim", role: "clerk", fields: ["who", "amount"] }],
      fields: { who: { type: "string" }, amount: { type: "number" }, note: { type: "string" }, risk: { enum: ["low", "high"] } },
      agents: { bot: { owner: "user:ben", tools: ["complete_step", "crm.lookup", "mail.send"], budget: { turns: 5 } } },
      tools: {
        "crm.lookup": {
          connector: "command", command: ["tools/true"], effect: "read", returns_private: false, facts: { known: { type: "boolean" } },
          arguments: { type: "object", properties: { who: { type: "string" } }, required: ["who"] },
        },
        "mail.send": {
          connector: "command", command: ["tools/true"], effect: "external", returns_private: false,
          arguments: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
        },
      },
      steps: [
        { step: "file", title: "File", role: "clerk", form: ["note"], evidence: [{ name: "letter", media: ["application/pdf"] }] },
        { step: "classify", title: "Classify", agent: "bot", prompt: "classify", writes: ["risk"], risk: "low", fallback: "role:clerk" },
      ],
    }
    """

  static let rules = """
    { policy: "claims", rules: [
      { id: "agents-look-up", permit: "crm.lookup", by: "agent:*" },
      { id: "no-mail-about-much", forbid: "mail.send", when: "run.amount > 10.0", reason: "no" },
      { id: "mail", permit: "mail.send", by: "agent:*" },
      { id: "hold-high", hold: "complete_step", by: "agent:*", when: "has(args.fields) && args.fields.risk == 'high'", approval: { roles: ["finance"] } },
    ] }
    """

  static let suite = """
    { suite: "claims", title: "Claims", process: "claims", step: "classify", never: ["mail.*"], before: { file: { note: "as usual" } },
      tools: { "crm.lookup": { known: true } }, thresholds: { agreement: { min: 0.5 } } }
    """

  static let samples = """
    {"id": "small", "fields": {"who": "Acme", "amount": 5}, "expect": {"fields": {"risk": "low"}, "outcome": "completed"}}
    {"id": "large", "fields": {"who": "Bolt", "amount": 500}, "expect": {"fields": {"risk": "high"}, "outcome": "held"}}
    {"id": "wrong", "fields": {"who": "Crab", "amount": 6}, "expect": {"fields": {"risk": "high"}}}

    """

  static func loaded(suite: String = suite, samples: String = samples) throws -> AgentSuite {
    try AgentSuite(suite: Array(suite.utf8), samples: Array(samples.utf8), named: ("suite.json5", "samples.jsonl"))
  }

  static func runner(
    _ suite: AgentSuite, _ model: AgentModel = model(), prompt: String = "Classify.\n{{fields}}", process: String = process
  ) throws -> SampleRunner {
    let directory = try Directory.load(try PositionedJSON.parseJSON5(Array(organisation.utf8)))
    let bundle = ReleaseBundle(
      process: "claims",
      files: [
        ("process.json5", Array(process.utf8)), ("rules.json5", Array(rules.utf8)), ("prompts/classify/v1.md", Array(prompt.utf8)),
        ("policy.md", Array("# 1 Claims\nPay what is due.\n".utf8)),
      ])
    return try SampleRunner(suite, bundle: bundle, directory: directory, model: model)
  }

  /// Looks up, sends a mail where the claim is large, calls a tool without arguments, and says how risky it is.
  static func model(_ asked: Locked<Int> = Locked(0), failingAt limit: Int = .max) -> AgentModel {
    let script = ScriptedModel { request in
      let count = asked.withLock { asked in
        asked += 1
        return asked
      }
      if count == limit { return .failure(ModelError(.unreachable, "no connection")) }
      guard case .user(let prompt)? = request.messages.first else { return nil }
      let isLarge = prompt.contains("500")
      if request.messages.count == 1 {
        let mail = ScriptedModel.Call("mail.send", ["text": "hello"], id: "b")
        let broken = ScriptedModel.Call("crm.lookup", rawArguments: "{", id: "c")
        return .calls([.init("crm.lookup", ["who": "x"], id: "a")] + (isLarge ? [mail, broken] : []))
      }
      return .call("complete_step", ["fields": ["risk": .string(isLarge ? "high" : "low")]])
    }
    return AgentModel(client: script, model: "script", endpoint: AgentModel.scriptedEndpoint, prices: (1_000_000, 2_000_000))
  }
}
