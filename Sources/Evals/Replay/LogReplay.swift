public import Audit
internal import Core
public import Governance
internal import PolicyEngine
internal import ProcessModel

/// Replays Remit's own log: every recorded proposal of a process goes through the gate again, as it stood then, under another release.
public enum LogReplay {
  /// Decides every proposal of a process's runs again.
  ///
  /// Each one is judged in the state that its run, the people, the stops and the guard had when it was made; only the release differs. A
  /// call under a guard that cannot be read any more, because it was redacted, counts as refused. What the new
  /// verdict would have led to is not played on: the next proposal is judged in its own recorded state again.
  ///
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - candidate: The release to judge under.
  /// - Returns: What was recorded, and what the candidate says, call by call. A call's number is that of its entry.
  /// - Throws: What the store throws; ``GovernanceLedger/Misfit`` for a log that cannot be folded.
  /// - Complexity: O(n) for n entries; memory for the runs of the log.
  public static func run(
    _ context: ReadContext<GovernanceLedger>, candidate: Release
  ) throws -> (recorded: ReplayReport, candidate: ReplayReport) {
    var shared = GovernanceLedger.start()
    var runs: [String: RunRecord] = [:]
    var uses = AllowanceUsage.Tally()
    let guards = GuardCache()
    var recorded: [ReplayVerdict] = []
    var judged: [ReplayVerdict] = []
    try context.forEachEntry(in: 0..<context.head.size) { entry in
      guard let id = entry.run else { return try GovernanceLedger.apply(entry, to: &shared) }
      var run = runs.removeValue(forKey: id)
      if let proposal = try Self.proposal(entry, candidate: candidate, run: run) {
        var view = GateView(shared: shared, run: run, release: candidate, now: entry.time)
        if candidate.rules.hasEarned { view.usage = uses.usage(of: shared, at: entry.time) }
        recorded.append(Self.recorded(entry, run: id))
        do throws(Refusal) {
          view.guardRules = try guards.rules(of: shared.guarding)
          judged.append(Self.judged(entry, view.judgement(of: proposal), run: id))
        } catch {
          judged.append(Self.verdict(entry, run: id, .forbid, [], [], error.message))
        }
      }
      try GovernanceLedger.apply(entry, to: &run)
      try uses.note(entry)
      runs[id] = run
    }
    return (
      ReplayReport(policy: candidate.rules.policy, verdicts: recorded), ReplayReport(policy: candidate.rules.policy, verdicts: judged)
    )
  }

  /// The proposal of an entry; nil for other entries, for runs of other processes, and for what was redacted.
  private static func proposal(_ entry: Entry, candidate: Release, run: RunRecord?) throws -> Proposal? {
    guard entry.type == EntryType.proposal, let id = entry.body["proposal"]?.stringValue, let tool = entry.body["tool"]?.stringValue,
      try !Probe.isSealed(in: entry), let bytes = entry.content(ContentPart.arguments), let arguments = try JSON.parse(bytes).objectValue
    else { return nil }
    let process = run?.state.process ?? arguments["process"]?.stringValue
    guard process == candidate.process.id else { return nil }
    var proposal = Proposal(
      id: id, principal: entry.principal, tool: tool, arguments: arguments, run: entry.run, step: entry.body["step"]?.stringValue,
      reason: entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }, call: entry.body["call"]?.stringValue,
      isScripted: entry.body["scripted"]?.boolValue == true)
    if let body = entry.body["identity"]?.objectValue, let by = body["by"]?.stringValue,
      let mode = body["mode"]?.stringValue.flatMap({ Identity.Mode(rawValue: $0) })
    {
      proposal.identity = Identity(
        principal: by, account: body["account"]?.stringValue ?? "", mode: mode, isOperator: body["operator"]?.boolValue == true)
    }
    return proposal
  }

  private static func recorded(_ entry: Entry, run: String) -> ReplayVerdict {
    let outcome = entry.body["verdict"]?.stringValue.flatMap { Outcome(rawValue: $0) } ?? .forbid
    let deciding = (entry.body["rules"]?.arrayValue ?? []).compactMap { match -> RuleMatch? in
      guard let rule = match["rule"]?.stringValue, let effect = match["effect"]?.stringValue.flatMap({ Outcome(rawValue: $0) }),
        effect == outcome
      else { return nil }
      return RuleMatch(
        rule: rule, effect: effect, basis: match["basis"]?.stringValue.flatMap { RuleMatch.Basis(rawValue: $0) } ?? .condition,
        clause: match["clause"]?.stringValue)
    }
    let refusal = entry.content(ContentPart.refusal).map { String(decoding: $0, as: UTF8.self) }
    return verdict(entry, run: run, outcome, deciding, [], refusal ?? words(outcome, deciding))
  }

  private static func judged(_ entry: Entry, _ judgement: Judgement, run: String) -> ReplayVerdict {
    let deciding = judgement.matched.filter { $0.effect == judgement.verdict }
    return verdict(
      entry, run: run, judgement.verdict, deciding, judgement.errors, judgement.refusal?.message ?? words(judgement.verdict, deciding))
  }

  private static func verdict(
    _ entry: Entry, run: String, _ outcome: Outcome, _ deciding: [RuleMatch], _ errors: [RuleError], _ explanation: String
  ) -> ReplayVerdict {
    let recorded = entry.body["verdict"]?.stringValue.flatMap { Outcome(rawValue: $0) }
    return ReplayVerdict(
      run: run, index: Int64(entry.index), tool: entry.body["tool"]?.stringValue ?? "",
      isConsequential: entry.body["effect"]?.stringValue == EffectClass.external.rawValue, wasExecuted: recorded == .permit,
      outcome: outcome,
      refusal: nil, deciding: deciding, errors: errors, explanation: explanation, missingFacts: [], recordedOutcome: recorded, label: nil)
  }

  private static func words(_ outcome: Outcome, _ deciding: [RuleMatch]) -> String {
    let verb = outcome == .permit ? "permitted" : outcome == .hold ? "held" : "forbidden"
    let rules = deciding.map { "`\($0.rule)`" + ($0.clause.map { " (\($0))" } ?? "") }
    return rules.isEmpty ? verb : "\(verb) by \(rules.joined(separator: ", "))"
  }
}
