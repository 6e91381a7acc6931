/// An agent that a process employs: who answers for it, which model it uses, and what it may spend on one step.
public struct AgentDefinition: Sendable {
  /// The name; the agent's principal is `agent:<name>`.
  public let name: String
  /// Who answers for it: `user:ana` or `role:procurement-lead`.
  public let owner: Performer
  /// The name of the model settings, `default` unless the file says otherwise.
  public let model: String
  /// The tools that it may be offered; rules still decide on every call.
  public let tools: [String]
  /// What it may use up on one step.
  public let budget: Budget

  /// The agent as a principal of rules and of the log.
  public var principal: String { "agent:\(name)" }

  /// Bounds for one step; the first that is reached hands the step to a person.
  public struct Budget: Hashable, Sendable {
    /// Replies of the model, unusable ones included.
    public let turns: Int
    /// Tokens, prompts and replies together.
    public let tokens: Int
    /// Money, in millionths of a US dollar; `nil` for no bound of its own.
    public let costMicroUSD: Int64?
    /// The time that calls of the model and of tools take; waiting for people does not count.
    public let time: Duration

    /// What an agent has that declares no budget: 8 turns, 32,000 tokens, 5 minutes.
    public static let standard = Budget(turns: 8, tokens: 32_000, costMicroUSD: nil, time: .seconds(300))
  }
}
