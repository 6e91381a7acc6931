public import Audit
internal import Core
public import Governance
internal import PolicyEngine
public import ProcessMining
internal import ProcessModel

/// Remit's own log as event columns: runs are cases, steps and people's decisions are activities.
public enum LogEvents {
  /// The events of the runs of a process, or of all processes.
  ///
  /// An activity is a step, by its id, or `decide <step>` for the time that a held proposal waited for people. Becoming ready, being
  /// completed and being taken away are told apart; the resource is who completed or decided, or whose queue it lay in.
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - process: Only runs of this process; all where it is nil.
  /// - Returns: The columns; empty where no run fits.
  /// - Throws: What the store throws; ``GovernanceLedger/Misfit`` for a log that cannot be folded.
  /// - Complexity: O(n) for n entries; memory for the open runs and the columns.
  public static func eventLog(_ context: ReadContext<GovernanceLedger>, process: String?) throws -> EventLog {
    var builder = EventLogBuilder()
    try walk(context, process: process) { entry, events, proposal, _ in
      guard let run = entry.run, proposal?.isProbe != true else { return }
      func add(_ activity: String, _ resource: String?, _ lifecycle: Lifecycle) throws {
        try builder.add(case: run, activity: activity, at: entry.time.milliseconds, resource: resource, lifecycle: lifecycle)
      }
      for event in events {
        switch event {
        case .stepReady(let step, let performer, _, _, _): try add(step.id, performer.description, .ready)
        case .stepCompleted(let step, let by): try add(step.id, by, .completed)
        case .stepClosed(let step, _): try add(step.id, nil, .withdrawn)
        case .stepSkipped(let step, let by, _): try add(step.id, by, .withdrawn)
        case .handedOver(let step, let to, _, _, _): try add(step.id, to.description, .ready)
        default: break
        }
      }
      switch entry.type {
      case EntryType.proposal where entry.body["verdict"]?.stringValue == Outcome.hold.rawValue:
        try add(Self.decision(entry), entry.principal, .ready)
      case EntryType.approval:
        guard let record = proposal, let decision = entry.body["decision"]?.stringValue else { return }
        let isPersonal = decision == ApprovalDecision.approve.rawValue || decision == ApprovalDecision.reject.rawValue
        let name = "decide \(record.step?.id ?? record.tool)"
        let isPending = decision == ApprovalDecision.approve.rawValue && entry.body["complete"]?.boolValue == false
        try add(name, isPersonal ? entry.principal : nil, isPending ? .begun : isPersonal ? .completed : .withdrawn)
      default: break
      }
    }
    return builder.finish()
  }

  private static func decision(_ entry: Entry) -> String {
    let step = entry.body["step"]?.stringValue.flatMap { Occurrence(parsing: $0)?.id }
    return "decide \(step ?? entry.body["tool"]?.stringValue ?? "")"
  }

  /// The holds of a process that ended, with what rules could see when each was made.
  ///
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - release: The release whose fields and tools say what can be compared.
  /// - Returns: The holds in log order, once for each rule that held, and the features that they have.
  /// - Throws: What the store throws.
  public static func decidedHolds(
    _ context: ReadContext<GovernanceLedger>, release: Release
  ) throws -> (holds: [DecidedHold], features: [Feature]) {
    let features = self.features(of: release)
    var held: [String: Held] = [:]
    var holds: [DecidedHold] = []
    try walk(context, process: release.process.id) { entry, _, proposal, run in
      guard let id = entry.body["proposal"]?.stringValue, proposal?.isProbe != true else { return }
      if entry.type == EntryType.proposal, entry.body["verdict"]?.stringValue == Outcome.hold.rawValue {
        held[id] = try Held(entry, run: run, features: features, release: release)
      }
      guard entry.type == EntryType.approval, let waiting = held[id], let outcome = Self.outcome(of: entry) else { return }
      held[id] = nil
      for rule in waiting.rules {
        holds.append(
          DecidedHold(
            rule: rule, otherRules: waiting.rules.filter { $0 != rule }, tool: waiting.tool, step: waiting.step, outcome: outcome,
            features: waiting.features, entry: Int64(waiting.entry)))
      }
    }
    return (holds, features)
  }

