internal import AgentRuntime
internal import Audit
internal import Core
internal import Glibc
internal import Governance
internal import Storage

/// `remit doctor`: what is wrong with a workspace, and what to do about it.
enum DoctorCommand {
  static let all = [doctor]

  static let doctor = Command(
    path: ["doctor"], summary: "look for what is wrong with a workspace; rebuild the tables that follow from the log",
    details: """
      Compares the tables that follow from the log with it, all of them, where the log has at most 20000 entries; of a longer one it says that
      it did not. Evidence and the file's pages are left to `remit audit verify`.
      """,
    examples: [
      .init("remit doctor", "look, change nothing"),
      .init("remit doctor --rebuild", "make the tables again from the log"),
    ],
    options: [.flag("rebuild", "drop the projections and make them again from the log")],
    place: { _ in .local },
    run: { context in
      let folder = context.workspacePath
      var checks = Checks()
      checks.files(in: folder)
      checks.settings(in: folder, environment: context.environment)
      let isRebuilding = context.arguments.flag("rebuild")
      var digests: [(name: String, digest: Digest)] = []
      do {
        let workspace = try await Workspace.open(folder, isRebuilding ? .write : .read, environment: context.environment)
        if isRebuilding {
          let before = try await workspace.store.projectionDigests()
          try await Progress.during("rebuilding", on: context.console) { try await workspace.store.rebuildProjections() }
          digests = try await workspace.store.projectionDigests()
          let isSame = zip(before, digests).allSatisfy { $0.digest == $1.digest }
          checks.add(
            "projections", true, isSame ? "rebuilt; they are what they were, byte for byte" : "rebuilt; they were not what the log says")
        } else {
          digests = try await workspace.store.projectionDigests()
          try await checks.projections(workspace, on: context.console)
        }
        try await checks.schema(workspace)
        try await checks.store(workspace)
        if let settings = try? Settings(folder: folder, environment: context.environment) {
          for problem in try await workspace.unpricedBudgets(settings) { checks.add("budget", false, problem) }
        }
        await workspace.close()
      } catch {
        let described = CommandError(describing: error)
        checks.add("store", false, described.message, described.hint)
      }
      let all = checks.all
      let isGood = all.allSatisfy(\.isGood)
      let names = digests
      return CommandResult(
        exit: isGood ? .done : .failed,
        json: [
          "ok": .bool(isGood),
          "checks": .array(
            all.map { check in
              var member: JSONObject = ["check": .string(check.name), "ok": .bool(check.isGood), "detail": .string(check.detail)]
              member["hint"] = check.hint.map { .string($0) }
              return .object(member)
            }),
          "projections": .array(names.map { ["name": .string($0.name), "sha256": .string($0.digest.hex)] }),
        ],
        lines: { width in
          var table = Table([.init("Check"), .init(""), .init("What was found", wraps: true)])
          for check in all {
            let hint = check.hint.map { "; \($0)" } ?? ""
            table.add([Shown(check.name), check.isGood ? "\("good", .good)" : "\("bad", .bad)", Shown(check.detail + hint)])
          }
          return table.lines(width: width)
        })
    })
}

/// The findings of the doctor, in the order in which it looks.
private struct Checks {
  struct Check: Sendable {
    var name: String
    var isGood: Bool
    var detail: String
    var hint: String?
  }

  private(set) var all: [Check] = []

  mutating func add(_ name: String, _ isGood: Bool, _ detail: String, _ hint: String? = nil) {
    all.append(Check(name: name, isGood: isGood, detail: detail, hint: hint))
  }

  /// The files that people write.
  mutating func files(in folder: String) {
    var status = stat()
    let state = "\(folder)/\(Workspace.stateFolder)"
    if lstat(state, &status) == 0 {
      let mode = status.st_mode & 0o777
      let isMine = access(state, R_OK | W_OK | X_OK) == 0
      let hint =
        isMine
        ? "others can \(mode & 0o022 == 0 ? "look into" : "write to") the store's folder: `chmod 700 \(state)`"
        : "you may not write to the store's folder: work as its owner"
      // A service lets others pass through the folder to its socket; then the store's file itself must be closed to them.
      var store = stat()
      let isOpen = mode & 0o067 != 0 || (mode & 0o010 != 0 && stat("\(state)/store.sqlite", &store) == 0 && store.st_mode & 0o077 != 0)
      let isGood = !isOpen && isMine
      add("permissions", isGood, "\(state) has mode \(String(mode, radix: 8))", isGood ? nil : hint)
    }
    do {
      let directory = try Workspace.organisation(in: folder)
      add(
        "organisation", true,
        directory.map { "\(counted($0.people.count, "person", "people")), \(counted($0.roles.count, "role"))" }
          ?? "no Policies/organisation.json5")
    } catch {
      add("organisation", false, CommandError(describing: error).message)
    }
    for name in Workspace.processNames(in: folder) {
      do {
        let place = "\(folder)/Policies/\(name)"
        let report = ProcessReport(
          checking: try ProcessFiles(folder: place, prompts: Workspace.promptsFolder(for: place)),
          directory: try? Workspace.organisation(in: folder))
        add(
          "process \(name)", report.isGood, report.isGood ? "its files can be released" : "its files have problems",
          report.isGood ? nil : "`remit process check \(name)`")
      } catch {
        add("process \(name)", false, CommandError(describing: error).message)
      }
    }
  }

