internal import Audit
internal import Core
internal import Glibc
internal import Governance
internal import LocalSocket
internal import PolicyEngine

/// `remit serve` and `remit workspace mode`.
enum ServeCommand {
  static let all = [serve, mode]

  static let serve = Command(
    path: ["serve"], summary: "keep the store for several people, and let work go on",
    details: """
      Opens the store and listens on a Unix socket; `remit` in the same workspace speaks to it by itself. Who gives a command is whoever has
      the account at the other end, as the kernel says; no option and no variable changes that. Their files, prompts and keys stay with them.
      An account that is nobody's, or under which agents run (`agent_accounts` of organisation.json5), is refused with exit code 4 and
      recorded. Meanwhile decisions that nobody makes expire, timers fire, and agents and tools do their steps.

      Where two people or more have accounts, the workspace is a team's from the first start on: nobody opens the store's file for writing any
      more. `remit workspace mode single-operator` goes back, with the agreement of another person.

      Run it under an account of its own that owns the workspace's folder, with the people in its group. Ends within a second on SIGTERM or
      SIGINT.
      """,
    examples: [
      .init("remit serve --group staff", "the members of a group may connect"),
      .init("remit serve --socket /run/remit/socket", "elsewhere; clients set REMIT_SOCKET"),
      .init("remit serve --no-work", "another process lets agents work"),
    ],
    options: [
      .value("socket", "PATH", "the socket, at most 107 bytes; .remit/socket in the workspace otherwise"),
      .value("group", "NAME", "the group whose members may connect; otherwise the service's own"),
      .flag("no-work", "leave the steps of agents and tools to `remit agent work`"),
      .value("concurrency", "N", "steps at the same time, from 1 to 64; 4 where nothing is said"),
    ],
    place: { _ in .local },
    run: { context in
      let concurrency = try context.arguments.integer("concurrency", in: 1...64) ?? 4
      let group = try context.arguments.option("group").map { try Account.group($0) }
      umask(0o077)
      let stops = StopSignals()
      let workspace = try await Workspace.open(context.workspacePath, .serve, environment: context.environment)
      do {
        try await serve(workspace, group: group, concurrency: concurrency, stops, context)
      } catch {
        await workspace.close()
        throw error
      }
      return CommandResult(json: nil, notes: ["stopped"])
    })

  private static func serve(
    _ workspace: Workspace, group: UInt32?, concurrency: Int, _ stops: StopSignals, _ context: CommandContext
  ) async throws {
    let console = context.console
    let path = try context.arguments.option("socket") ?? ServicePlace.forListening(workspace.folder, context.environment)
    try ServiceFiles(folder: workspace.folder, socket: path, group: group).protect()
    let listener = try UnixListener(path: path, group: group)
    let service = Service(workspace, own: geteuid())
    let server = try SocketServer(
      listener, refusal: { Service.refusal(CommandError(describing: $0)) }, handler: { await service.serve($0) })
    do {
      let warnings = try await workspace.becomeTeam()
      for warning in warnings { console.say(Shown.message(warning, .caution)) }
      let (loop, settings) = try workspace.workLoop(concurrency: concurrency)
      for warning in settings.warnings { console.say(Shown.message(warning.description, .caution)) }
      let isTeam = try await workspace.store.read { try $0.shared().isTeam }
      let mode: WorkspaceMode = isTeam ? .team : .singleOperator
      if console.wantsJSON {
        console.write(data: Array((JSON.object(["mode": .string(mode.rawValue), "socket": .string(path)]).text() + "\n").utf8))
      } else {
        console.print("\("serving", .good)  \(path)  (\(mode.rawValue))")
      }
      let work = context.arguments.flag("no-work") ? nil : loop
      try await ServiceKeeper(workspace, server: server, work: work, stops: stops, console: console).run()
    } catch {
      listener.remove()
      throw error
    }
  }

