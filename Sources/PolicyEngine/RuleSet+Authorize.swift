internal import CEL
internal import Core

extension RuleSet {
  /// Decides a request.
  ///
  /// Forbid beats hold beats permit, whatever the order of the rules; several holds join. Nothing matched means forbid. A rule whose
  /// condition cannot be evaluated counts as matched where it forbids or holds, and as not matched where it permits. Where only a fact
  /// is missing and the rules say who decides then (``missing``), it holds for them instead: a rule that forbids or holds always, one
  /// that permits only where nothing else permits or holds. What nothing permits stays forbidden.
  ///
  /// - Parameters:
  ///   - request: The question.
  ///   - guardRules: Rules that can only hold or forbid and that count in addition: the live guard of a workspace.
  ///   - allowance: Whether a live allowance covers this request under an earned permit. Asked only for earned permits that match;
  ///     without an allowance such a permit holds.
  /// - Returns: The verdict, with every rule that matched and every rule that erred.
  /// - Complexity: Grows with the number of rules about the request's tool divided by 64, and with the conditions that the indexes
  ///   cannot settle; independent of the rules about other tools.
  public func authorize(
    _ request: Request, guard guardRules: RuleSet? = nil, allowance: (Rule) -> AllowanceAnswer = { _ in .uncovered(nil) }
  ) -> Decision {
    let bucket = compiled.bucket(of: request.tool.name)
    if bucket == nil, let refusal = refusal(of: request, guardRules) { return refusal }
    var findings = Findings(implied: request.implied)
    compiled.collect(request, bucket, into: &findings, allowance: allowance)
    findings.settleDoubts()
    // A guard's hold is a further condition: it does not stand in for a permit that the rules never gave.
    if let guardRules {
      let isAllowed = findings.strongest != nil
      let bucket = guardRules.compiled.bucket(of: request.tool.name)
      guardRules.compiled.collect(request, bucket, into: &findings, allowance: allowance)
      findings.settleDoubts()
      if !isAllowed { findings.strongest = .forbid }
    }
    return findings.decision(rules: self, guardRules: guardRules, request: request)
  }

  /// The same decision without any index: every rule about the tool, the principal and the step is evaluated in full.
  ///
  /// The reference that ``authorize(_:guard:allowance:)`` is tested against.
  ///
  /// - Complexity: O(rules).
  func authorizeByEvaluatingAll(_ request: Request, allowance: (Rule) -> AllowanceAnswer = { _ in .uncovered(nil) }) -> Decision {
    if let refusal = refusal(of: request, nil) { return refusal }
    var findings = Findings(implied: request.implied)
    let values = RequestValues(request, slots: compiled.slots)
    for (place, rule) in compiled.rules.enumerated()
    where rule.concerns(tool: request.tool, principal: request.principal, step: request.step) {
      compiled.evaluate(place, values, request, into: &findings, allowance: allowance)
    }
    findings.settleDoubts()
    return findings.decision(rules: self, guardRules: nil, request: request)
  }
}

extension RuleSet {
  /// The decision about a tool whose name cannot be one: a pattern never permits what only looks like a tool.
  private func refusal(of request: Request, _ guardRules: RuleSet?) -> Decision? {
    guard let problem = ToolName.problem(with: request.tool.name) else { return nil }
    return Decision(
      outcome: .forbid, matched: [], errors: [RuleError(rule: RuleSet.defaultRule, message: problem)], requirements: [], rules: self,
      guardRules: guardRules, request: request)
  }
}

/// What the rules say, as it comes together.
struct Findings {
  var matched: [RuleMatch]
  var errors: [RuleError] = []
  var requirements: [ApprovalRequirement] = []
  fileprivate(set) var strongest: Outcome?
  /// The rules that permit and those that forbid, but for a fact that is missing.
  private var doubts: (permits: Set<String>, forbids: Int) = ([], 0)

  init(implied: [RuleMatch]) {
    matched = implied
    for match in implied { strongest = max(strongest ?? match.effect, match.effect) }
  }

  mutating func add(_ match: RuleMatch) {
    matched.append(match)
    strongest = max(strongest ?? match.effect, match.effect)
  }

  /// Adds a rule whose fact is missing, with what it asks for; what that means turns out when every rule has been looked at.
  mutating func doubt(_ rule: Rule, _ match: RuleMatch, _ asked: [ApprovalRequirement]) {
    requirements += asked
    if rule.effect == .hold { return add(match) }
    matched.append(match)
    if rule.effect == .permit { doubts.permits.insert(rule.id) } else { doubts.forbids += 1 }
  }

  /// Decides what the rules mean whose facts are missing.
  ///
  /// A permit holds where nothing else permits or holds, else it says nothing. A forbidding rule holds what the others allow; it never
  /// stands in for a permit that they did not give.
  mutating func settleDoubts() {
    if doubts.permits.isEmpty, doubts.forbids == 0 { return }
    let permits = doubts.permits
    if strongest == nil, !permits.isEmpty {
      strongest = .hold
    } else {
      matched.removeAll { $0.basis == .missingFact && permits.contains($0.rule) }
      requirements.removeAll { permits.contains($0.rule) }
    }
    if doubts.forbids > 0 { strongest = strongest.map { max($0, .hold) } ?? .forbid }
    doubts = ([], 0)
  }

  func decision(rules: RuleSet, guardRules: RuleSet?, request: Request) -> Decision {
    let outcome = strongest ?? .forbid
    return Decision(
      outcome: outcome, matched: matched, errors: errors, requirements: outcome == .hold ? requirements : [], rules: rules,
      guardRules: guardRules, request: request)
  }
}

