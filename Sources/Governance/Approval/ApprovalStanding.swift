public import Audit
public import Core
internal import PolicyEngine
public import ProcessModel

/// Whether the directory of a moment lets people approve a proposal, by what the entries of the log say alone.
///
/// What the gate asks beyond that (who prepared a run, who answers for an agent, which stage it is) rests on more than entries say.
public struct ApprovalStanding: Sendable {
  let record: ProposalRecord
  /// Who asked for its run; nil for a proposal about the workspace.
  let requester: String?
  let process: String?
  let directory: Directory
  let now: Instant

  /// The standing of a proposal with its votes.
  ///
  /// - Parameters:
  ///   - record: The proposal, after the entry.
  ///   - run: Its run; nil for a proposal about the workspace.
  ///   - directory: The people and roles before the entry.
  ///   - now: The entry's time.
  public init(_ record: ProposalRecord, run: RunState?, directory: Directory, now: Instant) {
    self.record = record
    requester = run?.requester
    process = run?.process
    self.directory = directory
    self.now = now
  }

  /// Whether an entry of this type can say something that has to be looked at.
  static func concerns(_ type: String) -> Bool {
    type == EntryType.approval || type == EntryType.effectStarted || type == EntryType.proposal
  }

  /// What is wrong with an entry about the proposal; nil where nothing is.
  ///
  /// Who approves may not, there are too few where it is said that they are enough, or they are not enough any more when the effect begins.
  public func problem(with entry: Entry) -> String? {
    var isComplete = false
    switch entry.type {
    case EntryType.proposal where entry.bodyView["editor_counts"]?.boolValue == true:
      isComplete = record.verdict == .permit
    case EntryType.approval where entry.bodyView["decision"]?.stringValue == ApprovalDecision.approve.rawValue:
      isComplete = entry.bodyView["complete"]?.boolValue == true
      guard let by = entry.bodyView["by"]?.stringValue, bytesEqual(by, entry.principal) else {
        return "entry \(entry.index) is an approval in another name"
      }
    case EntryType.effectStarted:
      let isInTime = record.expires.map { entry.time <= $0 } ?? true
      if record.votes.isEmpty || isInTime && isEnough { return nil }
      return "the approvals for the effect of entry \(entry.index) counted no more when it began"
    default: return nil
    }
    guard let vote = record.votes.last, mayGive(vote) else { return "entry \(entry.index) is an approval by somebody who may not decide" }
    return isComplete && !isEnough ? "entry \(entry.index) has too few approvals" : nil
  }

  /// Whether an approval counts for anything that is asked.
  private func mayGive(_ vote: ProposalRecord.Vote) -> Bool { record.requirements.contains { counts(vote, for: $0) || passes(vote, $0) } }

  /// Whether the approvals are enough: any requirements of a rule together have as many people as they ask for, in as many places.
  private var isEnough: Bool {
    let rules = record.requirements.filter { rule in !record.votes.contains { passes($0, rule) } }
    let byRule = Dictionary(grouping: rules) { ExactString($0.rule) }
    return byRule.values.allSatisfy { own in
      (1..<(1 << min(own.count, 16))).allSatisfy { set in hasEnough(own.enumerated().filter { set >> $0.offset & 1 == 1 }.map(\.element)) }
    }
  }

  private func hasEnough(_ some: [ApprovalRequirement]) -> Bool {
    let votes = record.votes.filter { vote in some.contains { counts(vote, for: $0) } }
    let (people, places) = (Set(votes.map { ExactString($0.principal) }), Set(votes.map { ExactString($0.authority) }))
    return min(people.count, places.count) >= some.reduce(0) { $0 + $1.count }
  }

  private func counts(_ vote: ProposalRecord.Vote, for rule: ApprovalRequirement) -> Bool {
    var wanted = Set(rule.roles.map { ExactString("role:\($0)") } + rule.approvers.map { ExactString($0) })
    for note in record.notes {
      guard case .escalated(let escalated, rule.stage, _, let to) = note.kind, bytesEqual(escalated, rule.rule) else { continue }
      wanted.formUnion(to.map { ExactString($0) })
    }
    return (!rule.isSigned || hasSigned(vote)) && stands(vote, rule, wanted)
  }

  /// Whether it is an approval in an emergency, for which the rule has a way.
  private func passes(_ vote: ProposalRecord.Vote, _ rule: ApprovalRequirement) -> Bool {
    guard vote.isBreakGlass, let glass = rule.course.breakGlass else { return false }
    return stands(vote, rule, Set(glass.roles.map { ExactString("role:\($0)") }))
  }

  /// Whether somebody has what is wanted, and neither asked for it, nor proposed it, nor is excluded.
  private func stands(_ vote: ProposalRecord.Vote, _ rule: ApprovalRequirement, _ wanted: Set<ExactString>) -> Bool {
    let never = rule.not + [record.principal] + (requester.map { [$0] } ?? [])
    return !wanted.isDisjoint(with: held(by: vote))
      && !never.contains { bytesEqual($0, vote.principal) || bytesEqual($0, vote.authority) }
  }

  /// The roles that somebody approves with, and in whose whole place.
  private func held(by vote: ProposalRecord.Vote) -> Set<ExactString> {
    let isOwn = bytesEqual(vote.principal, vote.authority)
    var (roles, isWhole) = ([String](), true)
    if vote.isOperator {
      roles = isOwn ? directory.roles.map(\.name) : []
    } else {
      let mandates = directory.mandates(of: vote.principal, process: process, at: now)
      guard let mandate = mandates.first(where: { ($0.source == nil) == isOwn && bytesEqual($0.authority, vote.authority) }) else {
        return []
      }
      (roles, isWhole) = (mandate.roles, mandate.isWhole)
    }
    return Set(roles.map { ExactString("role:\($0)") } + (isWhole ? [ExactString(vote.authority)] : []))
  }

  private func hasSigned(_ vote: ProposalRecord.Vote) -> Bool {
    guard let key = vote.key else { return false }
    return directory.person(vote.principal)?.keys.contains { $0.fingerprint == key } ?? false
  }
}