  /// How a hold ended; nil while it has not, and where something other than a decision ended it.
  static func outcome(of entry: Entry) -> DecidedHold.Outcome? {
    switch entry.body["decision"]?.stringValue.flatMap({ ApprovalDecision(rawValue: $0) }) {
    case .approve: entry.body["complete"]?.boolValue == true ? .approvedUnchanged : nil
    case .reject: .rejected
    case .supersede: .edited
    case .expire: .timedOut
    case .withdraw, .void, nil: nil
    }
  }

  /// A hold while it waits.
  private struct Held {
    var rules: [String]
    var tool: String
    var step: String?
    var features: [String: FeatureValue]
    var entry: Int

    init(_ entry: Entry, run: RunRecord?, features: [Feature], release: Release) throws {
      rules = (entry.body["rules"]?.arrayValue ?? []).filter { $0["effect"]?.stringValue == Outcome.hold.rawValue }.compactMap {
        $0["rule"]?.stringValue
      }
      tool = entry.body["tool"]?.stringValue ?? ""
      step = entry.body["step"]?.stringValue.flatMap { Occurrence(parsing: $0)?.id }
      self.entry = entry.index
      self.features = try LogEvents.values(of: features, entry, run)
    }
  }

  /// The values of features when a proposal was made.
  static func values(of features: [Feature], _ entry: Entry, _ run: RunRecord?) throws -> [String: FeatureValue] {
    var result: [String: FeatureValue] = [:]
    let arguments = try entry.content(ContentPart.arguments).map { try JSON.parse($0) }
    for feature in features {
      let parts = feature.path.split(separator: ".", maxSplits: 1).map(String.init)
      let value =
        parts[0] == "run" ? run?.state.value(of: parts[1]) : parts[0] == "facts" ? run?.state.fact(parts[1])?.value : arguments?[parts[1]]
      if let value { result[feature.path] = FeatureValue(value, feature.kind) }
    }
    return result
  }

  /// What conditions of the release's rules may compare: fields, facts and arguments with an order or a closed set of values.
  static func features(of release: Release) -> [Feature] {
    func kind(_ field: FieldDefinition) -> Feature.Kind? {
      if field.choices?.allSatisfy({ $0.stringValue != nil }) == true { return .choice }
      switch field.type {
      case .integer: return .integer
      case .number: return .number
      case .boolean: return .flag
      default: return nil
      }
    }
    var features = release.process.fields.compactMap { field in
      kind(field).map { Feature("run.\(field.name)", $0, isConfidential: field.sensitivity >= .confidential) }
    }
    features += release.process.facts.compactMap { fact in
      kind(fact.value).map { Feature("facts.\(fact.name)", $0, isConfidential: fact.value.sensitivity >= .confidential) }
    }
    return features
  }

  /// Walks over the entries of a process's runs, folding each run along the way.
  static func walk(
    _ context: ReadContext<GovernanceLedger>, process: String?,
    _ body: (Entry, [RunEvent], _ proposal: ProposalRecord?, _ run: RunRecord?) throws -> Void
  ) throws {
    var open: [String: RunRecord] = [:]
    try context.forEachEntry(in: 0..<context.head.size) { entry in
      guard let id = entry.run else { return }
      var run = open.removeValue(forKey: id)
      // As it was before this entry; kept alone, so that the fold changes the run in place.
      let proposal = entry.body["proposal"]?.stringValue.flatMap { run?.proposal($0) }
      try GovernanceLedger.apply(entry, to: &run)
      if let process, run?.state.process != process {
        open[id] = run
        return
      }
      let values = try entry.content(ContentPart.values).map { try JSON.parse($0) }?.objectValue
      let hasValues = entry.content.contains { $0.part == ContentPart.values }
      let events = try entry.body["events"].map { try RunEvent.decode(structure: $0, values: hasValues ? values : [:]) } ?? []
      try body(entry, events, proposal, run)
      open[id] = run
    }
  }
}

extension FeatureValue {
  fileprivate init?(_ value: JSON, _ kind: Feature.Kind) {
    switch (kind, value) {
    case (.integer, .number(let number)): guard let integer = number.int64 else { return nil }; self = .integer(integer)
    case (.number, .number(let number)): self = .number(number.double)
    case (.choice, .string(let text)): self = .choice(text)
    case (.flag, .bool(let flag)): self = .flag(flag)
    default: return nil
    }
  }
}
