internal import AgentRuntime
internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// The run of one sample, from its start to the moment at which the agent's step opens.
///
/// People's steps are done by the first person who may, with the values that the sample has for them; the engine's tools answer what the
/// sample says. Everything goes through the gate.
struct SampleWorld: Sendable {
  let gate: PermissionGate
  let sample: EvalSample
  let process: ProcessDefinition
  let step: String

  /// The most steps that are done before the agent's.
  private static let maximumSteps = 200
  private static let root = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)

  /// What carries out tools: it answers what the sample says.
  var runner: ToolRunner {
    let answers = SampleConnector(answers: sample.setting.tools)
    return ToolRunner(gate: gate, connectors: [.command: answers, .http: answers])
  }

  /// Makes the release, starts the run and does the steps before the agent's.
  ///
  /// - Returns: The run, and the agent's open step.
  /// - Throws: ``SampleFailure`` where the run does not come there; what the store throws.
  func begin(_ bundle: ReleaseBundle, _ directory: Directory) async throws -> (run: String, step: Occurrence) {
    _ = try await gate.openLog(by: Self.root)
    _ = try await gate.setDirectory(directory, by: Self.root)
    let made = try await gate.makeRelease(bundle, by: Self.root)
    guard made.verdict == .permit else { throw failure("the release was refused: \(made.refusal?.message ?? "")") }
    let run = try await start(directory)
    let engine = WorkLoop(gate: gate, runner: runner, models: [:], concurrency: 1)
    for _ in 0..<Self.maximumSteps {
      guard let state = try await gate.store.read({ try $0.run(run)?.state }) else { throw failure("its run is gone") }
      if let open = state.openSteps.first(where: { bytesEqual($0.occurrence.id, step) }) { return (run, open.occurrence) }
      guard state.status == .running else { throw failure("the run is over before (\(state.status.rawValue))") }
      if let open = state.openSteps.first(where: { $0.performer.isPerson }) {
        try await complete(open, state, in: run, directory)
      } else {
        let before = state.openSteps.map(\.occurrence)
        _ = try await engine.work(run: run)
        let after = try await gate.store.read { try $0.run(run)?.state.openSteps.map(\.occurrence) }
        if after == before { throw failure("it does not go on at \(before.map { "`\($0.description)`" }.joined(separator: ", "))") }
      }
    }
    throw failure("more than \(Self.maximumSteps) steps come before it")
  }

  private func start(_ directory: Directory) async throws -> String {
    let setting = sample.setting
    let triggers = process.triggers
    let trigger = setting.trigger.map { name in triggers.first { bytesEqual($0.name, name) } } ?? triggers.first { !$0.isEvent }
    var role: String?
    switch trigger?.source {
    case .form(let name)?: role = name
    case .event(let name)?: role = name
    case .schedule?, nil: break
    }
    let person = setting.requester.map { "user:\($0)" } ?? role.flatMap { directory.holders(of: $0).first?.principal }
    guard let person else { throw failure("nobody may start a run; name a `requester`") }
    var arguments: JSONObject = ["process": .string(process.id), "fields": .object(setting.fields)]
    arguments["trigger"] = setting.trigger.map { .string($0) }
    let run = gate.mintRunID()
    let outcome = try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: person, identity: .scripted(person), tool: BuiltinTool.startRun.rawValue, arguments: arguments,
        run: run))
    guard outcome.verdict == .permit else { throw failure("the start was refused: \(outcome.refusal?.message ?? "it is held")") }
    return run
  }

  /// Does a person's step with the values that the sample has for it.
  private func complete(_ open: RunState.StepState, _ state: RunState, in run: String, _ directory: Directory) async throws {
    let id = open.occurrence.id
    let person: String?
    switch open.performer {
    case .user(let name): person = "user:\(name)"
    case .role(let role):
      let holders = directory.holders(of: role).map(\.principal)
      person = holders.first { bytesEqual($0, state.requester) == (role == "requester") } ?? holders.first
    case .agent, .tool: person = nil
    }
    guard let person else { throw failure("nobody may do the step `\(id)`") }
    func submit(_ tool: BuiltinTool, _ arguments: JSONObject, _ evidence: [Evidence] = []) async throws {
      let outcome = try await gate.submit(
        Proposal(
          id: gate.mintID(), principal: person, identity: .scripted(person), tool: tool.rawValue, arguments: arguments, run: run,
          step: open.occurrence.description), evidence: evidence)
      guard outcome.verdict == .permit else {
        let words = outcome.refusal?.message ?? "it is held"
        throw failure("the step `\(id)` before it cannot be done: \(words) (values for it belong into `before`)")
      }
    }
    for required in process.step(id)?.evidence ?? [] where required.isRequired {
      let media = required.media.first.map { $0.hasSuffix("/*") ? $0.dropLast() + "png" : $0 } ?? "application/pdf"
      let evidence = try Evidence.bytes(Array("\(required.name) of sample \(sample.id)\n".utf8), media: String(media))
      try await submit(
        .attachEvidence,
        [
          "name": .string(required.name), "sha256": .string(evidence.reference.digest.hex), "media": .string(evidence.reference.media),
          "size": .int(evidence.reference.size),
        ], [evidence])
    }
    var arguments: JSONObject = [:]
    if let values = sample.setting.before[id]?.objectValue, !values.isEmpty { arguments["fields"] = .object(values) }
    if process.step(id)?.isCommentRequired == true { arguments["comment"] = "as in the sample" }
    try await submit(.completeStep, arguments)
  }

  private func failure(_ words: String) -> SampleFailure { SampleFailure(sample: sample.id, .setup(words)) }
}

/// Answers what a sample says; nothing happens.
struct SampleConnector: Connector {
  let answers: JSONObject

  func call(_ grant: borrowing Grant) async -> EffectOutcome {
    let tool = grant.tool
    guard let answer = answers[tool] else { return .failed("not-in-sample", "the sample has no answer of `\(tool)`") }
    return answer.isNull ? .failed("unavailable", "`\(tool)` cannot be reached") : .finished(answer)
  }
}
