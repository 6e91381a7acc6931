public import CEL
public import Core

/// What a file of rules may name: the fields of the process, its tools and steps, the agents, people and roles, the clauses.
///
/// Built from plain values, so that rules can be checked against anything that has fields and tools: a process, a recorded set of runs.
/// A list that is nil is not checked, and every name of its kind is accepted.
public struct PolicyEnvironment: Sendable {
  /// A tool with the schema of its arguments.
  public struct Tool: Sendable {
    /// Name, effect class and connector.
    public let tool: Request.Tool
    /// The JSON Schema of the arguments, or nil where there is none: then a condition reads them untyped.
    public let schema: JSON?

    /// The arguments that can have only certain values.
    public let choices: [Choice]

    /// Makes a tool from its parts.
    public init(_ tool: Request.Tool, schema: JSON? = nil, choices: [Choice] = []) {
      self.tool = tool
      self.schema = schema
      self.choices = choices
    }
  }

  /// Something that a condition can read and that can have only certain values.
  public struct Choice: Sendable {
    /// Such as `run`, `risk`.
    public let path: [String]
    /// All the values that it can have.
    public let values: [JSON]

    /// Makes a choice from its parts.
    public init(_ path: [String], _ values: [JSON]) {
      self.path = path
      self.values = values
    }
  }

  /// What kind of file the rules are in.
  public enum Kind: Sendable {
    /// The rules of a process, pinned by a release.
    case release
    /// The live guard of a workspace, which can only hold or forbid.
    case `guard`
  }

  /// What kind of file the rules are in.
  public var kind: Kind
  /// The declared fields of a run, with their types.
  public var fields: [(name: String, type: CELType)]
  /// The facts that a run can learn from its tools, with their types; where they are nil, what conditions read of labels is not checked either.
  public var facts: [(name: String, type: CELType)]?
  /// What has only certain values, apart from the arguments of tools: a condition that compares it with another value is a mistake.
  public var choices: [Choice]
  /// The tools that there are.
  public var tools: [Tool]?
  /// The steps that there are, with their risk and performer.
  public var steps: [Request.Step]?
  /// The ids of agents, without `agent:`.
  public var agents: [String]?
  /// The ids of people, without `user:`.
  public var users: [String]?
  /// The names of roles.
  public var roles: [String]?
  /// The clauses of the controlled documents, such as `policy.md#4.1`.
  public var clauses: Set<String>?

  /// Makes an environment; what is not given is not checked.
  public init(
    kind: Kind = .release, fields: [(name: String, type: CELType)] = [], facts: [(name: String, type: CELType)]? = nil,
    choices: [Choice] = [], tools: [Tool]? = nil,
    steps: [Request.Step]? = nil, agents: [String]? = nil, users: [String]? = nil, roles: [String]? = nil, clauses: Set<String>? = nil
  ) {
    self.kind = kind
    self.fields = fields
    self.facts = facts
    self.choices = choices
    self.tools = tools
    self.steps = steps
    self.agents = agents
    self.users = users
    self.roles = roles
    self.clauses = clauses
  }

  /// The tool with a name, byte for byte.
  public func tool(named name: String) -> Tool? { tools?.first { bytesEqual($0.tool.name, name) } }

  /// The step with an id.
  public func step(named id: String) -> Request.Step? { steps?.first { bytesEqual($0.id, id) } }
}
