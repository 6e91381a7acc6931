internal import Audit
internal import Core
internal import EventData
internal import Governance
internal import ProcessMining

/// `remit suggestion …`: what the log says could be changed.
enum SuggestionCommands {
  static let all = [list, show]

  private static let process = Command.Option.value("process", "NAME", "only of this process")

  static let list = Command(
    path: ["suggestion", "list"], summary: "list suggestions that the log gives evidence for",
    details: """
      Looked for in the runs of each current release: needless and missing holds, dead paths, bottlenecks, slow hand-offs, rework loops, missing
      evidence, unused and skipped steps, documents that practice left behind, allowances to grant and to withdraw, overloaded reviewers, and
      rejections for the same reason. Each is a share against a limit, tested so that of a hundred logs without problems at most two yield any
      suggestion. Where too few holds ended for that, what they seem to say is listed as an early sign, with its Wilson bound.
      Nothing is changed by looking: a changed rule or process takes effect when it is released.
      """,
    examples: [
      .init("remit suggestion list", "of all processes, with what was looked at in vain"),
      .init("remit suggestion list --json", "as JSON"),
    ],
    options: [process, .value("limit", short: "n", "N", "how many at most, up to 10000; 50 where nothing is said")],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 50
      return try await context.withWorkspace(.read) { workspace in
        let mined = try await workspace.suggestions(process: context.arguments.option("process"), on: context.console)
        let suggestions = Array(mined.suggestions.prefix(limit))
        var notes: [Shown] = []
        if suggestions.count < mined.suggestions.count {
          notes.append("\(suggestions.count) of \(mined.suggestions.count) suggestions are shown; `--limit N` shows more")
        }
        if mined.asked == 0, mined.nothing.isEmpty, suggestions.isEmpty {
          notes.append("too little happened in the runs of the current releases, so there is nothing to suggest")
        }
        return CommandResult(
          json: [
            "suggestions": .array(suggestions.map(\.json)), "total": .int(mined.suggestions.count), "asked": .int(mined.asked),
            "nothing": .array(mined.nothing.map(\.json)),
          ],
          notes: notes,
          lines: { width in mined.lines(width: width, limit: limit) })
      }
    })

  static let show = Command(
    path: ["suggestion", "show"], summary: "show a suggestion: evidence, what speaks against it, the change, its effect and risk",
    examples: [.init("remit suggestion show s-1f9ac3", "with the change as it would stand in rules.json5")],
    arguments: [.init(name: "ID", help: "the suggestion's id, or the beginning of it")],
    options: [process],
    run: { context in
      let id = try context.arguments.required("ID")
      return try await context.withWorkspace(.read) { workspace in
        let mined = try await workspace.suggestions(process: context.arguments.option("process"), on: context.console)
        let fitting = mined.suggestions.filter { $0.id.hasPrefix(id) }
        guard let suggestion = fitting.first, !id.isEmpty else {
          throw CommandError(
            .notFound, "suggestion-unknown", "there is no suggestion `\(visible(id))`", hint: "`remit suggestion list` shows them")
        }
        if fitting.count > 1 { throw CommandError.usage("`\(visible(id))` is the beginning of several suggestions") }
        return CommandResult(
          json: suggestion.json, notes: suggestion.next.map { ["to try it: \($0)"] } ?? [],
          lines: { width in [suggestion.title, ""] + MineCommands.lines(suggestion.text(width: width)) })
      }
    })
}

/// One finding with an id that does not depend on what else was found.
struct NamedFinding: Sendable {
  var process: String
  var finding: HoldFinding

  var suggestion: HoldSuggestion? { if case .suggestion(let suggestion) = finding { suggestion } else { nil } }

  var id: String {
    let key =
      switch finding {
      case .suggestion(let suggestion): "\(process)\0\(suggestion.rule)\0\(suggestion.tool)\0\(suggestion.step ?? "")"
      case .nothing(let rule, let tool, let step, _, _): "\(process)\0\(rule)\0\(tool)\0\(step ?? "")"
      }
    return "s-\(SHA256.hash(key).hex.prefix(6))"
  }

  var json: JSON {
    var object: JSONObject = ["id": .string(id), "process": .string(process), "summary": .string(finding.summary)]
    for (key, value) in finding.json.objectValue ?? [:] { object[key] = value }
    return .object(object)
  }
}

extension Workspace {
  /// What the log speaks for changing in each process's current release; in one process where it is named.
  func suggestions(process name: String?, on console: Console) async throws -> MinedSuggestions {
    let gate = gate
    let findings = try await findings(process: name, on: console)
    return try await Progress.during("searching the log", on: console) {
      try await store.read { view in
        let shared = try view.shared()
        let search = SuggestionSearch()
        var mined = MinedSuggestions()
        for process in shared.processes.filter({ process in name.map { bytesEqual($0, process) } ?? true }).sorted(by: bytesLess) {
          guard let current = shared.current(process) else { continue }
          let release = try gate.release(current.digest, in: view)
          let history = try LogEvents.history(view, release: release, rules: try Self.ruleObjects(of: current.digest, in: view))
          let result = search.suggestions(in: history)
          mined.asked += result.asked
          mined.suggestions += result.suggestions.map { .tested(process: process, $0) }
          let holds = findings.filter { bytesEqual($0.process, process) }.map(\.finding)
          for finding in search.untested(holds, in: history, besides: result.suggestions) {
            let named = NamedFinding(process: process, finding: finding)
            if let hold = named.suggestion { mined.suggestions.append(.early(named, hold)) } else { mined.nothing.append(named) }
          }
        }
        return mined
      }
    }
  }

  /// What the log says about the holds of each process's current release; of one process where it is named.
  func findings(process name: String?, on console: Console) async throws -> [NamedFinding] {
    let gate = gate
    return try await Progress.during("reading the log", on: console) {
      try await store.read { view in
        let shared = try view.shared()
        if let name, !shared.processes.contains(name) { throw Workspace.unknownProcess(name, shared) }
        return try shared.processes.filter { name == nil || $0 == name }.sorted(by: bytesLess).flatMap { process -> [NamedFinding] in
          guard let current = shared.current(process) else { return [] }
          let release = try gate.release(current.digest, in: view)
          let (holds, features) = try LogEvents.decidedHolds(view, release: release)
          let rules = try Self.ruleObjects(of: current.digest, in: view)
          return HoldAnalysis().findings(holds: holds, features: features, rules: rules).map { NamedFinding(process: process, finding: $0) }
        }
      }
    }
  }

  /// The rules of a release as they were written.
  private static func ruleObjects(of digest: String, in view: ReadContext<GovernanceLedger>) throws -> [JSONObject] {
    guard let text = try files(ofRelease: digest, in: view).first(where: { $0.path == "rules.json5" })?.bytes else { return [] }
    return (try PositionedJSON.parseJSON5(text)["rules"]?.arrayValue ?? []).compactMap { $0.json.objectValue }
  }
}