extension CompiledRules {
  /// Adds what every rule that matches says, in file order; the bucket is that of the request's tool.
  func collect(_ request: Request, _ bucket: RuleBucket?, into findings: inout Findings, allowance: (Rule) -> AllowanceAnswer) {
    let width = bucket?.width ?? 0
    if width + wildcards.width == 0 { return }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * (width + wildcards.width)) { memory in
      guard let masks = memory.baseAddress else { return }
      var named = BucketCursor(possible: masks, certain: masks + width)
      let base = masks + 2 * width
      var patterned = BucketCursor(possible: base, certain: base + wildcards.width)
      slots.withUnsafeBufferPointer { slots in
        if let bucket, bucket.select(request, slots, possible: masks, certain: masks + width) { named.advance(bucket) }
        if wildcards.width > 0, wildcards.select(request, slots, possible: base, certain: base + wildcards.width) {
          patterned.advance(wildcards)
        }
      }
      var values: RequestValues?
      while true {
        let place = min(named.place, patterned.place)
        if place == .max { return }
        let isCertain = named.place == place ? named.isCertain : patterned.isCertain
        // A rule that names the tool and has a pattern too is in both.
        let isNamed = named.place == place
        if named.place == place { named.advance(bucket ?? wildcards) }
        if patterned.place == place { patterned.advance(wildcards) }
        if !isNamed, !rules[place].tools.contains(where: { $0.matches(request.tool.name) }) { continue }
        if isCertain, conditions[place]?.rest.isEmpty ?? true {
          add(place, request, into: &findings, allowance: allowance)
        } else {
          let known = values ?? RequestValues(request, slots: slots)
          values = known
          evaluate(place, known, areAtomsTrue: isCertain, request, into: &findings, allowance: allowance)
        }
      }
    }
  }

  /// Evaluates one rule's condition, or what is left of it, and adds what the rule says, if anything.
  func evaluate(
    _ place: Int, _ values: RequestValues, areAtomsTrue: Bool = false, _ request: Request, into findings: inout Findings,
    allowance: (Rule) -> AllowanceAnswer
  ) {
    do throws(CELEvaluationError) {
      if let condition = conditions[place] {
        guard try areAtomsTrue ? condition.restHolds(values) : condition.program.evaluateBool(values) else { return }
      }
      add(place, request, into: &findings, allowance: allowance)
    } catch {
      let rule = rules[place]
      findings.errors.append(RuleError(rule: rule.id, message: error.message))
      if let missing, error.code == .noValue, let fact = error.subject, fact.hasPrefix("facts.") {
        let requirements = requirements(of: rule, rule.effect == .hold ? rule.approval : missing, request)
        return findings.doubt(rule, rule.match(.missingFact, why: "`\(fact)` is missing"), requirements)
      }
      if rule.effect == .permit { return }
      findings.add(rule.match(.error))
      if rule.effect == .hold { findings.requirements += requirements(of: rule, rule.approval, request) }
    }
  }

  private func add(_ place: Int, _ request: Request, into findings: inout Findings, allowance: (Rule) -> AllowanceAnswer) {
    let match = matches[place]
    switch match.effect {
    case .forbid: findings.add(match)
    case .hold:
      findings.add(match)
      findings.requirements += requirements(of: rules[place], rules[place].approval, request)
    case .permit:
      let rule = rules[place]
      if !rule.isEarned { return findings.add(match) }
      let why: String?
      switch allowance(rule) {
      case .covered: return findings.add(rule.match(.allowance))
      case .uncovered(let reason): why = reason
      }
      let requirements = requirements(of: rule, rule.approval, request)
      if requirements.isEmpty {
        let message = "it is not earned yet, and there is nobody to ask: the rule has no `approval` and the principal no owner"
        findings.errors.append(RuleError(rule: rule.id, message: message))
        return
      }
      findings.add(rule.match(.noAllowance, why: why))
      findings.requirements += requirements
    }
  }

  /// What a hold asks for.
  ///
  /// An earned permit that does not say whom to ask asks the agent's owner; empty where there is none either.
  private func requirements(of rule: Rule, _ approval: Rule.Approval?, _ request: Request) -> [ApprovalRequirement] {
    let course = approval?.course ?? ApprovalCourse()
    if let approval, !approval.asksOwner {
      return approval.needs.map { need in
        ApprovalRequirement(
          rule: rule.id, stage: need.stage, roles: need.roles, count: need.count, not: need.not, isSigned: need.isSigned, course: course)
      }
    }
    guard let owner = request.principal.owner else { return [] }
    let need = approval?.needs.first
    let isRole = owner.utf8.starts(with: "role:".utf8)
    return [
      ApprovalRequirement(
        rule: rule.id, roles: isRole ? [String(owner.dropFirst(5))] : [], approvers: isRole ? [] : [owner], count: need?.count ?? 1,
        not: need?.not ?? [], isSigned: need?.isSigned ?? false, course: course)
    ]
  }
}

/// Goes through the rules that a bucket left, in file order.
private struct BucketCursor {
  private let possible: UnsafeMutablePointer<UInt64>
  private let certain: UnsafeMutablePointer<UInt64>
  private var word = 0
  /// The place of the rule in the rule set; `.max` at the end.
  private(set) var place = Int.max
  /// Whether the rule matches for certain.
  private(set) var isCertain = false

  init(possible: UnsafeMutablePointer<UInt64>, certain: UnsafeMutablePointer<UInt64>) {
    self.possible = possible
    self.certain = certain
  }

  mutating func advance(_ bucket: RuleBucket) {
    while word < bucket.width {
      let bits = possible[word]
      if bits != 0 {
        let bit = bits.trailingZeroBitCount
        possible[word] = bits & (bits - 1)
        isCertain = certain[word] >> UInt64(bit) & 1 == 1
        place = Int(bucket.rules[word * 64 + bit])
        return
      }
      word += 1
    }
    place = .max
  }
}
