public import Core
public import PolicyEngine

/// How far the approvals of a held proposal are: whom it waits for now, and what counts already.
public struct ApprovalProgress: Sendable {
  /// Where a requirement stands.
  public enum Standing: String, Sendable {
    /// Enough people have approved.
    case met
    /// It waits for people now.
    case open
    /// It will, once the stages before are complete.
    case later
  }

  /// One requirement with what counts towards it.
  public struct Need: Sendable {
    /// What is asked for.
    public let requirement: ApprovalRequirement
    /// Where it stands.
    public internal(set) var standing: Standing
    /// Who was asked as well when nobody decided, principals and roles.
    public internal(set) var escalatedTo: [String]
    /// The approvals that count, as places in the record's votes.
    public internal(set) var votes: [Int]
  }

  /// The requirements, in the order of the record.
  public internal(set) var needs: [Need]

  /// Whether everything is met.
  public var isComplete: Bool { needs.allSatisfy { $0.standing == .met } }

  /// The fewest people who still have to approve: one may count for several rules, but never twice for one.
  public var missing: Int {
    let unmet = needs.filter { $0.standing != .met }
    let byRule = Dictionary(grouping: unmet) { ExactString($0.requirement.rule) }
    return byRule.values.map { own in own.reduce(0) { $0 + $1.requirement.count - $1.votes.count } }.max() ?? 0
  }

  /// Whether an approval counts towards something, by its place among the approvals.
  func counts(_ vote: Int) -> Bool { needs.contains { $0.votes.contains(vote) } }

  /// A stage that a rule waits in.
  struct Opened: Hashable, Sendable {
    let rule: String
    /// One past the rule's last stage where it is met.
    let stage: Int

    var json: JSON { ["rule": .string(rule), "stage": .int(stage)] }
  }

  /// The stages that rules wait in and did not before.
  func stages(openedSince before: ApprovalProgress) -> [Opened] { stages.filter { !before.stages.contains($0) } }

  /// The rules with the stage that each waits in.
  var stages: [Opened] {
    var stages: [Opened] = []
    for need in needs where !stages.contains(where: { bytesEqual($0.rule, need.requirement.rule) }) {
      let own = needs.filter { bytesEqual($0.requirement.rule, need.requirement.rule) }
      let unmet = own.filter { $0.standing != .met }.map(\.requirement.stage).min()
      stages.append(Opened(rule: need.requirement.rule, stage: unmet ?? (own.map(\.requirement.stage).max() ?? 0) + 1))
    }
    return stages
  }

  /// Counts approvals, in the order in which they came.
  ///
  /// Nobody counts twice for one rule, neither as who approved nor as whose authority it was. Within a stage each approval fills one place,
  /// so that as many places are filled as can be.
  ///
  /// - Parameters:
  ///   - requirements: What is asked for.
  ///   - approvers: Who approved.
  ///   - passes: Whether an approval passes all of a rule, in an emergency.
  ///   - counts: Whether an approval counts towards a requirement.
  /// - Complexity: O(requirements · approvals²).
  init(
    _ requirements: [ApprovalRequirement], _ approvers: [Approver], passes: (ApprovalRequirement, Approver) -> Bool,
    counts: (ApprovalRequirement, Approver) -> Bool
  ) {
    needs = requirements.map { Need(requirement: $0, standing: .later, escalatedTo: [], votes: []) }
    var done: [String] = []
    for requirement in requirements where !done.contains(where: { bytesEqual($0, requirement.rule) }) {
      done.append(requirement.rule)
      let places = requirements.indices.filter { bytesEqual(requirements[$0].rule, requirement.rule) }
      if let glass = approvers.firstIndex(where: { passes(requirement, $0) }) {
        for place in places { (needs[place].standing, needs[place].votes) = (.met, [glass]) }
      } else {
        count(approvers, for: places, counts)
      }
    }
  }

  /// Counts approvals for the requirements of one rule, stage by stage.
  private mutating func count(_ approvers: [Approver], for places: [Int], _ counts: (ApprovalRequirement, Approver) -> Bool) {
    var used: [Approver] = []
    var rest = approvers.indices[...]
    for stage in Set(places.map { needs[$0].requirement.stage }).sorted() {
      let open = places.filter { needs[$0].requirement.stage == stage }
      for place in open { needs[place].standing = .open }
      var filling = StageFilling(sizes: open.map { needs[$0].requirement.count })
      while !filling.isFull, let vote = rest.popFirst() {
        let approver = approvers[vote]
        if used.contains(where: { $0.isSamePerson(as: approver) }) { continue }
        let fitting = open.indices.filter { counts(needs[open[$0]].requirement, approver) }
        if filling.add(vote, fitting: fitting) { used.append(approver) }
      }
      for (place, votes) in zip(open, filling.votes) { needs[place].votes = votes }
      guard filling.isFull else { return }
      for place in open { needs[place].standing = .met }
    }
  }
}

/// The places of one stage, and the approvals that fill them: an assignment that grows by augmenting paths.
///
/// - SeeAlso: H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; here its unweighted form.
private struct StageFilling {
  private let sizes: [Int]
  /// The approvals in each requirement's places.
  private(set) var votes: [[Int]]
  private var fits: [Int: [Int]] = [:]

  init(sizes: [Int]) {
    self.sizes = sizes
    votes = sizes.map { _ in [] }
  }

  var isFull: Bool { zip(sizes, votes).allSatisfy { $0 == $1.count } }

  /// Adds an approval that fits these requirements; false where it fills no place that is still needed.
  mutating func add(_ vote: Int, fitting: [Int]) -> Bool {
    fits[vote] = fitting
    var seen: Set<Int> = []
    return place(vote, &seen)
  }

  private mutating func place(_ vote: Int, _ seen: inout Set<Int>) -> Bool {
    for need in fits[vote] ?? [] where seen.insert(need).inserted {
      if votes[need].count < sizes[need] {
        votes[need].append(vote)
        return true
      }
      for (index, other) in votes[need].enumerated() where place(other, &seen) {
        votes[need][index] = vote
        return true
      }
    }
    return false
  }
}

extension Approver {
  /// Whether two approvals are by the same person or in the same place.
  fileprivate func isSamePerson(as other: Approver) -> Bool {
    identity.isSamePerson(as: other.identity)
      || bytesEqual(authority ?? identity.principal, other.authority ?? other.identity.principal)
  }
}

extension ProposalRecord {
  /// How far the approvals are, with the roles that people have at a moment; the run and its release are nil for a proposal about the
  /// workspace.
  public func progress(in run: RunRecord?, shared: SharedState, release: Release?, at now: Instant) -> ApprovalProgress {
    Eligibility(record: self, run: run, directory: shared.directory, release: release, now: now).progress()
  }

  /// Whether a person may decide on the proposal now, and has not.
  public func awaits(_ identity: Identity, in run: RunRecord?, shared: SharedState, release: Release?, at now: Instant) -> Bool {
    let eligibility = Eligibility(record: self, run: run, directory: shared.directory, release: release, now: now)
    guard let authority = try? eligibility.check(identity) else { return false }
    // The signature that a rule may ask for is given with the approval: here it is who they are that matters.
    let key = shared.directory.person(identity.principal)?.keys.first?.fingerprint
    let approver = Approver(identity: identity, key: key, authority: authority)
    return eligibility.progress(approvers + [approver]).counts(votes.count)
  }
}
