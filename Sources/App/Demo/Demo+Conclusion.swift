internal import AgentRuntime
internal import Audit
internal import Core
internal import Evals
internal import EventData
internal import Governance
internal import LLM
internal import ProcessMining
internal import ProcessModel
internal import Storage

extension Demo {
  /// What the finished work shows: the log verified, the process mined, a suggestion, and the replay under a changed rule.
  func conclude(
    _ workspace: Workspace, runs: [String], model: AgentModel?, decided: Decided, isStuck: Bool
  ) async throws -> CommandResult {
    chapter("The log, derived again", "every hash, root, state and projection, from the entries alone")
    let report = try await workspace.store.verify()
    let verdict: Shown = report.ok ? "\("whole", .good)" : "\("not whole", .bad)"
    show(["\(verdict)  \(counted(report.entries, "entry", "entries")), root \(report.root.hex)"])

    chapter("What really happened", "mined from the same log")
    let log = try await workspace.store.read { try LogEvents.eventLog($0, process: "vendor-onboarding") }
    let variants = Variants(log)
    show(MineCommands.lines(variants.text(width: console.terminal.width, limit: 5, steps: 12)))

    chapter("A suggestion", "holds that people always approved as they were")
    let findings = try await workspace.findings(process: "vendor-onboarding", on: console)
    let suggestions = findings.filter { $0.suggestion != nil }
    for finding in suggestions {
      show(
        ["\(finding.id, .strong)"]
          + Shown.message(finding.finding.summary).flatMap { $0.wrapped(to: console.terminal.width - 2) }.map { "  \($0)" })
    }
    if suggestions.isEmpty { show(["too little was decided to suggest anything"]) }

    let suite = "\(workspace.folder)/Evals/activation-limit"
    let files = try FileTree.files(under: suite)
    let evaluation = try EvalSuite(files, of: suite)
    let replay = try await workspace.replay(files, of: suite, process: "vendor-onboarding", on: console)
    chapter("The same proposals under a changed rule", evaluation.title)
    let comparison = replay.comparison
    show(MineCommands.lines(comparison.text(limit: 2)).flatMap { $0.wrapped(to: console.terminal.width) })

    let counts = try await counts(workspace, runs)
    chapter("The workspace stays", "every other command works on it")
    let place = workspace.folder
    show([
      "remit inbox --workspace \(place)", "remit run list --workspace \(place)", "remit audit verify --workspace \(place)",
      "remit suggestion list --workspace \(place)",
    ])
    return CommandResult(
      exit: report.ok && !isStuck ? .done : .failed,
      json: [
        "workspace": .string(place),
        "model": [
          "name": model.map { .string($0.model) } ?? .null, "endpoint": model.map { .string($0.endpoint) } ?? .null,
          "scripted": .bool(model?.endpoint == AgentModel.scriptedEndpoint),
        ],
        "runs": ["total": .int(runs.count), "completed": .int(counts.completed), "waiting": .int(runs.count - counts.completed)],
        "proposals": ["permit": .int(counts.permit), "hold": .int(counts.hold), "forbid": .int(counts.forbid)],
        "decisions": ["approved": .int(decided.approved), "rejected": .int(decided.rejected), "left": .int(decided.left)],
        "effects": ["done": .int(counts.effects), "in_doubt": .int(counts.doubtful)],
        "audit": ["ok": .bool(report.ok), "entries": .int(report.entries), "root": .string(report.root.hex)],
        "suggestions": .array(suggestions.map { .string($0.id) }),
        "replay": ["compared": .int(comparison.compared), "flips": .int(comparison.flips.count)],
      ], notes: isStuck ? ["no step of an agent could be done: the lines that begin with `stuck` say why"] : [])
  }

  private struct Counts: Sendable {
    var completed = 0
    var permit = 0
    var hold = 0
    var forbid = 0
    var effects = 0
    var doubtful = 0
  }

  private func counts(_ workspace: Workspace, _ runs: [String]) async throws -> Counts {
    try await workspace.store.read { view in
      var counts = Counts()
      for run in runs where try view.run(run)?.state.status == .completed { counts.completed += 1 }
      let verdicts = try view.database.query("SELECT verdict, count(*) FROM proposal WHERE run IS NOT NULL GROUP BY verdict") {
        ($0.text(0), $0.int(1))
      }
      func count(_ verdict: String) -> Int { verdicts.first { $0.0 == verdict }?.1 ?? 0 }
      (counts.permit, counts.hold, counts.forbid) = (count("permit"), count("hold"), count("forbid"))
      let external = "effect = 'external' AND tool <> '\(BuiltinTool.callModel.rawValue)'"
      counts.effects = try view.database.first("SELECT count(*) FROM proposal WHERE \(external) AND status = 'done'") { $0.int(0) } ?? 0
      counts.doubtful =
        try view.database.first("SELECT count(*) FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'in-doubt'") { $0.int(0) }
        ?? 0
      return counts
    }
  }
}
