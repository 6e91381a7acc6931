public import Audit
public import Core
public import Governance
internal import PolicyEngine
public import ProcessMining
internal import ProcessModel

extension LogEvents {
  /// What happened in the runs of a release, as the search for suggestions reads it.
  ///
  /// Only runs of this very release count: what another one did says little about what to change in this one.
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - release: The release.
  ///   - rules: Its rules as they were written.
  /// - Returns: The history; its runs are numbered in log order.
  /// - Throws: What the store throws; ``GovernanceLedger/Misfit`` for a log that cannot be folded.
  /// - Complexity: O(n) for n entries; memory for what is in the history.
  public static func history(
    _ context: ReadContext<GovernanceLedger>, release: Release, rules: [JSONObject]
  ) throws -> ProcessHistory {
    var recorder = HistoryRecorder(release: release, rules: rules, features: features(of: release))
    try walk(context, process: release.process.id) { entry, events, proposal, run in
      guard let id = entry.run, let run, run.state.release.utf8.elementsEqual(release.digest.hex.utf8) else { return }
      try recorder.record(entry, events, proposal, run, id: id)
    }
    return recorder.finish()
  }
}

/// Makes a history of a release's log, entry by entry.
private struct HistoryRecorder {
  private var history: ProcessHistory
  private var numbers: [String: Int] = [:]
  /// Places of the open visits, by run and occurrence.
  private var open: [String: Int] = [:]
  /// Names of the evidence, by run and occurrence.
  private var evidence: [String: [String]] = [:]
  /// Places of the calls, by proposal.
  private var calls: [String: Int] = [:]
  /// The proposal that completed a step without a person, by run and occurrence.
  private var completed: [String: String] = [:]

  init(release: Release, rules: [JSONObject], features: [Feature]) {
    let process = release.process
    history = ProcessHistory(process: process.id, owner: process.owner.name, runs: 0)
    history.rules = rules
    history.features = features
    let targets = process.controls.map(\.before)
    func isControlled(_ step: Step) -> Bool {
      targets.contains { target in
        switch target {
        case .step(let id): id.utf8.elementsEqual(step.id.utf8)
        case .tool(let name): step.performer == .tool(name)
        }
      }
    }
    history.steps = process.steps.map { step in
      ProcessHistory.Step(
        step.id, performer: step.performer.description, required: step.evidence.filter(\.isRequired).map(\.name),
        isConditional: step.when != nil, isControlled: isControlled(step), document: process.documents.first, prompt: step.prompt)
    }
    func choices(_ block: Block) -> [ProcessHistory.Choice] {
      var found = block.children.flatMap(choices)
      if case .choose(let id, let branches) = block {
        let controlled = branches.filter { $0.body?.steps.contains(where: isControlled) == true }.map(\.id)
        found.append(ProcessHistory.Choice(id, branches: branches.map(\.id), controlled: controlled))
      }
      return found
    }
    history.choices = ([process.root] + process.handlers.compactMap(\.body)).flatMap(choices)
  }

  func finish() -> ProcessHistory { history }

  mutating func record(_ entry: Entry, _ events: [RunEvent], _ proposal: ProposalRecord?, _ run: RunRecord, id: String) throws {
    let number = numbers[id, default: history.runs]
    if number == history.runs {
      numbers[id] = number
      history.runs += 1
    }
    if entry.type == EntryType.proposal { try addCall(entry, run, number) }
    if entry.type == EntryType.approval { addDecision(entry, proposal) }
    if let review = entry.body["review"], review["verdict"]?.stringValue == "wrong", let call = review["proposal"]?.stringValue {
      blame(call)
    }
    if entry.type == EntryType.effectSettled, entry.body["outcome"]?.stringValue == EffectOutcome.Kind.failed.rawValue,
      let call = entry.body["proposal"]?.stringValue.flatMap({ calls[$0] }), case .allowance = history.calls[call].basis
    {
      // As for the allowance itself: a call that it covered and that failed is a bad outcome.
      history.calls[call].wasWrong = true
    }
    for event in events { add(event, entry, run: number, id: id) }
  }

