internal import Core

/// What rules say about a request, with the approvals that a hold needs.
public struct PolicyVerdict: Hashable, Sendable {
  /// One approval, as far as it matters to those who are asked; which rule asks does not.
  public struct Need: Hashable, Sendable, CustomStringConvertible {
    /// Roles, sorted; empty where the agent's owner is asked.
    public let roles: [String]
    /// How many people.
    public let count: Int
    /// Who may not approve, sorted.
    public let not: [String]
    /// How long the request stays open.
    public let within: Duration?
    /// Whether only a signed approval counts.
    public let isSigned: Bool

    init(_ approval: Rule.Approval?) {
      roles = (approval?.roles ?? []).sorted(by: bytesLess)
      count = approval?.count ?? 1
      not = (approval?.not ?? []).sorted(by: bytesLess)
      within = approval?.within
      isSigned = approval?.isSigned ?? false
    }

    /// The need in words: `2 of finance, not requester, within P3D, signed`.
    public var description: String {
      let who = roles.isEmpty ? "the agent's owner" : roles.joined(separator: " or ")
      let parts = [
        count == 1 ? who : "\(count) of \(who)", not.isEmpty ? nil : "not \(not.joined(separator: " or "))",
        within.map { "within \($0.iso8601)" }, isSigned ? "signed" : nil,
      ]
      return parts.compactMap(\.self).joined(separator: ", ")
    }
  }

  /// The verdict.
  public let outcome: Outcome
  /// What a hold needs.
  public let needs: Set<Need>

  /// The needs in words, sorted.
  public var requirements: [String] { needs.map(\.description).sorted(by: bytesLess) }

  init(_ outcome: Outcome, _ needs: Set<Need> = []) {
    self.outcome = outcome
    self.needs = needs
  }

  /// The verdict that a decision is.
  init(_ decision: Decision) {
    outcome = decision.outcome
    needs = Set(decision.requirements.map { Need(decision.rules.rule($0.rule)?.approval) })
  }
}

/// Verdicts, and what single rules say, as numbers.
struct VerdictTable {
  static let nothing = 0
  static let permit = 1
  static let forbid = 2

  private var holds: [Set<PolicyVerdict.Need>] = []

  /// What a hold with these needs is.
  mutating func hold(_ needs: Set<PolicyVerdict.Need>) -> Int {
    if let known = holds.firstIndex(of: needs) { return known + 3 }
    holds.append(needs)
    return holds.count + 2
  }

  /// What two rules say together.
  mutating func together(_ a: Int, _ b: Int) -> Int {
    if a == Self.forbid || b == Self.forbid { return Self.forbid }
    if a >= 3, b >= 3 { return a == b ? a : hold(holds[a - 3].union(holds[b - 3])) }
    return max(a, b)
  }

  /// Whether the first is not weaker than the second, and something.
  static func isAsStrong(_ a: Int, as b: Int) -> Bool { a != nothing && (a == forbid || b != forbid && (a >= 3 || b < 3)) }

  /// What nothing permits is forbidden.
  static func final(_ saying: Int) -> Int { saying == nothing ? forbid : saying }

  subscript(verdict: Int) -> PolicyVerdict {
    switch verdict {
    case Self.nothing, Self.forbid: PolicyVerdict(.forbid)
    case Self.permit: PolicyVerdict(.permit)
    default: PolicyVerdict(.hold, holds[verdict - 3])
    }
  }
}
