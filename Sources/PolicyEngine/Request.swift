public import Core

/// One question to the rules: whether this principal may make this tool call here and now.
///
/// Immutable and passed by reference, so that building one costs one allocation, and a decision can hold on to it at no cost. Values are
/// looked up when a condition reads them, and only then.
public final class Request: Sendable {
  /// Who asks.
  public let principal: Principal
  /// The tool that would be called.
  public let tool: Tool
  /// The arguments of the call, already checked against the tool's schema.
  public let arguments: JSONObject
  /// The step in which the call is made, where there is one.
  public let step: Step?
  /// The fields of the run that have a value.
  public let run: JSONObject
  /// Who asked for the run, where that is known.
  public let requester: Requester?
  /// What the run has learned, by name.
  public let facts: JSONObject
  /// Labels of arguments, fields and facts, nested as conditions name them: `labels.args.to.origin`.
  public let labels: JSONObject
  /// The time of the decision.
  public let now: Instant
  /// Permits that follow from something other than a written rule: a step's role or agent, a trigger's role.
  public let implied: [RuleMatch]

  /// Makes a request.
  ///
  /// What is not given is absent: a condition that reads it cannot be evaluated.
  public init(
    principal: Principal, tool: Tool, arguments: JSONObject = JSONObject(), step: Step? = nil, run: JSONObject = JSONObject(),
    requester: Requester? = nil, facts: JSONObject = JSONObject(), labels: JSONObject = JSONObject(), now: Instant,
    implied: [RuleMatch] = []
  ) {
    self.principal = principal
    self.tool = tool
    self.arguments = arguments
    self.step = step
    self.run = run
    self.requester = requester
    self.facts = facts
    self.labels = labels
    self.now = now
    self.implied = implied
  }

  /// The same request with further implied permits.
  public func adding(implied further: [RuleMatch]) -> Request {
    Request(
      principal: principal, tool: tool, arguments: arguments, step: step, run: run, requester: requester, facts: facts, labels: labels,
      now: now, implied: implied + further)
  }
}

extension Request {
  /// Who makes a tool call, with what the directory says of it at this moment.
  public struct Principal: Hashable, Sendable {
    /// The id, such as `agent:risk-analyst`.
    public let id: String
    /// The kind that the id names.
    public let kind: PrincipalKind
    /// The roles, bare names.
    public let roles: [String]
    /// Who answers for an agent: `user:ana` or `role:procurement-lead`.
    public let owner: String?

    /// Makes a principal; nil when the id does not begin with a known kind.
    public init?(id: String, roles: [String] = [], owner: String? = nil) {
      guard let kind = PrincipalKind(of: id) else { return nil }
      self.id = id
      self.kind = kind
      self.roles = roles
      self.owner = owner
    }
  }

  /// The tool of a call.
  public struct Tool: Hashable, Sendable {
    /// The name, compared byte for byte.
    public let name: String
    /// What the tool can change.
    public let effect: EffectClass
    /// Where the tool comes from: `builtin`, or the name of its connector.
    public let connector: String
    /// What it does to the world.
    public let action: ToolAction
    /// Whether a call matters to anybody outside the run.
    public let isConsequential: Bool
    /// Whether the task that the call belongs to needs this tool, as the process or plan says.
    public let isPlanned: Bool

    /// Makes a tool from its parts.
    ///
    /// Without an action a read reads and everything else writes; where nothing else is said only an external effect is consequential.
    public init(
      name: String, effect: EffectClass, connector: String = "builtin", action: ToolAction? = nil, isConsequential: Bool? = nil,
      isPlanned: Bool = true
    ) {
      self.name = name
      self.effect = effect
      self.connector = connector
      self.action = action ?? (effect == .read ? .read : .write)
      self.isConsequential = isConsequential ?? (effect == .external)
      self.isPlanned = isPlanned
    }
  }

  /// The step of a run in which a call is made.
  public struct Step: Hashable, Sendable {
    /// The id that the process gives it.
    public let id: String
    /// Its declared risk, such as `low`, where one is declared.
    public let risk: String?
    /// Which pass through an enclosing repeat this is, from 1.
    public let iteration: Int
    /// Who does the step: `role:requester`, `agent:risk-analyst` or `tool:erp.activate_vendor`, where that is known.
    public let performer: String?

    /// Makes a step from its parts.
    public init(id: String, risk: String? = nil, iteration: Int = 1, performer: String? = nil) {
      self.id = id
      self.risk = risk
      self.iteration = iteration
      self.performer = performer
    }
  }

  /// The person or component that asked for the run.
  public struct Requester: Hashable, Sendable {
    /// The id, such as `user:ben`.
    public let id: String
    /// The roles, bare names.
    public let roles: [String]

    /// Makes a requester from its parts.
    public init(id: String, roles: [String] = []) {
      self.id = id
      self.roles = roles
    }
  }
}
