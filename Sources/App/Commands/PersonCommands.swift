internal import Audit
internal import Core
internal import Governance
internal import ProcessModel

/// `remit person …`: who works here, what they may decide, and who decides in their place.
enum PersonCommands {
  static let all = [list, show, put, leave, key, absent, delegate, end]

  private static let id = Command.Positional(name: "ID", help: "the person's id, without `user:`")
  private static let why = Command.Option.value("reason", short: "m", "TEXT", "why, for whoever has to agree and for the record")
  private static let changes = """
    The directory is a governed record: each change is a proposal with its own entry. Where `governs.directory` of organisation.json5 names
    somebody, they have to agree, and never the one who proposed it or whom it is about. Absences and delegations of your own need nobody.
    """

  static let list = Command(
    path: ["person", "list"], summary: "list the people, their roles and who is away",
    examples: [.init("remit person list", "everybody"), .init("remit person list --json", "for programs")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let directory = try await workspace.store.read { try $0.shared().directory }
        let now = workspace.now
        return CommandResult(
          json: ["people": .array(directory.people.map { $0.shown(in: directory, at: now).json })],
          lines: { width in
            var table = Table(["Person", "Name", "Roles", "Manager", "Away until"].map { .init($0) })
            for person in directory.people {
              let absence = directory.absence(of: person.id, at: now)
              table.add([
                Shown(person.id, .strong), Shown(person.name), Shown(person.roles.joined(separator: ", ")), Shown(person.manager ?? ""),
                Shown(absence.map { $0.until.relativeText(to: now) } ?? ""),
              ])
            }
            return directory.people.isEmpty ? ["there is nobody in the directory"] : table.lines(width: width)
          })
      }
    })

  static let show = Command(
    path: ["person", "show"], summary: "show a person: roles, accounts, keys, absences, delegations",
    examples: [.init("remit person show ben", "all that the directory has about ben")],
    arguments: [id],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let directory = try await workspace.store.read { try $0.shared().directory }
        let person = try directory.named(try context.arguments.required("ID"))
        let now = workspace.now
        let view = person.shown(in: directory, at: now)
        return CommandResult(json: view.json, lines: { width in view.lines(width: width) })
      }
    })

  static let put = Command(
    path: ["person", "put"], summary: "add a person, or change what the directory has about one",
    details: changes,
    examples: [
      .init("remit person put pia --role finance --account pia --manager kira", "a new person"),
      .init("remit person put ben --role finance --role manager -m 'stands in for Kira'", "all roles that ben has from now on"),
    ],
    arguments: [id],
    options: [
      .value("name", "TEXT", "the name that people read"),
      .value("role", "ROLE", repeats: true, "a role; all that they hold from now on have to be given"),
      .value("account", "NAME", repeats: true, "an account of the operating system; all of them"),
      .value("manager", "ID", "whom they report to; `none` for nobody"), why,
    ],
    run: { context in
      let arguments = context.arguments
      let id = try arguments.required("ID")
      return try await change(context) { _, directory in
        let old = directory.person("user:\(id)")
        let (roles, accounts) = (arguments.all("role"), arguments.all("account"))
        let manager = arguments.option("manager")
        let person = Directory.Person(
          id: id, name: arguments.option("name") ?? old?.name ?? id, roles: roles.isEmpty ? old?.roles ?? [] : roles,
          accounts: accounts.isEmpty ? old?.accounts ?? [] : accounts,
          manager: manager == nil ? old?.manager : manager == "none" ? nil : manager, keys: old?.keys ?? [])
        if let old, old == person { throw CommandError.usage("nothing of `\(id)` would change") }
        return (.putPerson(person), old == nil ? "new person \(id)" : "change of \(id)")
      }
    })

  static let leave = Command(
    path: ["person", "leave"], summary: "take a person out of the directory",
    details: changes
      + "\nApprovals that they gave count no more for what has not begun yet; who reported to them reports to their manager.",
    examples: [.init("remit person leave emil -m 'left the company'", "emil decides nothing from now on")],
    arguments: [id], options: [why],
    run: { context in
      let id = try context.arguments.required("ID")
      return try await change(context) { _, directory in (.leave(try directory.named(id).id), "leave of \(id)") }
    })

  static let key = Command(
    path: ["person", "key"], summary: "give a person a key for signing, or take one away",
    details: changes,
    examples: [
      .init("remit person key ben --add ~/.ssh/id_ed25519.pub", "from now on ben can sign with it"),
      .init("remit person key ben --remove SHA256:…", "it counts no more, also for approvals that wait"),
    ],
    arguments: [id],
    options: [
      .value("add", "FILE", "a public key, one line of OpenSSH's"), .value("remove", "FINGERPRINT", "the key, as `ssh-keygen -l` names it"),
      why,
    ],
    run: { context in
      let id = try context.arguments.required("ID")
      let (file, fingerprint) = (context.arguments.option("add"), context.arguments.option("remove"))
      guard (file == nil) != (fingerprint == nil) else { throw CommandError.usage("give `--add FILE` or `--remove FINGERPRINT`") }
      var text = ""
      if let file { text = String(decoding: try await context.front.read(file, maximumBytes: 16_384), as: UTF8.self) }
      return try await change(context) { [text] _, directory in
        let person = try directory.named(id)
        if let fingerprint { return (.removeKey(person: person.id, fingerprint: fingerprint), "end of a key of \(id)") }
        guard let line = text.split(whereSeparator: \.isNewline).first, let key = PublicKey(line: String(line)) else {
          throw CommandError.usage("`\(visible(file ?? ""))` holds no public key", hint: "take the `.pub` file, not the private key")
        }
        return (.addKey(person: person.id, key), "key of \(id): \(key.fingerprint)")
      }
    })

  static let absent = Command(
    path: ["person", "absent"], summary: "say when a person is away, and who decides meanwhile",
    details: changes,
    examples: [
      .init("remit person absent ben --until 2026-12-24 --deputy kira", "from now on kira may decide for ben"),
      .init("remit person absent ben --from 2026-12-01 --until 2026-12-24", "nobody stands in"),
    ],
    arguments: [id],
    options: [from, until, .value("deputy", "ID", "who may decide in their place meanwhile"), why],
    run: { context in
      let id = try context.arguments.required("ID")
      let name = context.arguments.option("deputy")
      return try await change(context) { workspace, directory in
        let (from, until) = try span(context, now: workspace.now)
        let absence = Directory.Absence(
          id: workspace.gate.mintID(prefix: "a"), person: try directory.named(id).id, from: from, until: until,
          deputy: try name.map { try directory.named($0).id })
        return (.putAbsence(absence), "absence of \(id) until \(until.iso8601): \(absence.id)")
      }
    })

  static let delegate = Command(
    path: ["person", "delegate"], summary: "let another person decide in one's place for some time",
    details: changes
      + "\nBoth names are recorded with each decision. What was delegated cannot be passed on; who asked for something stays excluded.",
    examples: [
      .init("remit person delegate ben kira --until 2026-12-24 -m holidays", "all that ben may decide"),
      .init("remit person delegate ben kira --role finance --until 2026-12-24", "only this"),
    ],
    arguments: [id, .init(name: "TO", help: "who may decide in their place")],
    options: [
      from, until, .value("role", "ROLE", repeats: true, "only this role of theirs"),
      .value("process", "ID", repeats: true, "only for this process"), why,
    ],
    run: { context in
      let (id, other) = (try context.arguments.required("ID"), try context.arguments.required("TO"))
      return try await change(context) { workspace, directory in
        let (from, until) = try span(context, now: workspace.now)
        let delegation = Directory.Delegation(
          id: workspace.gate.mintID(prefix: "d"), from: try directory.named(id).id, to: try directory.named(other).id,
          roles: context.arguments.all("role"), processes: context.arguments.all("process"), since: from, until: until,
          reason: context.arguments.option("reason"))
        return (.putDelegation(delegation), "delegation of \(id) to \(other) until \(until.iso8601): \(delegation.id)")
      }
    })

  static let end = Command(
    path: ["person", "end"], summary: "end an absence or a delegation before its time",
    details: changes,
    examples: [.init("remit person end d-1m84sxxnvdcbwfygksj", "the delegation of that id; `remit person show` has the ids")],
    arguments: [.init(name: "ID", help: "the id of an absence or a delegation")], options: [why],
    run: { context in
      let id = try context.arguments.required("ID")
      return try await change(context) { _, directory in
        if directory.absences.contains(where: { bytesEqual($0.id, id) }) { return (.endAbsence(id), "end of the absence \(id)") }
        if directory.delegations.contains(where: { bytesEqual($0.id, id) }) { return (.endDelegation(id), "end of the delegation \(id)") }
        let known = directory.absences.map(\.id) + directory.delegations.map(\.id)
        throw CommandError(
          .notFound, "nothing-to-end", "there is no absence or delegation `\(visible(id))`",
          hint: nearestName(to: id, in: known).map { "did you mean `\($0)`?" } ?? "`remit person show PERSON` lists them")
      }
    })

  // MARK: Changing

  private static let from = Command.Option.value("from", "TIME", "when it begins, such as 2026-12-01T08:00:00Z; now where it is missing")
  private static let until = Command.Option.value("until", "TIME", "when it ends")

  private static func span(_ context: CommandContext, now: Instant) throws -> (from: Instant, until: Instant) {
    func time(_ name: String) throws -> Instant? {
      guard let text = context.arguments.option(name) else { return nil }
      if let time = Instant(iso8601: text) ?? Instant(iso8601: "\(text)T00:00:00Z") { return time }
      throw CommandError.usage("`--\(name) \(visible(text))` is no time", hint: "write it as 2026-12-24T00:00:00Z, or 2026-12-24")
    }
    guard let until = try time("until") else { throw CommandError.usage("`--until TIME` is missing", hint: "nothing is given for ever") }
    return (try time("from") ?? now, until)
  }

  /// Proposes one change, and says what became of it.
  private static func change(
    _ context: CommandContext, _ make: @Sendable (Workspace, Directory) throws -> (DirectoryChange, String)
  ) async throws -> CommandResult {
    try await context.withWorkspace(.write) { workspace in
      let (change, done) = try make(workspace, try await workspace.store.read { try $0.shared().directory })
      let outcome = try await workspace.gate.changeDirectory(
        [change], reason: context.arguments.option("reason"), by: workspace.identity)
      let now = workspace.now
      var json = outcome.json
      json["change"] = change.json
      return CommandResult(
        exit: outcome.exitCode, json: .object(json),
        lines: { width in outcome.lines(of: done, now: now).flatMap { $0.wrapped(to: width) } })
    }
  }
}

