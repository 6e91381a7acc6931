internal import AgentRuntime
internal import Audit
internal import Core
internal import Glibc
internal import Governance
internal import LLM
internal import PolicyEngine
internal import ProcessMining
internal import ProcessModel

/// The main job from end to end: requests come in, an agent works, the gate holds, people decide, the log is verified and mined, and
/// the recorded proposals are decided again under a changed rule.
///
/// Everything goes through the same gate as real work. A demo that was killed goes on where it stopped when it is run again on its workspace.
struct Demo {
  let console: Console
  let environment: Environment
  /// Whether the person at the terminal decides; otherwise seeded people do.
  let isInteractive: Bool
  /// How many requests come in.
  let count: Int

  /// Names a workspace that a demo made.
  static let marker = "\(Workspace.stateFolder)/demo"
  /// Rounds of agents and people, after which what still waits is left to the inbox.
  private static let rounds = 12

  // MARK: The workspace

  /// Makes the demo's workspace, or takes one that a demo made before.
  ///
  /// - Parameters:
  ///   - folder: Where; a new temporary folder where it is nil.
  ///   - examples: The folder with `Policies`, `Prompts` and `Evals`.
  /// - Returns: The folder's path.
  /// - Throws: ``CommandError`` for a folder that holds something else.
  static func prepare(_ folder: String?, examples: String) throws -> String {
    let path: String
    if let folder {
      path = folder
      if FileTree.exists("\(path)/\(marker)") {
        if try RegularFile.read("\(path)/\(marker)", maximumBytes: 64).isEmpty { return path }
        // A demo was interrupted while it copied.
        try fill(path, examples: examples)
        return path
      }
      if FileTree.exists("\(path)/Policies") || FileTree.exists("\(path)/\(Workspace.stateFolder)/store.sqlite") {
        throw CommandError(
          .conflict, "not-empty", "`\(visible(path))` holds something that no demo made",
          hint: "name an empty folder, or one that does not exist yet")
      }
      try FileTree.makeFolder(path)
    } else {
      var template = Array("/tmp/remit-demo-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else {
        throw FileError(.system, path: "/tmp", "cannot make a folder: \(String(cString: strerror(errno)))")
      }
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    try fill(path, examples: examples)
    return path
  }

  /// Copies the examples; until all are there the marker says so.
  private static func fill(_ path: String, examples: String) throws {
    try FileTree.makeFolder("\(path)/\(Workspace.stateFolder)", mode: 0o700)
    try RegularFile.writeAtomically(Array("unfinished\n".utf8), to: "\(path)/\(marker)")
    for name in ["Policies", "Prompts", "Evals"] { try FileTree.copy("\(examples)/\(name)", to: "\(path)/\(name)") }
    let settings = """
      // Which models agents use. An endpoint of the environment (OPENAI_BASE_URL) goes before this script.
      { models: { default: { script: "\(ScriptedAnalyst.name)" } } }

      """
    try RegularFile.writeAtomically(Array(settings.utf8), to: "\(path)/\(Settings.fileName)")
    try RegularFile.writeAtomically([], to: "\(path)/\(marker)")
  }

  /// The folder with the examples: as named, else this one, else the nearest above the program.
  static func examples(_ named: String?) throws -> String {
    func holds(_ path: String) -> Bool { FileTree.exists("\(path)/Policies/vendor-onboarding/process.json5") }
    if let named {
      guard holds(named) else { throw FileError(.notFound, path: named, "it has no Policies/vendor-onboarding") }
      return named
    }
    if holds(".") { return "." }
    var path = Workspace.absolute("/proc/self/exe")
    while let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      path = String(path[..<slash])
      if holds(path) { return path }
    }
    throw CommandError(
      .notFound, "no-examples", "the example policies are not beside the program",
      hint: "name the folder that has Policies and Prompts with `--examples DIR`")
  }

  // MARK: Running

