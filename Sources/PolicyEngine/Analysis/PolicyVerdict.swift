internal import Core

/// What rules say about a request, with the approvals that a hold needs.
public struct PolicyVerdict: Hashable, Sendable {
  /// What one rule asks for, as far as it matters to those who are asked; which rule asks does not.
  public struct Need: Hashable, Sendable, CustomStringConvertible {
    /// Who has to agree, roles and exclusions sorted.
    private let needs: [Rule.Approval.Need]
    private let course: ApprovalCourse

    init(_ approval: Rule.Approval?) {
      needs = (approval?.needs ?? [Rule.Approval.Need(stage: 1, roles: [], count: 1, not: [], isSigned: false)]).map { need in
        Rule.Approval.Need(
          stage: need.stage, roles: need.roles.sorted(by: bytesLess), count: need.count, not: need.not.sorted(by: bytesLess),
          isSigned: need.isSigned)
      }
      course = approval?.course ?? ApprovalCourse()
    }

    /// The need in words: `2 of finance, not requester, signed; then 1 of legal; within P3D`.
    public var description: String {
      var text = ""
      for (place, need) in needs.enumerated() {
        if place > 0 { text += needs[place - 1].stage == need.stage ? " and " : "; then " }
        text += Self.text(of: need)
      }
      return course.text.isEmpty ? text : "\(text), \(course.text)"
    }

    private static func text(of need: Rule.Approval.Need) -> String {
      let who = need.roles.isEmpty ? "the agent's owner" : need.roles.joined(separator: " or ")
      let parts = [
        need.count == 1 ? who : "\(need.count) of \(who)", need.not.isEmpty ? nil : "not \(need.not.joined(separator: " or "))",
        need.isSigned ? "signed" : nil,
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