/// A person with all that concerns them.
struct PersonView: Sendable {
  let person: Directory.Person
  let absences: [Directory.Absence]
  let given: [Directory.Delegation]
  let taken: [Directory.Delegation]
  let isAway: Bool

  var json: JSON {
    var object: JSONObject = [
      "person": .string(person.id), "name": .string(person.name), "roles": .array(person.roles.map { .string($0) }),
      "accounts": .array(person.accounts.map { .string($0) }), "away": .bool(isAway),
    ]
    object["manager"] = person.manager.map { .string($0) }
    object["keys"] = .array(person.keys.map { ["fingerprint": .string($0.fingerprint), "key": .string($0.line)] })
    object["absences"] = .array(absences.map { DirectoryChange.putAbsence($0).json["absence"] ?? .null })
    object["delegations"] = .array((given + taken).map { DirectoryChange.putDelegation($0).json["delegation"] ?? .null })
    return .object(object)
  }

  func lines(width: Int) -> [Shown] {
    var rows: [(String, Shown)] = [
      ("roles", Shown(person.roles.joined(separator: ", "))), ("accounts", Shown(person.accounts.joined(separator: ", "))),
      ("manager", Shown(person.manager ?? "none")),
    ]
    for key in person.keys { rows.append(("key", Shown(key.fingerprint))) }
    for absence in absences {
      let deputy = absence.deputy.map { "; \($0) decides meanwhile" } ?? "; nobody stands in"
      rows.append(("away", "\(absence.from.iso8601) to \(absence.until.iso8601)\(deputy)  \(absence.id, .faint)"))
    }
    for delegation in given { rows.append(("lets", "\(delegation.to): \(Self.words(delegation))  \(delegation.id, .faint)")) }
    for delegation in taken { rows.append(("may for", "\(delegation.from): \(Self.words(delegation))  \(delegation.id, .faint)")) }
    let titles = 10
    let lines = rows.flatMap { title, value in
      value.wrapped(to: max(20, width - titles - 2)).enumerated().map { place, line -> Shown in
        "  \(place == 0 ? title : "")\(Shown.spaces(titles - (place == 0 ? title.utf8.count : 0)))\(line)"
      }
    }
    return ["\(person.id, .strong)  \(person.name)"] + lines
  }

