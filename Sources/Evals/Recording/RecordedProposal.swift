public import Core
public import PolicyEngine

/// One tool call that was proposed in the past, with what rules may know of it: what a replay decides again.
public struct RecordedProposal: Sendable {
  /// The arguments of a call, as far as they could be read.
  public enum Arguments: Sendable {
    /// An object.
    case parsed(JSONObject)
    /// Something that is no JSON object, and why not.
    case malformed(String)
  }

  /// What people who judged the recording say of a call.
  public struct Label: Hashable, Sendable {
    /// How sure the judgement is, such as `strong` or `disputed`.
    public var strength: String
    /// What is wrong with the call, in words.
    public var violations: [String]

    /// A judgement.
    public init(strength: String, violations: [String]) {
      self.strength = strength
      self.violations = violations
    }
  }

  /// Id of the run, unique in the recording.
  public var run: String
  /// Number of the call in its run.
  public var index: Int64
  /// Who proposed it.
  public var principal: Request.Principal
  /// Name of the tool.
  public var tool: String
  /// What it was called with.
  public var arguments: Arguments
  /// The step at which it was proposed, if any.
  public var step: Request.Step?
  /// Fields of the run at that time.
  public var fields = JSONObject()
  /// Who started the run, if that is recorded.
  public var requester: Request.Requester?
  /// What the run had learned, where the recording says so; nil lets a ``FactDescription`` find it.
  public var facts: JSONObject?
  /// Labels of the values.
  public var labels = JSONObject()
  /// When it was proposed; nil where the recording has no times.
  public var time: Instant?
  /// Whether the call changes something outside, as the recording says.
  public var isConsequential = false
  /// Whether the call ran.
  public var wasExecuted = false
  /// What the tool answered.
  public var output: JSON?
  /// What the gate said at the time, where there was one.
  public var recordedOutcome: Outcome?
  /// What people say of it.
  public var label: Label?

  /// A call with nothing but its tool and arguments known.
  public init(run: String, index: Int64, principal: Request.Principal, tool: String, arguments: Arguments) {
    self.run = run
    self.index = index
    self.principal = principal
    self.tool = tool
    self.arguments = arguments
  }
}
