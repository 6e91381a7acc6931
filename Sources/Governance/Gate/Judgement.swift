public import Core
public import PolicyEngine
public import ProcessModel

/// What the gate finds about one proposal, before anything is recorded.
public struct Judgement: Sendable {
  /// The verdict.
  public var verdict: Outcome
  /// What stopped it, where not a rule did.
  public var refusal: Refusal?
  /// Every rule that matched: implied ones, controls, written rules.
  public var matched: [RuleMatch] = []
  /// Every rule that erred.
  public var errors: [RuleError] = []
  /// What has to happen before it may be carried out.
  public var requirements: [ApprovalRequirement] = []
  /// The values that the matching rules and controls read, by path.
  public var read: JSONObject = [:]
  /// What the tool can change.
  public var effect: EffectClass = .external
  /// The step that it belongs to.
  public var step: Occurrence?
  /// SHA-256 of the tool's definition.
  public var toolDigest: Digest?
  /// What an approval is bound to.
  public var digest: Digest
  /// The arguments in canonical form; nil where they have none, or were refused before they were looked at.
  var canonicalArguments: [UInt8]?
  /// The consequences, for a permitted proposal whose tool changes the run.
  public var events: [RunEvent] = []

  /// The allowances that a permit uses.
  var uses: [AllowanceUse] = []
  /// The evidence for an allowance that is asked for.
  var basis: AllowanceBasis?
  /// What an agent answers with it.
  var answer: ReviewerAnswer?
  /// The allowances that this call ends, whatever becomes of it.
  var demotions: [Demotion] = []

  /// Whether what was decided before still holds: neither forbidden now, nor shown with other values, nor in need of other approvals.
  func stands(_ record: ProposalRecord) -> Bool {
    verdict != .forbid && digest == record.digest && requirements == record.requirements
  }

  /// A judgement that stops a proposal at once.
  static func refused(_ refusal: Refusal, effect: EffectClass = .external, step: Occurrence? = nil, digest: Digest) -> Judgement {
    Judgement(verdict: .forbid, refusal: refusal, effect: effect, step: step, digest: digest)
  }
}

/// Which question about which proposal an agent answers.
struct ReviewerAnswer {
  let proposal: String
  /// The entry of the question.
  let question: Int
}
