internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// `remit process …`: files that people write, and releases made of them.
enum ProcessCommands {
  static let all = [check, release, list, show]

  private static let processArgument = Command.Positional(name: "PROCESS", help: "a process in Policies, or the path of its folder")

  static let check = Command(
    path: ["process", "check"], summary: "check processes, rules and their tests",
    details: """
      Checks everything that a release would check: the process, its forms and controls, the rules and their conditions, the clauses that they
      cite. Then decides the requests of rules.tests.json5 and says which rules no test covers. It warns of rules that can never match or that
      change nothing because of others, and of tools that no rule mentions. A hold that nobody in the organisation can ever release is an
      error; one that some people's requests cannot get past is a warning, and so is one that nobody can release while people are absent in
      the next 30 days, as the workspace's records have it. A live guard (`remit guard`) is not part of these findings, as it comes and goes; its
      rules that are about the process are named, with a warning where one errs in it or cannot be released. Nothing is written.
      """,
    examples: [
      .init("remit process check", "every process of the workspace"),
      .init("remit process check vendor-onboarding", "one of them"),
      .init("remit process check ./Policies/vendor-onboarding --json", "a folder, as JSON"),
    ],
    arguments: [.init(name: "PROCESS", help: processArgument.help + "; all where none is named", isRequired: false, repeats: true)],
    place: { _ in .local },
    run: { context in
      let folder = context.workspacePath
      var names = context.arguments.rest("PROCESS")
      if names.isEmpty { names = Workspace.processNames(in: folder) }
      if names.isEmpty { throw CommandError(.notFound, "no-process", "there is no process in `\(visible(folder))/Policies`") }
      let people = try await recordedPeople(context)
      let reports = try names.map { name in
        let (place, files) = try Workspace.processFiles(name, in: folder)
        var report = ProcessReport(checking: files, directory: try organisation(beside: place, in: folder))
        if let people {
          report.lookAhead(people.directory, from: people.now)
          report.underGuard(people.guarding, people.directory)
        }
        return report
      }
      let isGood = reports.allSatisfy(\.isGood)
      return CommandResult(
        exit: isGood ? .done : .failed, json: ["ok": .bool(isGood), "processes": .array(reports.map(\.json))],
        lines: { width in reports.flatMap(\.lines).flatMap { $0.wrapped(to: width) } })
    })

  /// The people with their absences and the guard, as the workspace's store has them; nil where there is none.
  static func recordedPeople(
    _ context: CommandContext
  ) async throws -> (directory: Directory, guarding: WorkspaceGuard?, now: Instant)? {
    guard (try? Workspace.storePath(in: context.workspacePath)) != nil else { return nil }
    return try await context.withWorkspace(.read) { workspace in
      let shared = try await workspace.store.read { try $0.shared() }
      return (shared.directory, shared.guarding, workspace.now)
    }
  }

  /// The organisation that a process's files are checked against: the one beside them, else the workspace's.
  static func organisation(beside place: String, in folder: String) throws -> Directory? {
    if FileTree.exists("\(place)/../organisation.json5") {
      let path = "\(place)/../organisation.json5"
      return try Directory.load(try PositionedJSON.parseJSON5(try RegularFile.read(path, maximumBytes: FileTree.maximumBytes), file: path))
    }
    return try Workspace.organisation(in: folder)
  }

