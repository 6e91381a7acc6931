internal import Audit
internal import Core
internal import Evals
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit process diff`: what changes between two sets of rules.
enum ProcessDiffCommand {
  static let all = [diff]

  static let diff = Command(
    path: ["process", "diff"], summary: "show which requests get another verdict under other rules",
    details: """
      A and B are names of processes in Policies, folders with process.json5 or with rules.json5 alone, or digests of releases (12 digits are
      enough). Every kind of request that the rules can tell apart is decided by both, so that the conditions shown are true of exactly the
      requests that change; each comes with one, decided by both sets. Requests are those whose values fit their declared types; a value that
      a rule compares with nothing can be anything. Other approvals for a hold are a change too, other names and reasons of rules are not.

      Where part of a condition is not understood, a change that rests on it is marked as not exact: it happens for some of the requests
      at most. Nothing that changes is left out, unless it says that it gave up.

      A live guard of the workspace is not compared: it counts on top of either side, and can only take a change away.

      The exit code is 0 where nothing changes, 1 where something does or may.
      """,
    examples: [
      .init("remit process diff vendor-onboarding ./stricter", "the files of a process and those of a folder"),
      .init("remit process diff 3f2a91c07d44 vendor-onboarding --json", "a release and the files of today, as JSON"),
    ],
    arguments: [.init(name: "A", help: "before: a folder, a process or a release"), .init(name: "B", help: "after")],
    place: { _ in .local },
    run: { context in
      let (a, b) = (try context.arguments.required("A"), try context.arguments.required("B"))
      let (before, after) = try sides(try await source(a, context), try await source(b, context))
      let difference = PolicyDifference(
        from: before.rules, to: after.rules, environment: environment(before.environment, after.environment))
      let changes = difference.changes
      let isGuarded = try await ProcessCommands.recordedPeople(context)?.guarding != nil
      return CommandResult(
        exit: changes.isEmpty && difference.isExact ? .done : .failed,
        json: [
          "a": .string(before.name), "b": .string(after.name), "exact": .bool(difference.isExact),
          "unclear": .array(difference.unclear.map { .string($0) }), "changes": .array(changes.map(\.json)), "guarded": .bool(isGuarded),
        ],
        notes: isGuarded ? ["the workspace's guard counts on top of either side and is not compared: `remit guard show`"] : [],
        lines: { width in
          lines(of: difference).flatMap { indent, line in line.wrapped(to: max(20, width - indent)).map { .spaces(indent) + $0 } }
        })
    })

  // MARK: - The two sides

  private typealias Side = (name: String, rules: RuleSet, environment: PolicyEnvironment)

  /// What an argument names.
  private enum Source {
    case release(name: String, Release, Directory?)
    /// A folder with rules and no process.
    case rules(PolicyFolder)
  }

  private static func source(_ name: String, _ context: CommandContext) async throws -> Source {
    if isDigest(name), !FileTree.isFolder(name) {
      return try await context.withWorkspace(.read) { workspace in
        let gate = workspace.gate
        return try await workspace.store.read { view in
          let shared = try view.shared()
          guard let digest = shared.releases.first(where: { $0.digest.hasPrefix(name) })?.digest else {
            throw CommandError(
              .notFound, "release-unknown", "there is no release `\(visible(name))`", hint: "`remit process list` shows them")
          }
          return .release(name: String(digest.prefix(12)), try gate.release(digest, in: view), shared.directory)
        }
      }
    }
    let folder = Workspace.processFolder(name, in: context.workspacePath)
    if FileTree.exists("\(folder)/rules.json5"), !FileTree.exists("\(folder)/process.json5") {
      return .rules(try PolicyFolder(path: folder))
    }
    let (place, files) = try Workspace.processFiles(name, in: context.workspacePath)
    let directory = try ProcessCommands.organisation(beside: place, in: context.workspacePath)
    return .release(name: name, try Release.load(files.bundle, directory: directory), directory)
  }

  /// Rules without a process are read as those of the other side's.
  private static func sides(_ a: Source, _ b: Source) throws -> (Side, Side) {
    func side(_ source: Source, beside other: Source) throws -> Side {
      switch (source, other) {
      case (.release(let name, let release, let directory), _): (name, release.rules, release.environment(directory))
      case (.rules(let folder), .release(_, let release, let directory)):
        (folder.path, try folder.rules(in: release.environment(directory)), release.environment(directory))
      case (.rules(let folder), .rules): (folder.path, try folder.rules(catalogue: nil), folder.environment(catalogue: nil))
      }
    }
    return (try side(a, beside: b), try side(b, beside: a))
  }

  private static func isDigest(_ name: String) -> Bool {
    (12...64).contains(name.utf8.count) && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// What the rules of both may name.
  private static func environment(_ before: PolicyEnvironment, _ after: PolicyEnvironment) -> PolicyEnvironment {
    var environment = after
    if let old = before.tools, let new = after.tools {
      environment.tools = new + old.filter { tool in !new.contains { bytesEqual($0.tool.name, tool.tool.name) } }
    }
    if let old = before.steps, let new = after.steps {
      environment.steps = new + old.filter { step in !new.contains { bytesEqual($0.id, step.id) } }
    }
    environment.agents = union(before.agents, after.agents)
    environment.users = union(before.users, after.users)
    // What one side lets be anything can be anything.
    environment.choices = after.choices.filter { choice in before.choices.contains { $0.path == choice.path && $0.values == choice.values }
    }
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

// MARK: - Rendering

extension ProcessDiffCommand {
  /// The most conditions of one change of verdict that are shown.
  private static let maximumShown = 12

  /// The lines of the report, each with its indentation.
  fileprivate static func lines(of difference: PolicyDifference) -> [(indent: Int, line: Shown)] {
    var lines: [(indent: Int, line: Shown)] = []
    var start = 0
    let changes = difference.changes
    while start < changes.count {
      let (tool, title) = (changes[start].tool, changes[start].title)
      let end = changes[start...].firstIndex { $0.tool != tool || $0.title != title } ?? changes.count
      if start > 0 { lines.append((0, "")) }
      lines.append((0, "\(tool, .strong)  \(title)"))
      for change in changes[start..<min(end, start + maximumShown)] {
        lines.append((2, "when \(change.condition)"))
        if let example = change.example { lines.append((4, "\("such as", .faint) \(example.testJSON.text())")) }
        if !change.isExact {
          lines.append((4, "\("not exact", .caution): for some of these requests\(change.example == nil ? ", if any" : "")"))
        }
      }
      if end - start > maximumShown { lines.append((2, "… and \(counted(end - start - maximumShown, "condition")) more")) }
      start = end
    }
    if changes.isEmpty { lines.append((0, "no request \(difference.isExact ? "gets" : "is known to get") another verdict")) }
    if !difference.isExact { lines.append((0, "")) }
    for reason in difference.unclear { lines += Shown.message("not exact: \(reason)", .caution).map { (0, $0) } }
    return lines
  }
}

extension PolicyDifference.Change {
  /// What changes, for what, and under which circumstances that no condition names.
  fileprivate var title: String {
    var circumstances = isImplied.map { ["where \($0 ? "a" : "no") step or trigger permits it"] } ?? []
    circumstances += allowances.map { "\($0.isLive ? "within" : "without") a live allowance for `\($0.rule)`" }
    return (["\(text(from)) → \(text(to))"] + circumstances).joined(separator: ", ")
  }

  private func text(_ verdict: PolicyVerdict) -> String {
    verdict.outcome.rawValue + (verdict.needs.isEmpty ? "" : " (\(verdict.requirements.joined(separator: "; ")))")
  }

  fileprivate var json: JSON {
    func side(_ verdict: PolicyVerdict) -> JSON {
      ["verdict": .string(verdict.outcome.rawValue), "requirements": .array(verdict.requirements.map { .string($0) })]
    }
    var object: JSONObject = [
      "tool": .string(tool), "from": side(from), "to": side(to), "when": .string(condition), "example": example?.testJSON ?? .null,
      "exact": .bool(isExact),
    ]
    object["implied"] = isImplied.map { .bool($0) }
    if !allowances.isEmpty { object["allowances"] = .object(JSONObject(allowances.map { ($0.rule, .bool($0.isLive)) })) }
    return .object(object)
  }
}