  private static func words(_ delegation: Directory.Delegation) -> String {
    let roles = delegation.roles.isEmpty ? "all roles" : delegation.roles.joined(separator: ", ")
    let processes = delegation.processes.isEmpty ? "" : " in \(delegation.processes.joined(separator: ", "))"
    let reason = delegation.reason.map { " (\($0))" } ?? ""
    return "\(roles)\(processes), \(delegation.since.iso8601) to \(delegation.until.iso8601)\(reason)"
  }
}

extension Directory {
  /// The person of an id, with or without `user:`.
  ///
  /// - Throws: ``CommandError`` with the nearest name.
  fileprivate func named(_ id: String) throws -> Person {
    let name = id.hasPrefix("user:") ? String(id.dropFirst(5)) : id
    if let person = person("user:\(name)") { return person }
    throw CommandError(
      .notFound, "person-unknown", "there is nobody called `\(visible(name))` in the directory",
      hint: nearestName(to: name, in: people.map(\.id)).map { "did you mean `\($0)`?" } ?? "`remit person list` shows everybody")
  }

  fileprivate func absence(of person: String, at now: Instant) -> Absence? {
    absences.first { $0.person == person && $0.from <= now && now < $0.until }
  }
}

extension Directory.Person {
  fileprivate func shown(in directory: Directory, at now: Instant) -> PersonView {
    PersonView(
      person: self, absences: directory.absences.filter { $0.person == id && now < $0.until },
      given: directory.delegations.filter { $0.from == id && now < $0.until },
      taken: directory.delegations.filter { $0.to == id && now < $0.until }, isAway: directory.absence(of: id, at: now) != nil)
  }
}
