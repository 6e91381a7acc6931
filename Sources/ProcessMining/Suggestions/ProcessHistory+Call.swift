extension ProcessHistory {
  /// What an agent or a person proposed, what the gate and people said to it, and how it turned out.
  public struct Call: Sendable {
    /// Why it passed, or what it waited for.
    public enum Basis: Hashable, Sendable {
      /// A rule or its step permitted it.
      case rule
      /// A live allowance covered it, by id.
      case allowance(String)
      /// Rules held it, by id.
      case held([String])
      /// It would have passed with an allowance, by the id of the rule whose autonomy is earned, but there was none.
      case unearned(String)
    }

    /// What people decided on a call that waited.
    public struct Decision: Hashable, Sendable {
      /// How it ended.
      public var outcome: DecidedHold.Outcome
      /// Who decided; nil where the time ran out.
      public var by: String?
      /// When.
      public var time: Int64
      /// The reason of a rejection, in the decider's words; nil where there is none.
      public var reason: String?

      /// A decision.
      public init(_ outcome: DecidedHold.Outcome, by: String?, at time: Int64, reason: String? = nil) {
        self.outcome = outcome
        self.by = by
        self.time = time
        self.reason = reason
      }
    }

    /// The run, a number below ``ProcessHistory/runs``.
    public var run: Int
    /// Who proposed: `agent:analyst`, `user:ana`.
    public var proposer: String
    /// The tool.
    public var tool: String
    /// The step, by id.
    public var step: String?
    /// Why it passed, or what it waited for.
    public var basis: Basis
    /// When it was proposed.
    public var time: Int64
    /// Values by ``Feature/path`` at that time.
    public var features: [String: FeatureValue]
    /// The decision; nil for a call that did not wait, or still does.
    public var decision: Decision?
    /// What people or the outside said later about a call that passed without a person: true where it was wrong.
    public var wasWrong: Bool
    /// The entry that proves it.
    public var entry: Int64

    /// A call.
    public init(
      run: Int, proposer: String, tool: String, step: String?, basis: Basis, time: Int64, features: [String: FeatureValue] = [:],
      decision: Decision? = nil, wasWrong: Bool = false, entry: Int64
    ) {
      self.run = run
      self.proposer = proposer
      self.tool = tool
      self.step = step
      self.basis = basis
      self.time = time
      self.features = features
      self.decision = decision
      self.wasWrong = wasWrong
      self.entry = entry
    }

    /// Whether a person proposed it.
    var isPersonal: Bool { proposer.utf8.starts(with: "user:".utf8) }

    /// How long people took to decide, in milliseconds.
    var waited: Int64? { decision.map { max(0, $0.time - time) } }
  }
}