  private mutating func add(_ event: RunEvent, _ entry: Entry, run: Int, id: String) {
    let time = entry.time.milliseconds
    func key(_ step: Occurrence) -> String { "\(id)/\(step)" }
    switch event {
    case .stepReady(let step, let performer, _, _, _):
      close(key(step), .withdrawn, time)
      open[key(step)] = history.visits.count
      history.visits.append(
        ProcessHistory.Visit(
          run: run, step: step.id, ready: time, ended: nil, ending: .open, performer: performer.description, entry: Int64(entry.index)))
    case .handedOver(let step, let to, _, _, _):
      if let place = open[key(step)] { history.visits[place].performer = to.description }
    case .evidenceAttached(let name, _, _, _, let step, _):
      evidence[key(step), default: []].append(name)
    case .stepCompleted(let step, _):
      close(key(step), .completed, time)
      if let proposal = entry.body["proposal"]?.stringValue, entry.type == EntryType.proposal { completed[key(step)] = proposal }
    case .stepSkipped(let step, _, _): close(key(step), .skipped, time)
    case .stepClosed(let step, _): close(key(step), .withdrawn, time)
    case .stepOmitted(let step):
      history.visits.append(
        ProcessHistory.Visit(
          run: run, step: step.id, ready: time, ended: time, ending: .omitted,
          performer: history.steps.first { $0.id.utf8.elementsEqual(step.id.utf8) }?.performer ?? "", entry: Int64(entry.index)))
    case .sentBack(let from, let to, _, _):
      close(key(from), .withdrawn, time)
      history.returns.append(ProcessHistory.Return(run: run, from: from.id, to: to.id, time: time, entry: Int64(entry.index)))
      // Whoever completed that step without a person did not complete it well.
      if let call = completed.removeValue(forKey: key(to)) { blame(call) }
    case .branchChosen(let choice, let branch):
      history.turns.append(ProcessHistory.Turn(choice: choice.id, branch: branch, entry: Int64(entry.index)))
    default: break
    }
  }

  private mutating func close(_ key: String, _ ending: ProcessHistory.Visit.Ending, _ time: Int64) {
    guard let place = open.removeValue(forKey: key) else { return }
    history.visits[place].ended = time
    history.visits[place].ending = ending
    history.visits[place].evidence = evidence[key] ?? []
  }

  private mutating func blame(_ call: String) {
    if let place = calls[call] { history.calls[place].wasWrong = true }
  }

  private mutating func addCall(_ entry: Entry, _ run: RunRecord, _ number: Int) throws {
    guard let id = entry.body["proposal"]?.stringValue, let tool = entry.body["tool"]?.stringValue,
      let basis = Self.basis(of: entry)
    else { return }
    calls[id] = history.calls.count
    history.calls.append(
      ProcessHistory.Call(
        run: number, proposer: entry.principal, tool: tool,
        step: entry.body["step"]?.stringValue.flatMap { Occurrence(parsing: $0)?.id }, basis: basis, time: entry.time.milliseconds,
        features: try LogEvents.values(of: history.features, entry, run), entry: Int64(entry.index)))
  }

  /// Why the gate let it pass or wait; nil where it was forbidden.
  private static func basis(of entry: Entry) -> ProcessHistory.Call.Basis? {
    switch entry.body["verdict"]?.stringValue.flatMap({ Outcome(rawValue: $0) }) {
    case .permit: return (entry.body["allowances"]?.arrayValue?.first?["name"]?.stringValue).map { .allowance($0) } ?? .rule
    case .hold:
      let holding = (entry.body["rules"]?.arrayValue ?? []).filter { $0["effect"]?.stringValue == Outcome.hold.rawValue }
      func rules(_ isUnearned: Bool) -> [String] {
        holding.filter { ($0["basis"]?.stringValue == RuleMatch.Basis.noAllowance.rawValue) == isUnearned }.compactMap {
          $0["rule"]?.stringValue
        }
      }
      if let rule = rules(true).first, rules(false).isEmpty { return .unearned(rule) }
      return .held(rules(false))
    case .forbid, nil: return nil
    }
  }

  private mutating func addDecision(_ entry: Entry, _ proposal: ProposalRecord?) {
    guard let proposal, !proposal.isProbe, let place = calls[proposal.id], let outcome = LogEvents.outcome(of: entry) else { return }
    let isPersonal = outcome != .timedOut
    let reason = outcome == .rejected ? entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) } : nil
    history.calls[place].decision = ProcessHistory.Call.Decision(
      outcome, by: isPersonal ? entry.principal : nil, at: entry.time.milliseconds, reason: reason)
  }
}