  static let release = Command(
    path: ["process", "release"], summary: "make the files of a process the release that new runs follow",
    details: """
      The release pins every file under one digest. Runs that are under way keep theirs. The first release of a workspace makes its store and
      takes the people and roles over from Policies/organisation.json5; later releases take changes of that file over, as long as nobody was
      changed by `remit person`.
      """,
    examples: [
      .init("remit process release vendor-onboarding", "release what lies in Policies/vendor-onboarding"),
      .init("remit process release vendor-onboarding --json", "and print the digest as JSON"),
    ],
    arguments: [processArgument],
    run: { context in
      let name = try context.arguments.required("PROCESS")
      let source = try await context.front.process(name, in: context.workspacePath)
      let report = ProcessReport(checking: source.files, directory: try source.checkedAgainst())
      if !report.problems.isEmpty { throw Diagnostics(report.problems) }
      if let failure = report.tests?.failures.first {
        throw CommandError(
          .failed, "rule-tests-fail", "\(failure.test.position): test failed: \(visible(failure.test.name)): \(failure.failure ?? "")",
          hint: "`remit process check \(visible(name))` shows all of them")
      }
      return try await context.withWorkspace(.create) { workspace in
        let people = try await workspace.takeOrganisation(try ProcessSource.directory(source.organisation))
        // The people that were just taken over may say who this account is.
        let directory = try await workspace.store.read { try $0.shared().directory }
        let identity = try workspace.identity.refreshed(in: directory)
        var bundle = source.files.bundle
        if let release = report.release { bundle = try await workspace.pinned(bundle, release) }
        let outcome = try await workspace.gate.makeRelease(bundle, by: identity)
        let digest = bundle.manifest.digest.hex
        let process = report.process
        let now = workspace.now
        var json = outcome.json
        json["process"] = .string(process)
        json["release"] = .string(digest)
        return CommandResult(
          exit: outcome.exitCode, json: .object(json), notes: people.map { [$0] } ?? [],
          lines: { width in
            outcome.lines(of: "release \(digest.prefix(12)) of \(process)", now: now).flatMap { $0.wrapped(to: width) }
          })
      }
    })

