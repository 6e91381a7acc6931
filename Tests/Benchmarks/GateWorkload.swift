import CEL
import Core
import PolicyEngine

/// Rules and requests of the neutral policy workload: two shapes of rules, a fifth of them forbidding, 1,000 requests.
///
/// The same distribution as the peers' generator. It is read from that generator's files where `--data` names them, so that every engine
/// decides exactly the same; otherwise it is made from a seed.
struct GateWorkload {
  struct Policy {
    var id: String
    var isForbid: Bool
    var actions: [String]
    // Permits.
    var type = ""
    var role = ""
    var maxAmount: Int64 = 0
    var maxRisk: Int64 = 0
    var minTrust: Int64 = 0
    var environments: [String] = []
    var isSameTeam = false
    var approvedOver: Int64?
    // Forbids.
    var classes: [String] = []
    var environment = ""
    var trustBelow: Int64 = 0
    var amountOver: Int64 = 0
    var hourFrom: Int64 = 0
    var isUnlessMFA = false
  }

  struct Question {
    var id: String
    var team: String
    var roles: [String]
    var trust: Int64
    var action: String
    var resource: [String: String]
    var risk: Int64
    var amount: Int64
    var hasMFA: Bool
    var isApproved: Bool
    var hour: Int64
  }

  var policies: [Policy]
  var questions: [Question]
  /// For each question whether it is allowed, and the ids of the permits and forbids that match.
  var expected: [(isAllowed: Bool, permits: [String], forbids: [String])]

  /// The rules as a file of rules.
  ///
  /// The resource is the call's arguments, the context is the run's fields.
  var rulesText: String {
    let rules = policies.map { policy -> String in
      let actions = policy.actions.map { "\"\($0)\"" }.joined(separator: ", ")
      return "    { id: \"\(policy.id)\", \(policy.isForbid ? "forbid" : "permit"): [\(actions)], when: \"\(policy.condition)\" },\n"
    }
    return "{\n  policy: \"bench\",\n  rules: [\n\(rules.joined())  ],\n}\n"
  }

  static let environment = PolicyEnvironment(
    fields: [("risk", .int), ("amount", .int), ("mfa", .bool), ("approved", .bool), ("hour", .int)],
    tools: actions.map {
      PolicyEnvironment.Tool(Request.Tool(name: $0, effect: .external, connector: "bench"), schema: schema)
    })

  private static let schema: JSON = [
    "type": "object", "additionalProperties": false,
    "properties": [
      "type": ["type": "string"], "id": ["type": "string"], "team": ["type": "string"], "class": ["type": "string"],
      "env": ["type": "string"],
    ],
  ]
}

extension GateWorkload.Policy {
  var condition: String {
    func list(_ texts: [String]) -> String { "[" + texts.map { "'\($0)'" }.joined(separator: ", ") + "]" }
    var parts: [String] = []
    if isForbid {
      parts = [
        "args.class in \(list(classes))", "args.env == '\(environment)'", "facts.trust < \(trustBelow)", "run.amount > \(amountOver)",
        "run.hour >= \(hourFrom)",
      ]
      if isUnlessMFA { parts.append("!run.mfa") }
    } else {
      parts = [
        "args.type == '\(type)'", "'\(role)' in principal.roles", "run.amount <= \(maxAmount)", "run.risk < \(maxRisk)",
        "facts.trust >= \(minTrust)", "args.env in \(list(environments))",
      ]
      if isSameTeam { parts.append("facts.team == args.team") }
      if let approvedOver { parts.append("(run.amount <= \(approvedOver) || run.approved)") }
    }
    return parts.joined(separator: " && ")
  }

  /// The rule by hand: the oracle of generated input, and the limit beside which the engine's figure is read.
  func matches(_ question: GateWorkload.Question) -> Bool {
    if !actions.contains(question.action) { return false }
    let resource = question.resource
    if isForbid {
      return classes.contains(resource["class"] ?? "") && resource["env"] == environment && question.trust < trustBelow
        && question.amount > amountOver && question.hour >= hourFrom && !(isUnlessMFA && question.hasMFA)
    }
    guard resource["type"] == type, question.roles.contains(role), question.amount <= maxAmount, question.risk < maxRisk,
      question.trust >= minTrust, environments.contains(resource["env"] ?? "")
    else { return false }
    if isSameTeam, question.team != resource["team"] { return false }
    if let approvedOver { return question.amount <= approvedOver || question.isApproved }
    return true
  }
}

