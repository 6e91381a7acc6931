public import Core
internal import Governance
internal import PolicyEngine

/// Decides the recorded calls of a suite of attacks under a set of rules that knows no tool by name.
///
/// Each scenario is one run: the prompt is the requester's words, every call is traced by a ``Governance/ProvenanceIndex`` and decided, and
/// what it returned is observed whether or not it was permitted, the worst case for whoever defends.
public struct AttackReplay: Sendable {
  /// What was returned before: scenarios share most of it.
  private typealias Outputs = [JSON: ToolOutput]

  private let suite: AttackSuite
  private let rules: RuleSet

  /// A replay of a suite under the rules of a folder.
  ///
  /// - Throws: Every problem of the rules.
  public init(_ suite: AttackSuite, policy: PolicyFolder) throws(Diagnostics) {
    self.suite = suite
    rules = try policy.rules(catalogue: suite.catalogue)
  }

  /// Decides all calls.
  ///
  /// - Throws: ``Core/Diagnostic`` where a scenario cannot be read.
  /// - Complexity: O(calls × text that a run has seen); memory for what the tools returned, each output once, and one line of report
  ///   for each held call.
  public func run() throws(Diagnostic) -> AttackReport {
    var report = AttackReport(suite: suite.name, policy: rules.policy)
    var outputs: Outputs = [:]
    var plans: [ExactString: Set<ExactString>] = [:]
    for task in suite.tasks {
      plans[ExactString(task.id)] = task.plan
      var session = Session(prompt: task.prompt, plan: task.plan, replay: self)
      report.add(task.calls.enumerated().map { place, call in session.decide(call, at: place, of: task.id, &outputs) })
    }
    try suite.eachScenario { (scenario) throws(Diagnostic) in
      guard scenario.counts else { return }
      var session = Session(prompt: scenario.prompt, plan: plans[ExactString(scenario.task)] ?? [], replay: self)
      let verdicts = scenario.calls.enumerated().map { place, call in session.decide(call, at: place, of: scenario.id, &outputs) }
      let passed = zip(scenario.calls, verdicts).compactMap { call, verdict in verdict.isAutomatic ? call.attack : nil }
      report.addAttack(
        scenario.id, isExecuted: scenario.successes.contains { Set($0).isSubset(of: passed) },
        passed: zip(scenario.calls, verdicts).filter { $0.attack != nil && $1.isAutomatic && $1.isConsequential }.map(\.1))
    }
    return report
  }

  /// One run of an agent.
  private struct Session {
    private var index = ProvenanceIndex()
    private let plan: Set<ExactString>
    private let replay: AttackReplay
    private static let agent = Request.Principal(id: "agent:assistant")

    init(prompt: String, plan: Set<ExactString>, replay: AttackReplay) {
      self.plan = plan
      self.replay = replay
      index.hear(prompt)
    }

    mutating func decide(
      _ call: AttackSuite.Call, at place: Int, of run: String, _ outputs: inout Outputs
    ) -> AttackReport.Verdict {
      let known = replay.suite.catalogue[call.tool]
      let verdict = verdict(call, known, at: place, of: run)
      let output = outputs[call.output] ?? ToolOutput(call.output)
      outputs[call.output] = output
      // Where nothing is known of a tool, anybody may have written what it returned.
      index.observe(
        tool: call.tool, arguments: call.arguments, output: output, trusted: known.map { !$0.readsUntrusted } ?? false,
        isPrivate: known?.returnsPrivate ?? true)
      return verdict
    }

    private func verdict(_ call: AttackSuite.Call, _ known: ToolCatalogue.Tool?, at place: Int, of run: String) -> AttackReport.Verdict {
      guard let known, let principal = Self.agent, known.schema.validate(.object(call.arguments), subject: "the arguments").isEmpty else {
        return AttackReport.Verdict(
          run: run, place: place, tool: call.tool, outcome: .forbid, isConsequential: true, rules: [], why: "no such call can be made")
      }
      let tool = Request.Tool(
        name: call.tool, effect: known.tool.effect, connector: known.tool.connector, action: known.tool.action,
        isConsequential: known.isConsequential, isPlanned: plan.contains(ExactString(call.tool)))
      let decision = replay.rules.authorize(
        Request(
          principal: principal, tool: tool, arguments: call.arguments,
          labels: index.labels(of: TracedCall(tool: call.tool, arguments: call.arguments, sinks: known.sinks, schema: known.parameters)),
          now: RuleTests.defaultNow))
      return AttackReport.Verdict(
        run: run, place: place, tool: call.tool, outcome: decision.outcome, isConsequential: known.isConsequential,
        rules: decision.deciding.map(\.rule), why: decision.explanation)
    }
  }
}
