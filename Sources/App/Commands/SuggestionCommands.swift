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
      A hold that people approved unchanged again and again may not be needed. Each suggestion says how often, under which condition, and how wrong
      it could be (a Wilson bound). Nothing is changed by looking: a changed rule takes effect when it is released.
      """,
    examples: [
      .init("remit suggestion list", "of all processes, with what was looked at in vain"),
      .init("remit suggestion list --json", "as JSON"),
    ],
    options: [process],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let findings = try await workspace.findings(context)
        let found = findings.filter { $0.suggestion != nil }
        let nothing = findings.filter { $0.suggestion == nil }
        return CommandResult(
          json: ["suggestions": .array(found.map(\.json)), "nothing": .array(nothing.map(\.json))],
          notes: findings.isEmpty ? ["no hold was decided yet, so there is nothing to suggest"] : [],
          lines: { width in
            var lines: [Shown] = []
            for finding in found {
              lines.append("\(finding.id, .strong)  \(finding.process)")
              lines += Shown.message(finding.finding.summary).flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" }
            }
            for finding in nothing {
              lines += Shown.message("\(finding.process): \(finding.finding.summary)", .faint).flatMap { $0.wrapped(to: width) }
            }
            return lines
          })
      }
    })

  static let show = Command(
    path: ["suggestion", "show"], summary: "show a suggestion: evidence, counter-examples, the change of the rule",
    examples: [.init("remit suggestion show s-1f9ac3", "with the change as it would stand in rules.json5")],
    arguments: [.init(name: "ID", help: "the suggestion's id, or the beginning of it")],
    options: [process],
    run: { context in
      let id = try context.arguments.required("ID")
      return try await context.withWorkspace(.read) { workspace in
        let findings = try await workspace.findings(context).filter { $0.suggestion != nil && $0.id.hasPrefix(id) }
        guard let finding = findings.first, let suggestion = finding.suggestion, !id.isEmpty else {
          throw CommandError(
            .notFound, "suggestion-unknown", "there is no suggestion `\(visible(id))`", hint: "`remit suggestion list` shows them")
        }
        if findings.count > 1 { throw CommandError.usage("`\(visible(id))` is the beginning of several suggestions") }
        return CommandResult(
          json: finding.json,
          notes: [
            "to try it: change Policies/\(finding.process)/rules.json5, then `remit eval replay --rules` shows every verdict that flips"
          ],
          lines: { width in ["\(finding.id, .strong)  \(finding.process)", ""] + MineCommands.lines(suggestion.text(width: width)) })
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
  /// What the log says about the holds of each process's current release.
  fileprivate func findings(_ context: CommandContext) async throws -> [NamedFinding] {
    try await findings(process: context.arguments.option("process"), on: context.console)
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