extension GateWorkload.Question {
  struct Parts {
    var principal: Request.Principal
    var tool: Request.Tool
    var arguments: JSONObject
    var run: JSONObject
    var facts: JSONObject

    /// The request as a service gets it.
    var json: JSON {
      [
        "principal": [
          "id": .string(principal.id), "roles": .array(principal.roles.map { .string($0) }),
          "owner": principal.owner.map { .string($0) } ?? .null,
        ], "tool": .string(tool.name), "args": .object(arguments), "run": .object(run), "facts": .object(facts),
      ]
    }
  }

  /// The parts of a request as they come out of a parser: what a decision "from parsed values" begins with.
  var parts: Parts? {
    guard let principal = Request.Principal(id: "agent:\(id)", roles: roles, owner: "user:ana") else { return nil }
    let arguments = JSONObject(["type", "id", "team", "class", "env"].map { ($0, .string(resource[$0] ?? "")) })
    let run: JSONObject = [
      "risk": .int(risk), "amount": .int(amount), "mfa": .bool(hasMFA), "approved": .bool(isApproved), "hour": .int(hour),
    ]
    let tool = Request.Tool(name: action, effect: .external, connector: "bench")
    return Parts(principal: principal, tool: tool, arguments: arguments, run: run, facts: ["team": .string(team), "trust": .int(trust)])
  }
}

// MARK: - Made from a seed

extension GateWorkload {
  static let actions = [
    "tool.call", "file.read", "file.write", "db.query", "db.write", "payment.create", "payment.refund", "email.send", "http.get",
    "http.post",
    "deploy.start", "deploy.approve", "ticket.create", "ticket.close", "model.invoke", "secret.read",
  ]
  private static let types = ["database", "document", "ledger", "mailbox", "service", "repository", "queue", "vault"]
  private static let roles = [
    "reader", "writer", "clerk", "approver", "auditor", "operator", "planner", "reviewer", "finance", "support", "security", "release",
  ]
  private static let teams = ["core", "billing", "risk", "support", "platform", "data"]
  private static let environments = ["dev", "staging", "prod"]
  private static let classes = ["public", "internal", "confidential", "secret"]

  init(policies count: Int, questions: Int, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let (knownActions, knownTypes) = count <= 10 ? (4, 2) : count <= 100 ? (8, 4) : (16, 8)
    func one<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    func some(_ values: [String], _ count: Int) -> [String] { Array(values.shuffled(using: &random).prefix(count)).sorted() }
    policies = (0..<count).map { place in
      let digits = String(place)
      var policy = Policy(
        id: "p" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits, isForbid: [3, 7].contains(place % 10),
        actions: some(Array(Self.actions.prefix(knownActions)), one([1, 1, 2, 3])))
      if policy.isForbid {
        policy.classes = some(Array(Self.classes.dropFirst()), one([1, 2]))
        policy.environment = one(Array(Self.environments.dropFirst()))
        policy.trustBelow = Int64.random(in: 20..<90, using: &random)
        policy.amountOver = one([200, 1000, 5000])
        policy.hourFrom = one([0, 18, 20, 22])
        policy.isUnlessMFA = Double.random(in: 0..<1, using: &random) < 0.7
      } else {
        policy.type = one(Array(Self.types.prefix(knownTypes)))
        policy.role = one(Self.roles)
        policy.maxAmount = one([100, 500, 2000, 10_000, 50_000])
        policy.maxRisk = Int64.random(in: 30..<95, using: &random)
        policy.minTrust = Int64.random(in: 10..<70, using: &random)
        policy.environments = some(Self.environments, one([1, 2, 3]))
        policy.isSameTeam = Double.random(in: 0..<1, using: &random) < 0.3
        policy.approvedOver = one([nil, nil, 250, 1000])
      }
      return policy
    }
    self.questions = (0..<questions).map { _ in
      let isInside = Double.random(in: 0..<1, using: &random) < 0.85
      return Question(
        id: "agent\(Int.random(in: 0..<200, using: &random))", team: one(Self.teams), roles: some(Self.roles, one([1, 2, 3, 4])),
        trust: Int64.random(in: 0...100, using: &random), action: one(isInside ? Array(Self.actions.prefix(knownActions)) : Self.actions),
        resource: [
          "type": one(isInside ? Array(Self.types.prefix(knownTypes)) : Self.types), "id": "res\(Int.random(in: 0..<1000, using: &random))",
          "team": one(Self.teams), "class": one(Self.classes), "env": one(Self.environments),
        ],
        risk: Int64.random(in: 0...100, using: &random), amount: one([10, 60, 240, 900, 3000, 12_000]), hasMFA: Bool.random(using: &random),
        isApproved: Bool.random(using: &random), hour: Int64.random(in: 0..<24, using: &random))
    }
    expected = []
    expected = self.questions.map(decide)
  }

