import CEL
import Core
import PolicyEngine
import Testing

/// A process with a few fields, tools and steps, as tests need it.
enum Example {
  static let schema: JSON = [
    "type": "object", "additionalProperties": false,
    "properties": [
      "vendor": ["type": "string"], "amount": ["type": "number"], "count": ["type": "integer"], "urgent": ["type": "boolean"],
      "tags": ["type": "array", "items": ["type": "string"]],
      "item": ["type": "object", "properties": ["price": ["type": "number"]], "additionalProperties": false],
    ],
  ]

  static let tools: [PolicyEnvironment.Tool] = [
    PolicyEnvironment.Tool(Request.Tool(name: "complete_step", effect: .state)),
    PolicyEnvironment.Tool(Request.Tool(name: "comment", effect: .state)),
    PolicyEnvironment.Tool(Request.Tool(name: "crm.lookup", effect: .read, connector: "http"), schema: schema),
    PolicyEnvironment.Tool(Request.Tool(name: "erp.activate_vendor", effect: .external, connector: "http"), schema: schema),
    PolicyEnvironment.Tool(Request.Tool(name: "erp.change_iban", effect: .external, connector: "http"), schema: schema),
  ]

  static let environment = PolicyEnvironment(
    fields: [("vendor", .string), ("amount", .double), ("risk", .string), ("count", .int), ("flag", .bool)], tools: tools,
    steps: [Request.Step(id: "collect", risk: "low"), Request.Step(id: "activate", risk: "high")], agents: ["risk-analyst", "clerk"],
    roles: ["finance", "compliance", "requester"], clauses: ["policy.md#4.1", "policy.md#scope"])

  /// A rule set from the text of its rules.
  static func rules(_ text: String, top: String = "", environment: PolicyEnvironment = environment) throws -> RuleSet {
    try RuleSet.load(Array("{ policy: 'test', \(top) rules: [\n\(text)\n] }".utf8), file: "rules.json5", environment: environment)
  }

  static func tool(_ name: String) -> Request.Tool {
    environment.tool(named: name)?.tool ?? Request.Tool(name: name, effect: .external, connector: "unknown")
  }

  static func request(
    _ tool: String, by principal: String = "agent:risk-analyst", roles: [String] = [], owner: String? = "user:ana",
    args: JSONObject = JSONObject(),
    run: JSONObject = JSONObject(), step: Request.Step? = nil, facts: JSONObject = JSONObject(), labels: JSONObject = JSONObject(),
    requester: Request.Requester? = nil, now: String = "2026-01-01T10:00:00Z", implied: [RuleMatch] = []
  ) throws -> Request {
    Request(
      principal: try #require(Request.Principal(id: principal, roles: roles, owner: owner)), tool: Self.tool(tool), arguments: args,
      step: step,
      run: run, requester: requester, facts: facts, labels: labels, now: try #require(Instant(iso8601: now)), implied: implied)
  }
}