  mutating func settings(in folder: String, environment: Environment) {
    do {
      let settings = try Settings(folder: folder, environment: environment)
      let models = settings.models.sorted { bytesLess($0.key, $1.key) }.map { "\($0.key) is \($0.value.model) at \($0.value.endpoint)" }
      add(
        "models", settings.warnings.isEmpty, models.isEmpty ? "none is configured, so agents' steps wait" : models.joined(separator: "; "),
        settings.warnings.first?.description ?? (models.isEmpty ? "set OPENAI_BASE_URL, or write \(Settings.fileName)" : nil))
    } catch {
      add("models", false, CommandError(describing: error).message)
    }
  }

  /// Up to how many entries the tables are compared with the log: about a second.
  private static let comparedEntries = 20_000

  /// The tables that follow from the log: all of them are derived again, unless the log is too long for a quick look.
  mutating func projections(_ workspace: Workspace, on console: Console) async throws {
    let size = try await workspace.store.read { $0.head.size }
    guard size <= Self.comparedEntries else {
      return add(
        "projections", true, "not compared: the log has more than \(Self.comparedEntries) entries; `remit audit verify` compares them")
    }
    var options = VerificationOptions()
    (options.evidence, options.pages) = (false, false)
    let report = try await Progress.during("comparing", on: console) { [options] in try await workspace.store.verify(options) }
    let found = report.problems.filter { $0.kind != .schema }
    let table = found.first { $0.kind == .projection }
    if let other = found.first(where: { $0.kind != .projection }) {
      add("log", false, other.description, "`remit audit verify` names all that does not fit")
    }
    add(
      "projections", table == nil, table?.description ?? "all are what the log says",
      table == nil ? nil : "`remit doctor --rebuild` makes them again")
  }

  /// What the file holds beside its entries.
  mutating func schema(_ workspace: Workspace) async throws {
    let problems = try await workspace.store.schemaProblems()
    if problems.isEmpty { return add("schema", true, "tables, indices and triggers are those of this version") }
    for problem in problems.prefix(10) {
      add("schema", false, problem, "somebody changed the file: `remit audit verify` says whether the log is whole")
    }
  }

  mutating func store(_ workspace: Workspace) async throws {
    let gate = workspace.gate
    let now = TimeSource.system.now()
    struct Seen: Sendable {
      var size = 0
      var last: Instant?
      var stops: [String] = []
      var doubtful = 0
      var problems: [String] = []
      var suspicion: ClockRecord.Suspicion?
      var suspensions: [ToolSuspension] = []
    }
    let seen = try await workspace.store.read { view -> Seen in
      let shared = try view.shared()
      var seen = Seen(size: view.head.size, stops: shared.stops)
      seen.suspicion = shared.clock.suspicion
      seen.suspensions = shared.suspensions
      seen.last = view.head.size > 0 ? try view.entry(at: view.head.size - 1)?.time : nil
      seen.doubtful =
        try view.database.first("SELECT count(*) FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'in-doubt'") { $0.int(0) }
        ?? 0
      for process in shared.processes {
        guard let current = shared.current(process) else { continue }
        do {
          _ = try gate.release(current.digest, in: view)
        } catch {
          seen.problems.append("the release of `\(process)` cannot be used: \(CommandError(describing: error).message)")
        }
      }
      return seen
    }
    add("store", true, "\(counted(seen.size, "entry", "entries"))")
    for problem in seen.problems { add("release", false, problem) }
    for suspension in seen.suspensions {
      add(
        "tools", false, "the tool `\(suspension.tool)` is suspended: \(suspension.text)",
        "look at it; `remit tool accept \(suspension.entry)` or a new release lets it be called again")
    }
    if let suspicion = seen.suspicion {
      add("clock", false, suspicion.why, "nothing is carried out until somebody has looked: `remit clock`")
    } else if let last = seen.last {
      let ahead = last - now
      add(
        "clock", ahead < .seconds(60),
        ahead < .seconds(60) ? "the log's time is not ahead of the clock" : "the log's time is \(ahead.roughText) ahead of the clock",
        ahead < .seconds(60) ? nil : "set the machine's clock")
    }
    add(
      "effects", seen.doubtful == 0, seen.doubtful == 0 ? "none is in doubt" : "\(counted(seen.doubtful, "effect")) in doubt",
      seen.doubtful == 0 ? nil : "`remit inbox` names them, `remit approval settle` says what happened")
    add(
      "stops", seen.stops.isEmpty, seen.stops.isEmpty ? "nothing is stopped" : "stopped: \(seen.stops.joined(separator: ", "))",
      seen.stops.isEmpty ? nil : "`remit resume` lifts a stop")
  }
}
