internal import Audit
public import Core
public import PolicyEngine
public import ProcessModel

/// What the log says about one proposal.
public struct ProposalRecord: Hashable, Sendable {
  /// Where a proposal stands.
  ///
  /// Each of the ways in which it can end is its own, and its proposer is told which.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    /// Waits for people.
    case held
    /// Permitted or approved, and not yet begun. Only proposals with an outside effect come here.
    case granted
    /// Its effect has begun.
    case started
    /// Its effect happened; or it had none outside and its consequences are in the log.
    case done
    /// Its effect failed: the outside says that nothing happened.
    case failed
    /// Its effect began and its outcome was lost. Nobody repeats it; a person says what happened.
    case inDoubt = "in-doubt"
    /// Refused by the gate.
    case forbidden
    /// A person said no.
    case rejected
    /// Nobody decided in time.
    case expired
    /// Its proposer, or the end of its run, took it back.
    case withdrawn
    /// An edited proposal took its place.
    case superseded
    /// Something that it depended on changed after it was shown or approved, and a new proposal took its place; or its step was stopped,
    /// tried again or given to someone else.
    case voided

    /// Whether something may still come of it.
    public var isOpen: Bool { self == .held || self == .granted || self == .started || self == .inDoubt }
  }

  /// One person's approval.
  public struct Vote: Hashable, Sendable {
    /// The person.
    public let principal: String
    /// In whose place the person decided, a principal: their own, or that of who delegated to them or was absent.
    public let authority: String
    /// The account of the operating system that gave the command.
    public let account: String
    /// When, in log time.
    public let time: Instant
    /// How the service knew the person.
    public let mode: Identity.Mode
    /// Whether the person is the operator of a single-operator store.
    public let isOperator: Bool
    /// The fingerprint of the key that signed the approval, as `ssh-keygen -l` shows it; nil for one that was not signed.
    public let key: String?

    /// Whether it passed the proposal in an emergency, without those who would have had to agree.
    public let isBreakGlass: Bool

    /// Who approved, for people: both names where it was in another's place.
    public var shown: String {
      (bytesEqual(principal, authority) ? principal : "\(principal) for \(authority)") + (isBreakGlass ? " in an emergency" : "")
    }

    /// The person as they came.
    var identity: Identity { Identity(principal: principal, account: account, mode: mode, isOperator: isOperator) }
  }

  /// The proposal's id.
  public let id: String
  /// The index of its entry.
  public let entry: Int
  /// When it was decided, in log time.
  public let time: Instant
  /// Who proposed.
  public let principal: String
  /// The account that a person proposed with, where it stands for that person alone.
  public let account: String?
  /// The tool.
  public let tool: String
  /// What the tool can change.
  public let effect: EffectClass
  /// What the gate decided when it was proposed.
  public let verdict: Outcome
  /// The step that it belongs to.
  public let step: Occurrence?
  /// The digest that approvals are bound to.
  public let digest: Digest
  /// What has to happen before it may be carried out.
  public let requirements: [ApprovalRequirement]
  /// Until when people may decide, and what they approved may begin.
  public internal(set) var expires: Instant?
  /// The model's tool call that it answers.
  public let call: String?
  /// The proposal that it replaced.
  public let replaces: String?
  /// The release that it was decided under.
  public let release: String?
  /// Where it stands.
  public internal(set) var status: Status
  /// The approvals so far.
  public internal(set) var votes: [Vote] = []
  /// What happened while it waited, in log order.
  public internal(set) var notes: [Note] = []
  /// The attempts to carry it out.
  public internal(set) var attempts = 0
  /// The grant of the latest attempt.
  public internal(set) var grant: String?
  /// Until when the running attempt has time.
  public internal(set) var deadline: Instant?
  /// The process that runs the attempt.
  public internal(set) var worker: String?

  /// The allowances that covered it.
  public internal(set) var uses: [AllowanceUse] = []
  /// What people found about an agent's call; nil where nobody has looked.
  public internal(set) var judged: Judged?
  /// Whether a person wrote its arguments.
  var isEdited = false
  /// Whether it was planted to see whether its reviewers look: it can never be carried out.
  public internal(set) var isProbe = false

  /// What people found about a call.
  public struct Judged: Hashable, Sendable {
    /// Whether it was right as it was.
    public let isRight: Bool
    /// When they said so, in log time.
    public let time: Instant
  }

  /// The code that a person types to decide on it.
  public var shortCode: String { Proposal.shortCode(of: digest) }
}