  static let mode = Command(
    path: ["workspace", "mode"], summary: "show or change who opens the store for writing",
    details: """
      team: only `remit serve` does, and people speak to its socket. single-operator: whoever can open the file does, and every record says so.
      A workspace becomes a team's when `remit serve` first starts where two people have accounts. Going back needs the agreement of another
      person: whom `governs.mode` of organisation.json5 names, otherwise anybody who holds a role.
      """,
    examples: [
      .init("remit workspace mode", "what it is"),
      .init("remit workspace mode single-operator -m 'moving house'", "ask to go back"),
    ],
    arguments: [.init(name: "MODE", help: "team or single-operator", isRequired: false)],
    options: [.value("reason", short: "m", "TEXT", "why, for whoever has to agree and for the record")],
    run: { context in
      guard let text = context.arguments.argument("MODE") else {
        return try await context.withWorkspace(.read) { workspace in
          let isTeam = try await workspace.store.read { try $0.shared().isTeam }
          let mode: WorkspaceMode = isTeam ? .team : .singleOperator
          return CommandResult(json: ["mode": .string(mode.rawValue)], lines: { _ in [Shown(mode.rawValue)] })
        }
      }
      let known = WorkspaceMode.allCases.map(\.rawValue)
      guard let mode = WorkspaceMode(rawValue: text) else {
        throw CommandError.usage("`\(visible(text))` is no mode", hint: "one of: \(known.joined(separator: ", "))")
      }
      return try await context.withWorkspace(.write) { workspace in
        let outcome = try await workspace.gate.setMode(mode, reason: context.arguments.option("reason"), by: workspace.identity)
        let now = workspace.now
        return CommandResult(
          exit: outcome.exitCode, json: .object(outcome.json),
          lines: { width in outcome.lines(of: "the workspace's mode: \(mode.rawValue)", now: now).flatMap { $0.wrapped(to: width) } })
      }
    })
}

extension Workspace {
  /// Makes the workspace a team's where two people or more have accounts.
  ///
  /// - Returns: What nobody could do then, in words.
  fileprivate func becomeTeam() async throws -> [String] {
    let (directory, isTeam) = try await store.read { view in
      let shared = try view.shared()
      return (shared.directory, shared.isTeam)
    }
    guard directory.people.count(where: { !$0.accounts.isEmpty }) >= 2 else { return [] }
    if !isTeam {
      let outcome = try await gate.setMode(.team, by: identity)
      guard outcome.verdict == .permit else {
        let why = outcome.refusal?.message ?? "forbidden"
        throw CommandError(outcome.exitCode, "not-team", "the workspace cannot become a team's: \(why)")
      }
    }
    let missing = [WorkspaceTopic.directory, .stops].filter { directory.governs[$0] == nil }
    if missing.isEmpty { return [] }
    let names = missing.map { "governs.\($0.rawValue)" }.joined(separator: " and ")
    return [
      "organisation.json5 has no \(names): as long as a team has the workspace, nobody can "
        + (missing.contains(.directory) ? "change people and roles" : "lift a stop")
    ]
  }
}

/// The files of a store that a service keeps: its own alone, but for the socket.
private struct ServiceFiles {
  let folder: String
  let socket: String
  let group: UInt32?

  /// Takes all rights from others, and lets those who may connect reach the socket, but not look around.
  ///
  /// - Throws: ``FileError``.
  func protect() throws {
    let state = "\(folder)/\(Workspace.stateFolder)"
    for name in FileTree.names(in: state) ?? [] {
      let path = "\(state)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try set(0o700, of: path)
      case S_IFREG: try set(status.st_mode & 0o700, of: path)
      default: break
      }
    }
    guard socket == ServicePlace.inWorkspace(folder) else { return }
    if let group, chown(state, uid_t.max, group) != 0 { throw problem("give to the group", state) }
    try set(0o710, of: state)
  }

  private func set(_ mode: mode_t, of path: String) throws {
    if chmod(path, mode) != 0 { throw problem("change the rights of", path) }
  }

  private func problem(_ what: String, _ path: String) -> FileError {
    FileError(.system, path: path, "cannot \(what) it: \(String(cString: strerror(errno)))")
  }
}

extension Account {
  /// The number of a group.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func group(_ name: String) throws -> UInt32 {
    var entry = Glibc.group()
    var found: UnsafeMutablePointer<Glibc.group>?
    var buffer = [CChar](repeating: 0, count: 65_536)
    guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      throw CommandError(.notFound, "group-unknown", "there is no group `\(visible(name))`")
    }
    return entry.gr_gid
  }
}