  /// Runs the demo on a prepared workspace.
  func run(on workspace: Workspace) async throws -> CommandResult {
    let model = try Settings(folder: workspace.folder, environment: environment).models["default"]
    let isScripted = model?.endpoint == AgentModel.scriptedEndpoint
    // A script answers at once, and one step at a time makes every demo the same; a small server has few places.
    let loop = try workspace.workLoop(concurrency: isScripted ? 1 : 2).loop
    say("\("Remit", .strong) in \(workspace.folder)")
    say(
      "the agents' model: \(isScripted ? "scripted (no endpoint is configured)" : "\(model?.model ?? "none") at \(model?.endpoint ?? "")")",
      .caution)

    chapter("A release", "two processes with their rules, prompts and documents become what new runs follow")
    try await release(workspace)

    let requests = Array(DemoRequest.all.prefix(count))
    let log = try await workspace.store.read { try $0.shared().log } ?? ""
    let runs = requests.indices.map { "r-" + String(SHA256.hash("\(log) demo request \($0 + 1)").hex.prefix(16)) }
    let people = DemoPeople(workspace: workspace, requests: Dictionary(zip(runs, requests), uniquingKeysWith: { first, _ in first }))
    chapter("\(counted(requests.count, "request")) for vendors", "filed by Dora, Emil, Finn and Hugo, who also bring the contracts")
    for (run, request) in zip(runs, requests) { try await people.file(request, as: run) }
    _ = try await people.doSteps()

    chapter("The agent works", "every call is a proposal; low risk goes through without a person, the rest is held")
    let isStuck = try await work(loop, people, runs: runs, isScripted: isScripted)
    for (run, request) in zip(runs, requests) { say(try await story(of: run, request, workspace)) }

    let decided = try await decide(workspace, loop, people, runs: runs, isScripted: isScripted)
    return try await conclude(workspace, runs: runs, model: model, decided: decided, isStuck: isStuck)
  }

  private func release(_ workspace: Workspace) async throws {
    try await workspace.takeOrganisation(try Workspace.organisation(in: workspace.folder))
    for (name, owner) in [("vendor-onboarding", "ana"), ("access-request", "mara")] {
      let files = try ProcessFiles(folder: "\(workspace.folder)/Policies/\(name)", prompts: "\(workspace.folder)/Prompts")
      let digest = files.bundle.manifest.digest.hex
      let isCurrent = try await workspace.store.read { try $0.shared().current(name)?.digest == digest }
      if !isCurrent {
        let outcome = try await workspace.gate.makeRelease(files.bundle, by: DemoPeople.identity(owner))
        guard outcome.verdict == .permit else {
          throw CommandError(.refused, "demo", "the release was refused: \(outcome.refusal?.message ?? "")")
        }
      }
      say("\("released", .good)  \(name)  \(String(digest.prefix(12)), .faint)")
    }
  }

  /// Lets agents and the engine work, and people do their steps, until only decisions are left.
  ///
  /// - Returns: Whether every step that agents and the engine came to is stuck.
  @discardableResult
  private func work(_ loop: WorkLoop, _ people: DemoPeople, runs: [String], isScripted: Bool) async throws -> Bool {
    var all: [WorkLoop.Item] = []
    let progress = Progress("agents", on: console)
    let done = Locked(0)
    for _ in 0..<Self.rounds {
      let items = try await loop.work { item in
        let count = done.withLock { done in
          done += 1
          return done
        }
        // A real model takes its time: say what happens while it does.
        if isScripted { progress.update(done: count) } else { console.say(item.line) }
      }
      all += items
      let steps = try await people.doSteps()
      let problems = try await people.workspace.inbox(limit: 1000).problems
      let helped = try await people.lookAfter(problems)
      if steps == 0, helped == 0, !items.contains(where: { $0.outcome == .completed }) { break }
    }
    progress.finish()
    return all.isStuck
  }

  // MARK: Deciding

  /// How the held proposals were decided.
  struct Decided: Sendable {
    var approved = 0
    var rejected = 0
    var left = 0
  }