  /// The verdict by hand, and every rule that matches.
  func decide(_ question: Question) -> (isAllowed: Bool, permits: [String], forbids: [String]) {
    let matching = policies.filter { $0.matches(question) }
    let permits = matching.filter { !$0.isForbid }.map(\.id)
    let forbids = matching.filter(\.isForbid).map(\.id)
    return (!permits.isEmpty && forbids.isEmpty, permits, forbids)
  }
}

// MARK: - Read from the generator's files

extension GateWorkload {
  /// Reads `policies.json`, `requests.json` and `expected.json` from a folder.
  init(folder: String) throws {
    func list(_ name: String) throws -> [JSON] {
      let path = "\(folder)/\(name)"
      guard let values = try JSON.parse(try RegularFile.read(path, maximumBytes: 1 << 28), file: path).arrayValue else {
        throw BenchError("\(path) is no list")
      }
      return values
    }
    func texts(_ value: JSON?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }
    func text(_ value: JSON?) -> String { value?.stringValue ?? "" }
    func int(_ value: JSON?) -> Int64 { value?.intValue ?? 0 }
    policies = try list("policies.json").map { value in
      Policy(
        id: text(value["id"]), isForbid: value["effect"] == "forbid", actions: texts(value["actions"]), type: text(value["rtype"]),
        role: text(value["role"]), maxAmount: int(value["max_amount"]), maxRisk: int(value["max_risk"]), minTrust: int(value["min_trust"]),
        environments: texts(value["envs"]), isSameTeam: value["same_team"] == true, approvedOver: value["approved_over"]?.intValue,
        classes: texts(value["classes"]), environment: text(value["env"]), trustBelow: int(value["trust_below"]),
        amountOver: int(value["amount_over"]), hourFrom: int(value["hour_from"]), isUnlessMFA: value["unless_mfa"] == true)
    }
    questions = try list("requests.json").map { value in
      let (agent, context) = (value["agent"], value["context"])
      return Question(
        id: text(agent?["id"]), team: text(agent?["team"]), roles: texts(agent?["roles"]), trust: int(agent?["trust"]),
        action: text(value["action"]),
        resource: Dictionary(uniqueKeysWithValues: (value["resource"]?.objectValue ?? JSONObject()).map { ($0.key, text($0.value)) }),
        risk: int(context?["risk"]), amount: int(context?["amount"]), hasMFA: context?["mfa"] == true,
        isApproved: context?["approved"] == true,
        hour: int(context?["hour"]))
    }
    expected = try list("expected.json").map { value in
      let parts = value.arrayValue ?? []
      guard parts.count == 3 else { throw BenchError("\(folder)/expected.json: an answer has three parts") }
      return (parts[0] == "allow", texts(parts[1]), texts(parts[2]))
    }
    if questions.count != expected.count || policies.isEmpty { throw BenchError("\(folder): the files do not belong together") }
  }
}