  static let list = Command(
    path: ["process", "list"], summary: "list released processes",
    examples: [.init("remit process list", "each process with its current release")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let now = workspace.now
        let (releases, counts) = try await workspace.store.read { context in
          let shared = try context.shared()
          let counts = try context.database.query(
            "SELECT process, count(*), sum(status = 'running') FROM run GROUP BY process ORDER BY process"
          ) {
            (process: $0.text(0), runs: $0.int(1), running: $0.int(2))
          }
          return (shared.processes.sorted(by: bytesLess).compactMap { shared.current($0) }, counts)
        }
        let rows = releases.map { release in
          (release, counts.first { $0.process == release.process } ?? (process: release.process, runs: 0, running: 0))
        }
        let json: [JSON] = rows.map { release, count in
          [
            "process": .string(release.process), "release": .string(release.digest), "released": .string(release.time.iso8601),
            "by": .string(release.by), "runs": .int(count.runs), "running": .int(count.running),
          ]
        }
        return CommandResult(
          json: ["processes": .array(json)], notes: rows.isEmpty ? ["nothing is released yet"] : [],
          lines: { width in
            var table = Table([
              .init("Process"), .init("Release"), .init("Released"), .init("By"), .init("Runs", .trailing), .init("Running", .trailing),
            ])
            for (release, count) in rows {
              table.add([
                "\(release.process, .strong)", Shown(String(release.digest.prefix(12))), Shown(release.time.relativeText(to: now)),
                Shown(release.by),
                "\(count.runs)", "\(count.running)",
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  static let show = Command(
    path: ["process", "show"], summary: "show a released process: steps, rules, controls",
    examples: [.init("remit process show vendor-onboarding", "the release that new runs follow")],
    arguments: [.init(name: "PROCESS", help: "the process's name")],
    run: { context in
      let name = try context.arguments.required("PROCESS")
      return try await context.withWorkspace(.read) { workspace in
        let gate = workspace.gate
        let release = try await workspace.store.read { context -> Release in
          let shared = try context.shared()
          guard let current = shared.current(name) else { throw Workspace.unknownProcess(name, shared) }
          return try gate.release(current.digest, in: context)
        }
        let rules = release.rules.rules
        let json: JSON = [
          "process": .string(release.process.id), "title": .string(release.process.title), "release": .string(release.digest.hex),
          "owner": .string(release.process.owner.description),
          "steps": .array(
            release.process.steps.map {
              ["id": .string($0.id), "title": .string($0.title), "performer": .string($0.performer.description)]
            }),
          "rules": .array(rules.map { ["id": .string($0.id), "effect": .string($0.effect.rawValue)] }),
          "controls": .array(release.process.controls.map { ["id": .string($0.id), "statement": .string($0.statement)] }),
        ]
        return CommandResult(
          json: json,
          lines: { width in
            var lines: [Shown] = ["release \(release.digest.hex, .faint)"]
            for line in release.process.outline() {
              let indent = line.prefix { $0 == " " }.count
              lines += Shown(String(line.dropFirst(indent))).wrapped(to: max(20, width - indent)).map { .spaces(indent) + $0 }
            }
            lines.append("rules")
            for rule in rules {
              let tools = rule.tools.map { "\($0)" }.joined(separator: ", ")
              let by = rule.principals.isEmpty ? "" : " by " + rule.principals.map { "\($0)" }.joined(separator: ", ")
              let title: Shown = "\(rule.id, .strong): \(rule.effect.rawValue) \(tools)\(by)\(rule.clause.map { " (\($0))" } ?? "")"
              lines += title.wrapped(to: width - 2).map { "  \($0)" }
              if let condition = rule.condition { lines += Shown("when \(condition)", .faint).wrapped(to: width - 4).map { "    \($0)" } }
            }
            return lines
          })
      }
    })
}

extension Workspace {
  /// Says that a process has no release, naming the nearest one.
  static func unknownProcess(_ name: String, _ shared: SharedState) -> CommandError {
    let nearest = nearestName(to: name, in: shared.processes).map { "did you mean `\($0)`?" }
    return CommandError(
      .notFound, "process-unknown", "there is no released process `\(visible(name))`",
      hint: nearest ?? "`remit process list` shows what is released; `remit process release \(visible(name))` releases its files")
  }

  /// Makes the first entry of a new store, and takes the people and roles of `Policies/organisation.json5` over where they differ and
  /// `remit person` has changed nothing since they were last taken over.
  ///
  /// - Parameters:
  ///   - organisation: What the file says; nil where there is none.
  ///   - other: Who does it, where it is not who gives the command.
  /// - Returns: What changed, in words; nil where nothing did.
  /// - Throws: ``CommandError`` where the gate refuses; what the store throws.
  @discardableResult
  func takeOrganisation(_ organisation: Directory?, by other: Identity? = nil) async throws -> Shown? {
    let who = other ?? identity
    _ = try await gate.openLog(by: who)
    guard let organisation else { return nil }
    let (current, seed, waiting) = try await store.read { context in
      let shared = try context.shared()
      return (shared.directory, shared.seed, shared.proposals.last { $0.status == .held && $0.tool == BuiltinTool.setDirectory.rawValue })
    }
    // What changed since by `remit person` is not undone by a file that stayed as it was.
    if current == organisation || seed == organisation { return nil }
    if current != seed {
      return "Policies/organisation.json5 was not taken over: people were changed since with `remit person`, which is the way now"
    }
    if let waiting { return "a change of people and roles waits for approval as proposal \(waiting.id)" }
    let outcome = try await gate.setDirectory(organisation, by: who)
    if outcome.verdict == .hold {
      return "the people and roles of Policies/organisation.json5 wait for approval as proposal \(outcome.proposal)"
    }
    guard outcome.verdict == .permit else {
      throw CommandError(
        outcome.exitCode, outcome.refusal?.code ?? "forbidden",
        "the people and roles of `Policies/organisation.json5` could not be taken over: \(outcome.refusal?.message ?? "forbidden")")
    }
    return
      "\(counted(organisation.people.count, "person", "people")) and \(counted(organisation.roles.count, "role")) were taken over from Policies/organisation.json5"
  }
}