  private func decide(
    _ workspace: Workspace, _ loop: WorkLoop, _ people: DemoPeople, runs: [String], isScripted: Bool
  ) async throws -> Decided {
    let who = isInteractive ? "they wait for you" : "nobody sits at a terminal, so seeded people decide; every record says `scripted`"
    chapter("What the gate held", who)
    var decided = Decided()
    var asks = isInteractive
    var left: Set<String> = []
    for _ in 0..<Self.rounds {
      let inbox = try await workspace.inbox(limit: 1000)
      let open = inbox.decisions.filter { ($0.run.map { runs.contains($0) } ?? false) && !left.contains($0.record.id) }
      if open.isEmpty { break }
      var moved = false
      for item in open {
        say(
          "\(item.record.id, .strong)  \(item.subject?.stringValue ?? item.record.id): \(item.record.tool), held by \(item.record.requirements.map(\.rule).joined(separator: ", "))"
        )
        if asks {
          switch try await ask(item, workspace) {
          case .approved: (decided.approved, moved) = (decided.approved + 1, true)
          case .rejected: (decided.rejected, moved) = (decided.rejected + 1, true)
          case .left: left.insert(item.record.id)
          case .others: asks = false
          }
          if asks { continue }
        }
        if !isInteractive, item.run.flatMap({ people.requests[$0] })?.isLeftForYou ?? false {
          left.insert(item.record.id)
          say("    left for you: `remit approve \(item.record.id) --workspace \(workspace.folder)`")
          continue
        }
        guard let words = try await people.decide(item) else {
          left.insert(item.record.id)
          say("    nobody among the seeded people may decide this; it stays in the inbox")
          continue
        }
        moved = true
        if words.plain.hasPrefix("rejected") { decided.rejected += 1 } else { decided.approved += 1 }
        say("    \(words)")
      }
      if !moved { break }
      try await work(loop, people, runs: runs, isScripted: isScripted)
    }
    decided.left = left.count
    return decided
  }

  private enum Answer { case approved, rejected, left, others }

  /// Shows the card and lets the person at the terminal decide.
  private func ask(_ item: Inbox.Decision, _ workspace: Workspace) async throws -> Answer {
    let card = try await workspace.card(item.record.id)
    guard card.status == "pending", try Pager().show(card.lines(width: console.terminal.width), on: console) else { return .left }
    let question: Shown =
      "\nType the code above to approve, \("no", .strong) and a reason to reject, \("rest", .strong) to let seeded people decide the others, anything else to leave it: "
    guard let answer = try Prompt().ask(question, on: console)?.trimmed else { return .left }
    let decision: PermissionGate.PersonDecision
    if answer.lowercased() == card.code.lowercased() {
      decision = .approve
    } else if answer.lowercased().hasPrefix("no "), !answer.dropFirst(3).allSatisfy({ $0 == " " }) {
      decision = .reject(reason: String(answer.dropFirst(3)))
    } else {
      return answer.lowercased() == "rest" ? .others : .left
    }
    do {
      let outcome = try await workspace.gate.decide(card.proposal, decision, by: workspace.identity, digest: item.record.digest)
      let result = ApprovalCommands.result(outcome, now: workspace.now)
      for line in result.lines(console.terminal.width) { say("    \(line)") }
      if case .reject = decision { return .rejected }
      return .approved
    } catch let refusal as Refusal {
      say("    \("refused", .bad): \(Shown.sentence(refusal.message))")
      return .left
    }
  }

  // MARK: Words

  private func say(_ line: Shown, _ tone: Shown.Tone? = nil) {
    let line = tone.map { line.toned($0) } ?? line
    console.print(line.wrapped(to: console.terminal.width))
  }

  func chapter(_ title: String, _ what: String) {
    console.print(["", "\("— \(title)", .accent)"])
    say(Shown(what, .faint))
  }

  func show(_ lines: [Shown]) { console.print(lines) }

  /// One request in one line: what the agent said, and where it stands.
  private func story(of run: String, _ request: DemoRequest, _ workspace: Workspace) async throws -> Shown {
    let view = try await workspace.store.read { context in try RunView(run, context) }
    let state = view.record.state
    let risk = state.value(of: "risk")?.stringValue ?? "–"
    let refused = view.proposals.count { $0.record.status == .forbidden }
    let standing: Shown
    if let number = state.fact("vendor_number")?.value?.stringValue {
      standing = "\("active", .good) as \(number)"
    } else if let held = view.record.held.first {
      standing = "\("held", .caution) by \(held.requirements.map(\.rule).joined(separator: ", "))"
    } else if state.status == .completed {
      standing = state.value(of: "review_outcome")?.stringValue == "declined" ? "\("declined", .bad) by compliance" : "\("over", .faint)"
    } else {
      standing = "waits at \(state.openSteps.map(\.occurrence.description).joined(separator: ", "))"
    }
    let note: Shown = refused > 0 ? ", \(refused) refused" : ""
    let name = request.vendor.padding(to: 24)
    return "\(name)  \("\(request.amount) EUR".paddingLeft(to: 9))  risk \(risk.padding(to: 6))  \(standing)\(note)"
  }
}

extension String {
  /// The text with spaces after it.
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
  /// The text with spaces before it.
  fileprivate func paddingLeft(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

  /// The text without spaces at its ends.
  fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
