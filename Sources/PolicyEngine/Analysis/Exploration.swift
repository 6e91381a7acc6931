internal import CEL
internal import Core

/// Goes through the requests of a space, leaving open what does not matter.
struct Exploration {
  /// A rule of a set, by its place.
  typealias Member = (set: RuleSet, place: Int)

  enum Next { case deeper, prune, stop }

  let space: RequestSpace
  let members: [Member]
  /// For each member the aspects on which it depends.
  private let needs: [[Int]]
  /// How many requests may still be looked at.
  private(set) var budget: Int

  init(_ space: RequestSpace, _ members: [Member], budget: Int) {
    self.space = space
    self.members = members
    self.budget = budget
    needs = members.map { Self.needs(of: $0, in: space) }
  }

  private static func needs(of member: Member, in space: RequestSpace) -> [Int] {
    let rule = member.set.compiled.rules[member.place]
    let paths = (member.set.compiled.conditions[member.place]?.program.references ?? []).map { ExactPath($0.path) }
    return space.aspects.indices.filter { place in
      switch space.aspects[place].kind {
      case .principal: !rule.principals.isEmpty || rule.isEarned || paths.contains { $0.names[0] == "principal" }
      case .role(let role): rule.principals.contains(.role(role)) || paths.contains { $0.overlaps(ExactPath(["principal", "roles"])) }
      case .step: !rule.steps.isEmpty || paths.contains { $0.names[0] == "step" }
      case .requester: paths.contains { $0.names[0] == "requester" }
      case .requesterRole: paths.contains { $0.overlaps(ExactPath(["requester", "roles"])) }
      case .value(let path): paths.contains { $0.overlaps(path) }
      case .allowance: rule.isEarned
      case .implied: false
      }
    }
  }

  /// Calls the visitor with everything open, and deeper where it asks for that.
  ///
  /// - Returns: False where the visitor stopped, or where the budget ran out.
  mutating func explore(_ visit: (_ point: RequestSpace.Point, _ statuses: [RuleStatus]) -> Next) -> Bool {
    explore(Array(repeating: nil, count: space.aspects.count), Array(repeating: .open, count: members.count), visit)
  }

  private mutating func explore(
    _ point: RequestSpace.Point, _ earlier: [RuleStatus], _ visit: (RequestSpace.Point, [RuleStatus]) -> Next
  ) -> Bool {
    budget -= 1
    if budget < 0 { return false }
    var statuses = earlier
    for (index, member) in members.enumerated() where statuses[index] == .open {
      statuses[index] = space.status(of: member.place, in: member.set, point)
    }
    switch visit(point, statuses) {
    case .stop: return false
    case .prune: return true
    case .deeper: break
    }
    guard let aspect = nextAspect(point, statuses) else { return true }
    for choice in space.aspects[aspect].choices.indices {
      var next = point
      next[aspect] = choice
      if !explore(next, statuses, visit) { return false }
    }
    return true
  }

  /// What to tell apart next: something on which the first open rule depends; in the end what no condition reads.
  private func nextAspect(_ point: RequestSpace.Point, _ statuses: [RuleStatus]) -> Int? {
    for (index, status) in statuses.enumerated() where status == .open {
      if let aspect = needs[index].first(where: { point[$0] == nil }) { return aspect }
    }
    for index in members.indices { if let aspect = needs[index].first(where: { point[$0] == nil }), isOfEffect(aspect) { return aspect } }
    return space.place(of: .implied).flatMap { point[$0] == nil ? $0 : nil }
  }

  /// Whether an aspect says what a rule that matches says.
  private func isOfEffect(_ aspect: Int) -> Bool {
    switch space.aspects[aspect].kind {
    case .allowance, .principal: true
    default: false
    }
  }
}

/// What a set of rules says to a request.
struct PolicyVerdict: Hashable {
  /// An approval that has to be given, whichever rule asks for it.
  struct Need: Hashable, Comparable {
    let roles: [String]
    let count: Int
    let not: [String]
    let within: Duration?
    let isSigned: Bool

    init(_ approval: Rule.Approval?) {
      roles = (approval?.roles ?? ["owner of the agent"]).sorted()
      count = approval?.count ?? 1
      not = (approval?.not ?? []).sorted()
      within = approval?.within
      isSigned = approval?.isSigned ?? false
    }

    var description: String {
      (count == 1 ? "" : "\(count) of ") + roles.joined(separator: " or ") + (not.isEmpty ? "" : ", not \(not.joined(separator: ", "))")
        + (within.map { " within \($0)" } ?? "") + (isSigned ? ", signed" : "")
    }
    static func < (a: Need, b: Need) -> Bool { bytesLess(a.description, b.description) }
  }

  let outcome: Outcome
  let needs: Set<Need>

  /// What the rules say together; nil where that depends on what is open.
  init?(_ says: [PolicySaying], isImplied: Bool?) {
    if says.contains(.forbid) {
      (outcome, needs) = (.forbid, [])
      return
    }
    if says.contains(.open(.forbid)) || says.contains(.open(.hold)) { return nil }
    let held = says.compactMap { if case .hold(let need) = $0 { need } else { nil } }
    if !held.isEmpty {
      (outcome, needs) = (.hold, Set(held))
    } else if says.contains(.permit) || isImplied == true {
      (outcome, needs) = (.permit, [])
    } else if says.contains(.open(.permit)) || isImplied == nil {
      return nil
    } else {
      (outcome, needs) = (.forbid, [])
    }
  }
}

/// What one rule says to a request.
enum PolicySaying: Hashable {
  case nothing, permit, hold(PolicyVerdict.Need), forbid
  /// It is open; at its strongest it would say this.
  case open(Outcome)
}

extension RequestSpace {
  /// What a rule says, given its status.
  func saying(_ rule: Rule, _ status: RuleStatus, _ point: Point) -> PolicySaying {
    let strongest: Outcome = rule.isEarned ? .hold : rule.effect
    switch (status, rule.effect) {
    case (.open, _): return .open(strongest)
    case (.no, _), (.errs, .permit): return .nothing
    case (_, .forbid): return .forbid
    case (_, .hold): return .hold(.init(rule.approval))
    case (_, .permit):
      if !rule.isEarned { return .permit }
      guard case .flag(let isCovered)? = choice(.allowance, in: point)?.part else { return .open(strongest) }
      if isCovered { return .permit }
      if !(rule.approval?.roles ?? []).isEmpty { return .hold(.init(rule.approval)) }
      guard case .principal(let principal)? = choice(.principal, in: point)?.part else { return .open(strongest) }
      return principal.owner == nil ? .nothing : .hold(.init(nil))
    }
  }

  /// Whether a permit comes from something other than a written rule; nil where that is open.
  func isImplied(_ point: Point) -> Bool? {
    if case .flag(let flag)? = choice(.implied, in: point)?.part { flag } else { nil }
  }
}
