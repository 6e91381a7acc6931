internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit process diff`: what changes between two sets of rules.
enum ProcessDiffCommand {
  static let all = [diff]

  static let diff = Command(
    path: ["process", "diff"], summary: "show which requests get another verdict under other rules",
    details: """
      A and B are folders of processes, names of processes in Policies, or digests of releases (12 digits are enough). Every kind of request
      that the rules can tell apart is decided by both; a change is a condition, with one request for which it is true. Requests are those
      whose values fit their declared types. Where a condition is not fully understood it says so: then there may be further changes.

      The exit code is 0 where nothing changes, 1 where something does or may.
      """,
    examples: [
      .init("remit process diff vendor-onboarding ./stricter", "the files of a process and those of a folder"),
      .init("remit process diff 3f2a91c07d44 vendor-onboarding --json", "a release and the files of today, as JSON"),
    ],
    arguments: [.init(name: "A", help: "before: a folder, a process or a release"), .init(name: "B", help: "after")],
    run: { context in
      let before = try await release(try context.arguments.required("A"), context)
      let after = try await release(try context.arguments.required("B"), context)
      let difference = PolicyDifference(
        from: before.release.rules, to: after.release.rules, environment: environment(before, after))
      let fields = [before, after].map { $0.release.process.fields.map(\.name) }
      let unclear = difference.unclear + (fields[0] == fields[1] ? [] : ["the fields of the two processes differ"])
      let changes = difference.changes
      return CommandResult(
        exit: changes.isEmpty && unclear.isEmpty ? .done : .failed,
        json: [
          "a": .string(before.name), "b": .string(after.name), "exact": .bool(unclear.isEmpty),
          "unclear": .array(unclear.map { .string($0) }), "changes": .array(changes.map(\.json)),
        ],
        lines: { width in
          var lines = changes.flatMap(\.lines)
          if changes.isEmpty { lines.append("no request is known to get another verdict") }
          for reason in unclear { lines += Shown.message("not exact: \(reason)", .caution) }
          return lines.flatMap { $0.wrapped(to: width) }
        })
    })

  private typealias Side = (name: String, release: Release, directory: Directory?)

  /// What an argument names.
  private static func release(_ name: String, _ context: CommandContext) async throws -> Side {
    if isDigest(name), !FileTree.isFolder(name) {
      return try await context.withWorkspace(.read) { workspace in
        let gate = workspace.gate
        return try await workspace.store.read { view in
          let shared = try view.shared()
          guard let digest = shared.releases.first(where: { $0.digest.hasPrefix(name) })?.digest else {
            throw CommandError(.notFound, "release-unknown", "there is no release `\(visible(name))`", hint: "`remit process list` shows them")
          }
          return (String(digest.prefix(12)), try gate.release(digest, in: view), shared.directory)
        }
      }
    }
    let (place, files) = try Workspace.processFiles(name, in: context.workspacePath)
    let directory = try ProcessCommands.organisation(beside: place, in: context.workspacePath)
    return (name, try Release.load(files.bundle, directory: directory), directory)
  }

  private static func isDigest(_ name: String) -> Bool {
    (12...64).contains(name.utf8.count) && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// What the rules of both may name.
  private static func environment(_ a: Side, _ b: Side) -> PolicyEnvironment {
    let (before, after) = (a.release.environment(a.directory), b.release.environment(b.directory))
    var environment = after
    let tools = after.tools ?? []
    environment.tools = tools + (before.tools ?? []).filter { tool in !tools.contains { bytesEqual($0.tool.name, tool.tool.name) } }
    let steps = after.steps ?? []
    environment.steps = steps + (before.steps ?? []).filter { step in !steps.contains { bytesEqual($0.id, step.id) } }
    environment.agents = union(before.agents, after.agents)
    environment.users = union(before.users, after.users)
    // What one side lets be anything can be anything.
    environment.choices = after.choices.filter { choice in before.choices.contains { $0.path == choice.path && $0.values == choice.values } }
    return environment
  }

  private static func union(_ a: [String]?, _ b: [String]?) -> [String]? {
    guard let a, let b else { return nil }
    return b + a.filter { name in !b.contains { bytesEqual($0, name) } }
  }
}

extension Release {
  /// What the release's rules may name.
  func environment(_ directory: Directory?) -> PolicyEnvironment {
    Self.environment(of: process, directory: directory, documents: documents.values.sorted { bytesLess($0.name, $1.name) })
  }
}

extension PolicyDifference.Change {
  private func text(_ verdict: (outcome: Outcome, needs: [String])) -> String {
    verdict.outcome.rawValue + (verdict.needs.isEmpty ? "" : " for \(verdict.needs.joined(separator: " and "))")
  }

  /// Under what circumstances beside the conditions, in words; empty for all.
  private var circumstances: String {
    [
      isImplied.map { $0 ? "where a step or trigger gives the permit" : "where no step or trigger gives a permit" },
      isAllowed.map { $0 ? "with a live allowance" : "without a live allowance" },
    ].compactMap(\.self).joined(separator: ", ")
  }

  fileprivate var lines: [Shown] {
    var lines: [Shown] = ["\(tool, .strong)  \(text(from)) → \(text(to))\(circumstances.isEmpty ? "" : ", \(circumstances)")"]
    for condition in conditions.prefix(12) { lines.append("  when \(condition.isEmpty ? "true" : condition)") }
    if conditions.count > 12 { lines.append("  … and \(conditions.count - 12) more") }
    lines.append("  such as \(example.testJSON.text())")
    return lines
  }

  fileprivate var json: JSON {
    func side(_ verdict: (outcome: Outcome, needs: [String])) -> JSON {
      ["verdict": .string(verdict.outcome.rawValue), "requirements": .array(verdict.needs.map { .string($0) })]
    }
    var object: JSONObject = [
      "tool": .string(tool), "from": side(from), "to": side(to), "when": .array(conditions.map { .string($0.isEmpty ? "true" : $0) }),
      "example": example.testJSON,
    ]
    object["implied"] = isImplied.map { .bool($0) }
    object["allowance"] = isAllowed.map { .bool($0) }
    return .object(object)
  }
}
