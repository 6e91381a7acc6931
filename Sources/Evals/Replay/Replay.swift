public import Core
public import PolicyEngine

/// Decides recorded calls again under given rules.
///
/// Deterministic: the same recording and rules give the same verdicts.
public struct Replay: Sendable {
  private let rules: RuleSet
  private let catalogue: ToolCatalogue?
  private let facts: (description: FactDescription, store: SystemOfRecord)?
  private let now: Instant?

  /// A replay.
  ///
  /// - Parameters:
  ///   - rules: The rules to decide by.
  ///   - catalogue: The tools that there were; calls of others, and arguments that do not fit, are refused. Nil where the recording was
  ///     made behind a gate that checked this already.
  ///   - facts: Finds the facts of calls that come without.
  ///   - now: The time of calls that come without; nil takes what the rules say, else ``PolicyEngine/RuleTests/defaultNow``.
  public init(
    rules: RuleSet, catalogue: ToolCatalogue? = nil, facts: (description: FactDescription, store: SystemOfRecord)? = nil,
    now: Instant? = nil
  ) {
    self.rules = rules
    self.catalogue = catalogue
    self.facts = facts
    self.now = now
  }

  /// Decides calls one after the other.
  ///
  /// - Parameter proposals: Calls in the order in which they were made; those of one run need not stand together.
  /// - Returns: One verdict for each.
  /// - Complexity: O(calls), apart from the rules' own cost.
  public func verdicts(on proposals: some Sequence<RecordedProposal>) -> [ReplayVerdict] {
    var session = Session(self)
    return proposals.map { session.decide($0) }
  }

  /// A replay under way, for recordings that are read piece by piece.
  public struct Session {
    private let replay: Replay
    private var runs: [ExactString: RunFacts] = [:]

    /// Begins with what the system of record says.
    public init(_ replay: Replay) { self.replay = replay }

    /// Decides one call, then takes up what it changed if it ran.
    public mutating func decide(_ proposal: RecordedProposal) -> ReplayVerdict {
      guard let facts = replay.facts, case .parsed(let arguments) = proposal.arguments else { return replay.verdict(proposal, nil, []) }
      let key = ExactString(proposal.run)
      var run = runs[key] ?? RunFacts(facts.description, facts.store)
      let found = proposal.facts == nil ? run.facts(tool: proposal.tool, arguments: arguments) : nil
      let verdict = replay.verdict(proposal, found?.facts, found?.missing ?? [])
      if proposal.wasExecuted, let output = proposal.output {
        run.learn(tool: proposal.tool, arguments: arguments, output: output)
        runs[key] = run
      }
      return verdict
    }

    /// Forgets what a run learned, once no more of its calls come.
    public mutating func endRun(_ run: String) { runs[ExactString(run)] = nil }
  }

  private func verdict(_ proposal: RecordedProposal, _ found: JSONObject?, _ missing: [String]) -> ReplayVerdict {
    let known = catalogue?[proposal.tool]
    func refused(_ refusal: ReplayVerdict.Refusal, _ words: String) -> ReplayVerdict {
      ReplayVerdict(
        run: proposal.run, index: proposal.index, tool: proposal.tool, isConsequential: known?.isConsequential ?? proposal.isConsequential,
        wasExecuted: proposal.wasExecuted, outcome: .forbid, refusal: refusal, deciding: [], errors: [], explanation: words,
        missingFacts: missing, recordedOutcome: proposal.recordedOutcome, label: proposal.label)
    }
    if let catalogue, known == nil {
      let near = nearestName(to: proposal.tool, in: catalogue.tools.map(\.tool.name)).map { "; did you mean `\($0)`?" } ?? ""
      return refused(.unknownTool, "there is no tool `\(visible(proposal.tool))`\(near)")
    }
    let arguments: JSONObject
    switch proposal.arguments {
    case .parsed(let object): arguments = object
    case .malformed(let problem): return refused(.malformedArguments, problem)
    }
    if let known {
      let violations = known.schema.validate(.object(arguments), subject: "the arguments")
      if !violations.isEmpty {
        return refused(.schema, violations.map { "\($0.at.isEmpty ? "" : "`\(visible($0.at))`: ")\($0.message)" }.joined(separator: "\n"))
      }
    }
    do throws(NotRepresentable) {
      _ = try JSON.object(arguments).canonicalBytes()
    } catch {
      return refused(.notRepresentable, "\(error)")
    }
    let request = Request(
      principal: proposal.principal, tool: known?.tool ?? Request.Tool(name: proposal.tool, effect: .external), arguments: arguments,
      step: proposal.step, run: proposal.fields, requester: proposal.requester, facts: proposal.facts ?? found ?? JSONObject(),
      labels: proposal.labels, now: proposal.time ?? now ?? rules.now ?? RuleTests.defaultNow)
    let decision = rules.authorize(request)
    return ReplayVerdict(
      run: proposal.run, index: proposal.index, tool: proposal.tool, isConsequential: known?.isConsequential ?? proposal.isConsequential,
      wasExecuted: proposal.wasExecuted, outcome: decision.outcome, refusal: nil, deciding: decision.deciding, errors: decision.errors,
      explanation: decision.explanation, missingFacts: missing, recordedOutcome: proposal.recordedOutcome, label: proposal.label)
  }
}
