internal import Audit
internal import Core
internal import Evals
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit eval …`: recorded proposals under other rules.
enum EvalCommands {
  static let all = [replay]

  static let replay = Command(
    path: ["eval", "replay"], summary: "decide recorded proposals again under other rules and list every verdict that flips",
    details: """
      Without FILE the proposals of the workspace's own log are decided again, each in the state that its run had then. With FILE, a JSONL file
      of recorded runs or tasks, the files that the rules' facts.json5 names are read from beside it.

      A suite (Evals/NAME) is a folder of rules with suite.json5, which says which flips are meant; any other one fails it. A folder of
      recorded attacks (tools.jsonl, user_tasks.jsonl, scenarios.jsonl) is a suite as well: then --policy or --rules names the rules, and the
      report says which attacks would be carried out without a person, and what the caution costs.
      """,
    examples: [
      .init("remit eval replay --rules ./stricter", "the log under the rules of a folder"),
      .init("remit eval replay --suite activation-limit", "the log under a suite of the workspace"),
      .init("remit eval replay recorded_runs.jsonl --rules Policies/airline --json", "a recording, as JSON"),
      .init("remit eval replay --suite ./agentdojo/slack --policy agent-baseline", "recorded attacks under rules for any agent"),
    ],
    arguments: [.init(name: "FILE", help: "a recording; the workspace's own log where it is left out", isRequired: false)],
    options: [
      .value("rules", "DIR", "a folder with rules.json5"), .value("policy", "NAME", "a folder in the workspace's Policies"),
      .value("suite", "NAME", "a folder in the workspace's Evals with the flips that are meant, or a path to one of attacks"),
      .value("process", "NAME", "the process, where the rules do not say it"),
      .value("limit", short: "n", "N", "how many calls to list, up to 10000"),
    ],
    place: { context in context.arguments.argument("FILE") != nil || attackFolder(context) != nil ? .local : .store },
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 40
      if let folder = attackFolder(context) {
        return try await attacks(folder, limit, context)
      }
      let given = [context.arguments.option("rules"), context.arguments.option("policy"), context.arguments.option("suite")].compactMap {
        $0
      }
      guard given.count == 1 else {
        throw CommandError.usage("name the rules: `--rules DIR`, `--policy NAME` or `--suite NAME`, one of them")
      }
      let workspace = context.workspacePath
      let folder =
        context.arguments.option("rules") ?? context.arguments.option("policy").map { "\(workspace)/Policies/\($0)" }
        ?? "\(workspace)/Evals/\(given[0])"
      if let file = context.arguments.argument("FILE") {
        try checkRules(folder)
        if context.arguments.option("suite") != nil {
          throw CommandError.usage("`--suite` is about the workspace's own log, not about a file")
        }
        return try await recording(file, folder, limit, context)
      }
      let files = try await context.front.files(under: folder)
      guard files.contains(where: { $0.path == "rules.json5" }) else {
        throw FileError(.notFound, path: "\(folder)/rules.json5", "there is no such file")
      }
      let suite = context.arguments.option("suite") == nil ? nil : try EvalSuite(files, of: folder)
      return try await context.withWorkspace(.read) { workspace in
        let replay = try await workspace.replay(
          files, of: folder, process: context.arguments.option("process") ?? suite?.process, on: context.console)
        return result(replay, suite, limit)
      }
    })

  /// The folder of a suite of attacks: a path, or a name in the workspace's Evals; nil where it is none.
  private static func attackFolder(_ context: CommandContext) -> String? {
    let arguments = context.arguments
    guard context.front.isLocal, let suite = arguments.option("suite"), arguments.argument("FILE") == nil else { return nil }
    return [suite, "\(context.workspacePath)/Evals/\(suite)"].first { AttackSuite.isSuite($0) }
  }

  private static func attacks(_ folder: String, _ limit: Int, _ context: CommandContext) async throws -> CommandResult {
    let rules: String
    switch (context.arguments.option("rules"), context.arguments.option("policy")) {
    case (let path?, nil): rules = path
    case (nil, let name?): rules = "\(context.workspacePath)/Policies/\(name)"
    default: throw CommandError.usage("name the rules for the attacks: `--rules DIR` or `--policy NAME`, one of them")
    }
    try checkRules(rules)
    let report = try await Progress.during("replaying", on: context.console) {
      try AttackReplay(try AttackSuite(folder: folder), policy: try PolicyFolder(path: rules)).run()
    }
    return CommandResult(json: report.json, lines: { _ in MineCommands.lines(report.text(limit: limit)) })
  }

  private static func checkRules(_ folder: String) throws {
    guard !FileTree.exists("\(folder)/rules.json5") else { return }
    throw FileError(.notFound, path: "\(folder)/rules.json5", "there is no such file")
  }

  private static func recording(_ file: String, _ folder: String, _ limit: Int, _ context: CommandContext) async throws -> CommandResult {
    let report = try await Progress.during("replaying", on: context.console) {
      try RecordedReplay.run(recording: file, rules: try PolicyFolder(path: folder))
    }
    return CommandResult(json: report.json, lines: { _ in MineCommands.lines(report.text(limit: limit)) })
  }

  private static func result(_ replay: WorkspaceReplay, _ suite: EvalSuite?, _ limit: Int) -> CommandResult {
    let comparison = replay.comparison
    var json = replay.candidate.json.objectValue ?? [:]
    json["process"] = .string(replay.process)
    json["comparison"] = comparison.json
    let unmeant = suite.map { suite in comparison.flips.filter { !suite.means($0) } } ?? []
    if let suite { json["suite"] = ["name": .string(suite.name), "ok": .bool(unmeant.isEmpty), "unmeant": .int(unmeant.count)] }
    return CommandResult(
      exit: unmeant.isEmpty ? .done : .failed, json: .object(json),
      lines: { width in
        var lines: [Shown] = []
        if let suite { lines += ["\(suite.title, .strong)", ""] }
        lines += MineCommands.lines(comparison.text(limit: limit)).flatMap { $0.wrapped(to: width) }
        if let suite {
          lines.append("")
          lines.append(
            unmeant.isEmpty
              ? "\("as meant", .good)  every flip is one that `\(suite.name)` means"
              : "\("not as meant", .bad)  \(counted(unmeant.count, "flip")) that `\(suite.name)` does not mean")
        }
        return lines
      })
  }
}

/// A suite of recorded proposals: which flips of verdicts a changed set of rules is meant to bring.
struct EvalSuite: Sendable {
  struct Flip: Sendable {
    var from: Outcome
    var to: Outcome
    var tool: String?
  }

  var name: String
  var title: String
  var process: String
  var flips: [Flip]

  /// Reads `suite.json5`.
  ///
  /// - Throws: ``FileError``, `JSONError`, `Diagnostics` with all problems.
  init(_ files: [(path: String, bytes: [UInt8])], of folder: String) throws {
    let path = "\(folder)/suite.json5"
    guard let own = files.first(where: { $0.path == "suite.json5" }) else {
      throw FileError(.notFound, path: path, "there is no such file")
    }
    let file = try PositionedJSON.parseJSON5(own.bytes, file: path)
    var problems: [Diagnostic] = []
    let known = ["suite", "title", "process", "flips"]
    for member in file.objectValue ?? [] where !known.contains(member.key) {
      problems.append(.unknown("key", member.key, known: known, at: member.keyPosition))
    }
    func text(_ key: String) -> String {
      if let text = file[key]?.stringValue { return text }
      problems.append(Diagnostic("missing-key", at: file[key]?.position ?? file.position, "a suite needs `\(key)`, a text"))
      return ""
    }
    func outcome(_ value: PositionedJSON, _ key: String) -> Outcome? {
      let place = value[key]
      if let outcome = place?.stringValue.flatMap({ Outcome(rawValue: $0) }) { return outcome }
      problems.append(
        .unknown("verdict", place?.stringValue ?? "", known: Outcome.allCases.map(\.rawValue), at: place?.position ?? value.position))
      return nil
    }
    name = text("suite")
    title = text("title")
    process = text("process")
    flips = (file["flips"]?.arrayValue ?? []).compactMap { value in
      guard let from = outcome(value, "from"), let to = outcome(value, "to") else { return nil }
      return Flip(from: from, to: to, tool: value["tool"]?.stringValue)
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
  }

  /// Whether a flip is one that the suite means.
  func means(_ flip: ReplayComparison.Flip) -> Bool {
    flips.contains { meant in
      meant.from == flip.before.outcome && meant.to == flip.after.outcome && meant.tool.map { $0 == flip.before.tool } ?? true
    }
  }
}

/// A replay of a workspace's own log.
struct WorkspaceReplay: Sendable {
  var process: String
  var recorded: ReplayReport
  var candidate: ReplayReport

  var comparison: ReplayComparison { ReplayComparison(before: recorded, after: candidate) }
}

extension Workspace {
  /// Decides the log's proposals of a process again, with the files of a folder in the place of the current release's.
  ///
  /// - Parameters:
  ///   - files: `rules.json5`, and any other file of the bundle that is to differ.
  ///   - folder: Where they lie, for messages.
  ///   - name: The process; nil takes the one that the rules name as their policy.
  ///   - console: Where progress is shown.
  /// - Returns: What was recorded, and what the folder's rules say.
  /// - Throws: `Diagnostics` for files with a problem; what the store throws.
  func replay(
    _ files: [(path: String, bytes: [UInt8])], of folder: String, process name: String?, on console: Console
  ) async throws -> WorkspaceReplay {
    let own = files.filter { $0.path != "suite.json5" }
    let rules = own.first { $0.path == "rules.json5" }?.bytes ?? []
    let process = try name ?? PositionedJSON.parseJSON5(rules, file: "\(folder)/rules.json5")["policy"]?.stringValue ?? ""
    return try await Progress.during("replaying", on: console) {
      try await store.read { view in
        let shared = try view.shared()
        guard let current = shared.current(process) else { throw Workspace.unknownProcess(process, shared) }
        var files = try Self.files(ofRelease: current.digest, in: view).filter { file in !own.contains { $0.path == file.path } }
        files += own
        let bundle = ReleaseBundle(process: process, files: files) { path in own.contains { $0.path == path } ? "\(folder)/\(path)" : path }
        let (recorded, candidate) = try LogReplay.run(view, candidate: try Release.load(bundle, directory: shared.directory))
        return WorkspaceReplay(process: process, recorded: recorded, candidate: candidate)
      }
    }
  }

  /// The files that a release pins.
  static func files(ofRelease digest: String, in view: ReadContext<GovernanceLedger>) throws -> [(path: String, bytes: [UInt8])] {
    guard let key = Digest(hex: digest), let bytes = try view.evidence(key), let manifest = ReleaseManifest(json: try JSON.parse(bytes))
    else {
      throw CommandError(.notFound, "release-unknown", "the store has no release `\(digest.prefix(12))`")
    }
    return try manifest.files.map { file in
      guard let bytes = try view.evidence(file.digest) else {
        throw CommandError(.failed, "release-unknown", "the store lacks the file `\(visible(file.path))` of release `\(digest.prefix(12))`")
      }
      return (file.path, bytes)
    }
  }
}
