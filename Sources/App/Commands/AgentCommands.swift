internal import AgentRuntime
internal import Core
internal import Governance
internal import ProcessModel

/// `remit agent …`.
enum AgentCommands {
  static let all = [work]

  static let work = Command(
    path: ["agent", "work"], summary: "let agents and tool steps go on until nothing moves without a person",
    details: """
      Looks first for decisions that nobody made in time, due timers, and effects whose process is gone. Then every open step of an agent or a
      tool is worked on. What the gate holds stays in the inbox; the next call goes on from there. Exits with 1 where every step that it came
      to is stuck: no endpoint answers, say.
      """,
    examples: [
      .init("remit agent work", "all that can be done now"),
      .init("remit agent work --run r-7k2m", "only one run"),
      .init("remit agent work --concurrency 8", "eight steps at the same time"),
    ],
    options: [
      .value("run", "RUN", "only this run"), .value("concurrency", "N", "steps at the same time, from 1 to 64; 4 where nothing is said"),
    ],
    run: { context in
      let concurrency = try context.arguments.integer("concurrency", in: 1...64) ?? 4
      return try await context.withWorkspace(.write) { workspace in
        var run: String?
        if let text = context.arguments.option("run") { run = try await workspace.runID(text) }
        let (loop, settings) = try workspace.workLoop(concurrency: concurrency)
        for warning in settings.warnings { context.console.say(Shown.message(warning.description, .caution)) }
        for warning in try await workspace.unpricedBudgets(settings) { context.console.say(Shown.message(warning, .caution)) }
        let console = context.console
        let items = try await loop.work(run: run) { item in if !console.wantsJSON { console.print(item.line) } }
        let json: [JSON] = items.map { item in
          var member: JSONObject = [
            "run": .string(item.run), "step": .string(item.step), "performer": .string(item.performer),
            "outcome": .string(item.outcome.code),
          ]
          member["detail"] = item.outcome.detail.map { .string($0) }
          return .object(member)
        }
        return CommandResult(
          exit: items.isStuck ? .failed : .done, json: ["steps": .array(json)], notes: items.isEmpty ? ["nothing to do"] : [])
      }
    })
}

extension StepOutcome {
  /// A word for programs.
  var code: String {
    switch self {
    case .completed: "completed"
    case .held: "held"
    case .waiting: "waiting"
    case .handedOver: "handed-over"
    case .busy: "busy"
    case .parked: "parked"
    }
  }

  /// What there is to say about it.
  var detail: String? {
    switch self {
    case .completed: nil
    case .held(let proposals): proposals.joined(separator: ", ")
    case .waiting(let why), .handedOver(let why), .busy(let why), .parked(let why): why
    }
  }
}

extension [WorkLoop.Item] {
  /// Whether there was something to do, and all of it is stuck.
  var isStuck: Bool {
    !isEmpty
      && allSatisfy { item in
        if case .parked = item.outcome { true } else { false }
      }
  }
}

extension WorkLoop.Item {
  /// One line for a screen.
  var line: Shown {
    let place: Shown = "\(run)  \(step) (\(performer))"
    switch outcome {
    case .completed: return "\("done", .good)     \(place)"
    case .held(let proposals): return "\("held", .caution)     \(place): \(proposals.joined(separator: ", "))"
    case .waiting(let why): return "\("waits", .caution)    \(place): \(Shown.sentence(why))"
    case .handedOver(let why): return "\("to people", .caution)  \(place): \(why)"
    case .busy(let why): return "\("busy", .faint)     \(place): \(Shown.sentence(why))"
    case .parked(let why): return "\("stuck", .bad)    \(place): \(Shown.sentence(why))"
    }
  }
}
