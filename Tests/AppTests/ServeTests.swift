import Audit
import Core
import Foundation
import Glibc
import Governance
import LocalSocket
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import App

/// A service in the test's process, and clients of it; a test says whose account the kernel's number is.
struct Office {
  let shop: Shop
  let service: Service
  let account: Locked<String>

  var folder: String { shop.folder }
  var store: AuditStore<GovernanceLedger> { service.workspace.store }

  /// Serves a released workspace of a team while the body runs.
  static func with(
    governs: String = #"directory: "role:compliance""#, prepare: (Shop) async throws -> Void = { _ in },
    _ body: (Office) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      try shop.addToOrganisation("governs: { \(governs) }, agent_accounts: [\"robot\"],")
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      try await prepare(shop)
      let workspace = try await Workspace.open(folder, .serve, environment: Environment([:]))
      _ = try await workspace.gate.setMode(.team, by: workspace.identity)
      let account = Locked("ben")
      let service = Service(workspace, own: geteuid(), account: { _ in account.withLock { $0 } })
      let server = try SocketServer(
        try UnixListener(path: ServicePlace.inWorkspace(folder)), refusal: { Service.refusal(CommandError(describing: $0)) },
        handler: { await service.serve($0) })
      let task = Task { await server.run() }
      let result: Result<Void, any Error>
      do { result = .success(try await body(Office(shop: shop, service: service, account: account))) } catch { result = .failure(error) }
      server.stop()
      await task.value
      await workspace.close()
      try result.get()
    }
  }

  /// Gives a command as the person of an account.
  func run(as account: String, _ words: String...) async -> Transcript {
    self.account.withLock { $0 = account }
    return await shop.run(words)
  }

  func json(as account: String, _ words: String...) async throws -> JSON {
    self.account.withLock { $0 = account }
    return try await shop.run(words + ["--json"]).json()
  }

  /// A frame-by-frame client.
  func connect(as account: String, _ words: [String], terminal: Terminal = Terminal()) throws -> UnixConnection {
    self.account.withLock { $0 = account }
    let connection = try UnixConnection.connect(to: ServicePlace.inWorkspace(folder))
    try connection.send(Hello(arguments: words, workspace: folder, terminal: terminal).json)
    return connection
  }

  /// A proposal that ben may decide on; dora asks for it.
  func held() async throws -> String {
    account.withLock { $0 = "dora" }
    _ = try await shop.vendor(Shop.large)
    _ = await run(as: "ben", "agent", "work")
    let inbox = try await json(as: "ben", "inbox")
    return try #require(inbox["held"]?.arrayValue?.first?["id"]?.stringValue)
  }

  /// The entries of a type.
  func entries(_ type: String) async throws -> [Entry] {
    try await store.read { view in
      var found: [Entry] = []
      try view.forEachSharedEntry(in: 0..<view.head.size) { if $0.type == type { found.append($0) } }
      return found
    }
  }
}

extension Shop {
  /// Adds members to `organisation.json5`.
  func addToOrganisation(_ text: String) throws {
    let path = "\(folder)/Policies/organisation.json5"
    let old = try String(contentsOfFile: path, encoding: .utf8)
    let end = try #require(old.lastIndex(of: "}"))
    try (old[..<end] + text + "\n}\n").write(toFile: path, atomically: true, encoding: .utf8)
  }
}

@Suite("Commands through the service") struct ServeTests {
  @Test func anIdentityIsThePeersAndNothingElse() async throws {
    try await Office.with { office in
      office.account.withLock { $0 = "dora" }
      let words = ["run", "start", "vendor-onboarding", "--json"] + Shop.large.flatMap { ["-f", $0] }
      let variables = [
        "REMIT_WORKSPACE": office.folder, "USER": "ana", "LOGNAME": "ana", "HOME": "/home/ana", "REMIT_USER": "ana", "REMIT_ACCOUNT": "ana",
        "SUDO_USER": "ana",
      ]
      let started = await transcript(words, commands: .remit, environment: variables)
      #expect(started.exit == 0, "\(started)")
      let run = try #require(try started.json()["id"]?.stringValue)
      let history = try await office.store.read { try $0.history(of: run) }
      let entry = try #require(history.first)
      let identity = try #require(entry.body["identity"])
      #expect(entry.principal == "user:dora")
      #expect(identity == ["account": "dora", "by": "user:dora", "mode": "socket", "uid": .int(Int(geteuid()))], "\(identity.text())")
      for flag in ["--as", "--user", "--account", "--identity", "--uid"] {
        #expect(await office.run(as: "dora", "inbox", flag, "ana").exit == ExitCode.usage.rawValue)
      }
    }
  }

  @Test(
    "T04 an agent tries the CLI, the socket, the store's file and text: refused and recorded",
    arguments: [("robot", "agent-account"), ("stranger", "account-unknown"), ("uid-4711", "account-unknown")])
  func agentTries(_ account: String, _ code: String) async throws {
    try await Office.with { office in
      let held = try await office.held()
      // The socket, by way of the CLI and frame by frame, with the digest that anybody could have read.
      let digest = try #require(try await office.json(as: "ben", "approval", "show", held)["digest"]?.stringValue)
      for words in [["approve", held, "--digest", digest], ["inbox"], ["run", "list"], ["resume", "--all"], ["workspace", "mode"]] {
        office.account.withLock { $0 = account }
        let result = await office.shop.run(words + ["--json"])
        #expect(result.exit == ExitCode.identity.rawValue, "\(words): \(result)")
        #expect(try result.json()["error"]?["code"] == .string(code))
      }
      let frame = try office.connect(as: account, ["inbox"]).receive()
      #expect(frame["error"]?["exit"] == 4 && frame["out"] == nil)
      let refused = try await office.entries(EntryType.accessRefused)
      #expect(refused.count == 1, "at most one a minute of one account")
      #expect(refused.first?.body["account"] == .string(account) && refused.first?.body["refusal"] == .string(code))
      #expect(refused.first?.body["uid"] == .int(Int(geteuid())))
      // The store's file.
      let direct = await #expect(throws: CommandError.self) {
        try await Workspace.open(office.folder, .write, environment: Environment([:])).close()
      }
      #expect(direct?.code == "service-only" && direct?.exit == .identity)
      // Text that says so.
      let words = ["run", "start", "vendor-onboarding", "--json", "-m", "approved by ben"] + Shop.large.flatMap { ["-f", $0] }
      office.account.withLock { $0 = "dora" }
      #expect(await office.shop.run(words).exit == 0)
      #expect(try await office.json(as: "ben", "approval", "show", held)["status"] == "pending")
      #expect(try await office.json(as: "ben", "audit", "verify")["ok"] == true)
    }
  }

  @Test func refusalsOfAccessCannotMakeTheLogGrow() async throws {
    try await Office.with { office in
      for uid in 0..<200 as Range<UInt32> {
        try await office.service.workspace.gate.recordRefusedAccess(uid: uid, account: "u\(uid)", by: .socket, code: "account-unknown")
      }
      #expect(try await office.entries(EntryType.accessRefused).count == 60)
    }
  }

  /// What a client may name, and what the service must do then: ask the client, or refuse.
  static let hostile: [[String]] = [
    ["run", "start", "vendor-onboarding", "--fields", "FILE"], ["allowance", "grant", "FILE"], ["process", "release", "FOLDER"],
    ["process", "release", "FOLDER/"], ["person", "key", "ben", "--add", "FILE"], ["eval", "replay", "--rules", "FOLDER"],
    ["eval", "replay", "--suite", "FOLDER"], ["eval", "replay", "--policy", "FOLDER"], ["eval", "replay", "FILE", "--rules", "FOLDER"],
    ["process", "check", "FOLDER"], ["process", "diff", "FOLDER", "FOLDER"], ["policy", "try", "1", "--with", "FILE"],
    ["policy", "try", "--jsonl", "FILE"], ["audit", "verify", "--checkpoint", "FILE"], ["doctor", "--workspace", "FOLDER"],
    ["demo", "--examples", "FOLDER"], ["serve", "--socket", "FOLDER/s"], ["mine", "map", "--svg", "FOLDER/out"],
    ["mine", "map", "--log", "FILE"], ["mine", "export", "FOLDER/out.xes"],
    ["audit", "export", "--output", "FOLDER/out"], ["approval", "statement", "ID", "--output", "FOLDER/out"],
    ["approval", "edit", "ID", "--arguments", "FILE", "--digest", "DIGEST"], ["inbox", "--workspace", "FOLDER"],
    ["step", "complete", "RUN", "collect", "-e", "contract=FILE"], ["audit", "checkpoint", "--workspace", "FOLDER"],
  ]

  @Test("T30 the service reads and writes no file with its own rights for a client") func confusedDeputy() async throws {
    try await Office.with { office in
      let held = try await office.held()
      let card = try await office.json(as: "ben", "approval", "show", held)
      let secret = "\(office.folder)/secret"
      try FileTree.makeFolder(secret)
      for name in ["file", "process.json5", "rules.json5", "suite.json5", "tools.jsonl"] {
        try RegularFile.writeAtomically(Array(#"{ canary: "canary-4711" }"#.utf8), to: "\(secret)/\(name)")
      }
      for words in Self.hostile {
        let named = words.map { word in
          word.replacingOccurrences(of: "FILE", with: "\(secret)/file").replacingOccurrences(of: "FOLDER", with: secret)
            .replacingOccurrences(of: "DIGEST", with: card["digest"]?.stringValue ?? "")
            .replacingOccurrences(of: "RUN", with: card["run"]?.stringValue ?? "").replacingOccurrences(of: "ID", with: held)
        }
        // A client that gives nothing away: what comes back then is the service's own.
        let client = try office.connect(as: "ben", named)
        var said = ""
        while true {
          let frame = try client.receive(limit: 64 << 20)
          for key in ["out", "err"] {
            if let text = frame[key]?.stringValue { said += String(decoding: Base64.decode(text) ?? [], as: UTF8.self) }
          }
          if frame["exit"] != nil { break }
          if ["read", "folder", "process", "evidence", "write"].contains(where: { frame[$0] != nil }) {
            try client.send(Service.refusal(CommandError(.notFound, "no", "the client gives nothing away")))
          }
        }
        #expect(!said.contains("canary-4711"), "\(words): \(said)")
        #expect(!FileTree.exists("\(secret)/out") && !FileTree.exists("\(secret)/s"), "\(words)")
      }
      let entries = try await office.store.read { view in
        var text = ""
        try view.forEachEntry(in: 0..<view.head.size, of: nil) { entry in
          for part in entry.content { text += String(decoding: part.bytes ?? [], as: UTF8.self) }
        }
        return text
      }
      #expect(!entries.contains("canary-4711"))
    }
  }

  /// Files of commands that may touch files by themselves: they run where the files are, or only say what a path's media type is.
  static let ownFiles: Set = [
    "DemoCommand.swift", "DoctorCommand.swift", "InitCommands.swift", "EvalCommands.swift", "PolicyCommands.swift",
    "ProcessDiffCommand.swift", "ProcessCommands.swift", "ServeCommand.swift", "StepCommands.swift", "AuditCommands.swift",
    "EvalSuiteCommands.swift",
  ]

  @Test func commandsReachFilesAndPeopleThroughTheirFront() throws {
    let folder = "\(Session.root)/Sources/App/Commands"
    for name in FileTree.names(in: folder) ?? [] where !Self.ownFiles.contains(name) {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      for word in ["RegularFile.", "FileTree.", "StandardInput.", "Prompt(", "Pager(", "Evidence.file", "getenv", "SSHKeygen."] {
        #expect(!text.contains(word), "\(name) uses `\(word)`")
      }
    }
  }

  @Test(
    "a client hands over nothing that its command line does not name",
    arguments: [
      #"{"read": "/etc/passwd", "maximum": 4096}"#, #"{"folder": "/etc"}"#, #"{"process": "/etc"}"#, #"{"evidence": "/etc/passwd"}"#,
      #"{"write": "/tmp/remit-planted", "mode": 420, "folder": false}"#, #"{"sign": "eA==", "known": []}"#,
      #"{"sign": "cmVtaXQgYXBwcm92YWwgc3RhdGVtZW50IHYxCnByb3Bvc2FsIHAtMQo=", "known": []}"#, #"{"something": 1}"#,
    ])
  func hostileService(_ request: String) async throws {
    try await withTemporaryDirectory { folder in
      try FileTree.makeFolder("\(folder)/\(Workspace.stateFolder)")
      let answers = Locked<[JSON]>([])
      let server = try SocketServer(
        try UnixListener(path: ServicePlace.inWorkspace(folder)), refusal: { _ in [:] },
        handler: { connection in
          guard (try? connection.receive()) != nil, let frame = try? JSON.parse(Array(request.utf8)) else { return }
          try? connection.send(frame)
          if let answer = try? connection.receive(seconds: 5) { answers.withLock { $0.append(answer) } }
          try? connection.send(["exit": 0])
        })
      let task = Task { await server.run() }
      let result = await transcript(["inbox"], commands: .remit, environment: ["REMIT_WORKSPACE": folder])
      #expect(result.exit == 0)
      let answer = try #require(answers.withLock { $0.first })
      #expect(answer["error"]?["code"] == (request.contains("something") ? "not-understood" : "not-named"), "\(answer.text())")
      #expect(!FileTree.exists("/tmp/remit-planted"))
      server.stop()
      await task.value
    }
  }

  @Test func aPersonAtATerminalIsShownTheCardAndAskedThere() async throws {
    try await Office.with { office in
      let held = try await office.held()
      let terminal = Terminal(inputIsTerminal: true, outputIsTerminal: true, wordsAreTerminal: true)
      for isRight in [false, true] {
        let client = try office.connect(as: "ben", ["approve", held], terminal: terminal)
        let page = try #require(try client.receive()["page"]?.arrayValue)
        let lines = page.map { Shown(json: $0).plain }
        #expect(lines.contains { $0.contains("Sable Furniture SRL") })
        let code = try #require(lines.first { $0.contains("  code ") }?.split(separator: " ").last)
        try client.send(["seen": true])
        #expect(try client.receive()["ask"] != nil)
        try client.send(["answer": .string(isRight ? String(code) : "nope")])
        var exit: JSON?
        while exit == nil { exit = try client.receive()["exit"] }
        #expect(exit == (isRight ? 0 : 8))
      }
    }
  }

  @Test func clientsThatGoAwayGiveTheirPlacesBack() async throws {
    try await Office.with { office in
      let held = try await office.held()
      let terminal = Terminal(inputIsTerminal: true, outputIsTerminal: true, wordsAreTerminal: true)
      for _ in 0..<3 {
        var clients: [UnixConnection] = []
        for _ in 0..<SocketLimits.runningPerAccount {
          clients.append(try office.connect(as: "ben", ["approve", held], terminal: terminal))
        }
        for client in clients { #expect(try client.receive()["page"] != nil) }
        // All places of the account are taken: the next one waits for its turn, and has it when another goes.
        let next = try office.connect(as: "ben", ["inbox"])
        #expect(throws: SocketError.self) { _ = try next.receive(seconds: 1) }
        clients = []
        #expect(try next.receive(seconds: 10)["out"] != nil)
      }
      #expect(try await office.json(as: "ben", "approval", "show", held)["status"] == "pending")
    }
  }

  @Test func aReleaseComesFromTheClientsFilesAndUnderTheirName() async throws {
    try await Office.with { office in
      let path = "\(office.folder)/Policies/vendor-onboarding/policy.md"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try (text + "\nOne more line.\n").write(toFile: path, atomically: true, encoding: .utf8)
      #expect(try await office.json(as: "dora", "process", "release", "vendor-onboarding")["verdict"] == "forbid")
      let released = try await office.json(as: "ana", "process", "release", "vendor-onboarding")
      #expect(released["verdict"] == "permit", "\(released.text())")
      let listed = try await office.json(as: "ana", "process", "list")["processes"]?.arrayValue?.first
      #expect(listed?["by"] == "user:ana" && listed?["release"] == released["release"])
      // A file with a mistake is said with the client's own path.
      try "{ nonsense".write(toFile: "\(office.folder)/Policies/vendor-onboarding/rules.json5", atomically: true, encoding: .utf8)
      let broken = await office.run(as: "ana", "process", "release", "vendor-onboarding")
      #expect(broken.exit == 1 && broken.words.contains("\(office.folder)/Policies/vendor-onboarding/rules.json5:"), "\(broken.words)")
      let replay = await office.run(as: "ana", "eval", "replay", "--suite", "activation-limit")
      #expect(replay.exit == 0, "\(replay.words)")
    }
  }

  @Test func filesThatACommandWritesAreTheClients() async throws {
    try await Office.with { office in
      _ = try await office.held()
      let path = "\(office.folder)/map.svg"
      let result = await office.run(as: "ben", "mine", "map", "--svg", path)
      #expect(result.exit == 0, "\(result.words)")
      #expect(try String(contentsOfFile: path, encoding: .utf8).contains("<svg"))
      #expect(await office.run(as: "ben", "mine", "map", "--svg", "\(office.folder)/.remit/x").exit == ExitCode.usage.rawValue)
    }
  }
}

@Suite("Who opens the store for writing") struct ModeTests {
  @Test func goingBackNeedsAnotherPerson() async throws {
    try await Office.with { office in
      let asked = try await office.json(as: "ana", "workspace", "mode", "single-operator", "-m", "moving house")
      #expect(asked["verdict"] == "hold", "\(asked.text())")
      let (id, digest) = (asked["proposal"]?.stringValue ?? "", asked["digest"]?.stringValue ?? "")
      #expect(await office.run(as: "ana", "approve", id, "--digest", digest).exit == ExitCode.identity.rawValue)
      #expect(try await office.json(as: "ben", "workspace", "mode")["mode"] == "team")
      let approved = await office.run(as: "ben", "approve", id, "--digest", digest)
      #expect(approved.exit == 0, "\(approved.words)")
      #expect(try await office.json(as: "ben", "workspace", "mode")["mode"] == "single-operator")
      let decision = try #require(try await office.entries(EntryType.approval).last)
      #expect(decision.body["by"] == "user:ben" && decision.body["mode"] == "socket")
      #expect(decision.body["workspace_mode"] == "single-operator")
      let workspace = try await Workspace.open(office.folder, .write, environment: Environment([:]))
      #expect(workspace.identity.mode == .singleOperator)
      await workspace.close()
      // To a team it goes at once.
      #expect(try await office.json(as: "ben", "workspace", "mode", "team")["verdict"] == "permit")
      #expect(try await office.json(as: "ben", "workspace", "mode", "team")["verdict"] == "forbid")
      #expect(try await office.json(as: "ben", "audit", "verify")["ok"] == true)
    }
  }

  @Test func whatComesByTheFileIsRefusedByTheGateToo() async throws {
    try await Office.with { office in
      let held = try await office.held()
      let gate = office.service.workspace.gate
      let direct = Identity(principal: "user:ben", account: "ben", mode: .singleOperator)
      let outcome = try await gate.setStop("all", true, by: direct)
      #expect(outcome.verdict == .forbid && outcome.refusal?.code == "service-only")
      let digest = try #require(Digest(hex: try await office.json(as: "ben", "approval", "show", held)["digest"]?.stringValue ?? ""))
      let refusal = await #expect(throws: Refusal.self) { try await gate.decide(held, .approve, by: direct, digest: digest) }
      #expect(refusal?.code == "service-only")
      let mark = "single-operator mode"
      #expect(!(await office.run(as: "ben", "approval", "show", held).output.contains(mark)))
    }
  }

  @Test func anAccountOfAgentsIsNobodyAtTheFileEither() throws {
    let directory = Directory(agentAccounts: ["robot"])
    let error = #expect(throws: CommandError.self) { try Account.identity(in: directory, account: "robot") }
    #expect(error?.exit == .identity)
    #expect(try Account.identity(in: directory, account: "eve").isOperator)
    #expect(throws: CommandError.self) { try Account.identity(in: directory, uid: 7, account: "eve", mayOperate: false) }
  }
}

@Suite("The long-lived part of the service", .serialized) struct ServiceProcessTests {
  static let isBuilt = access(Session.program, X_OK) == 0

  /// `remit serve` in a released workspace, while the body runs.
  private func serve(_ shop: Shop, _ words: [String] = []) throws -> (process: Process, output: Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Session.program)
    process.arguments = ["serve", "--workspace", shop.folder] + words
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/tmp"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    return (process, output)
  }

  private func wait(_ seconds: Double = 20, until isSo: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while .now < end {
      if try await isSo() { return true }
      try await Task.sleep(for: .milliseconds(50))
    }
    return false
  }

  private func isServing(_ shop: Shop) -> Bool { (try? UnixConnection.connect(to: ServicePlace.inWorkspace(shop.folder))) != nil }

  @Test("it ends within a second, a killed one is replaced, and there is one at a time", .enabled(if: isBuilt))
  func startAndStop() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      for number in [SIGTERM, SIGKILL, SIGINT] {
        let (process, _) = try serve(shop)
        #expect(try await wait { isServing(shop) })
        let second = try serve(shop).process
        second.waitUntilExit()
        #expect(second.terminationStatus == ExitCode.conflict.rawValue)
        let start = ContinuousClock.now
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(.now - start < .seconds(number == SIGKILL ? 5 : 1.5))
        if number != SIGKILL { #expect(process.terminationStatus == 0 && !FileTree.exists(ServicePlace.inWorkspace(folder))) }
      }
      var status = stat()
      #expect(stat("\(folder)/.remit/store.sqlite", &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(stat("\(folder)/.remit", &status) == 0 && status.st_mode & 0o777 == 0o710)
      // The directory has people with accounts, so the workspace is a team's from then on.
      #expect(await shop.run("run", "start", "vendor-onboarding").exit == ExitCode.identity.rawValue)
      #expect(try await shop.json("audit", "verify")["ok"] == true)
    }
  }

  @Test("agents do their steps while it runs", .enabled(if: isBuilt)) func work() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let run = try await shop.vendor(Shop.large)
      let (process, _) = try serve(shop)
      #expect(
        try await wait {
          let workspace = try await Workspace.open(folder, .read, environment: Environment([:]))
          let state = try await workspace.store.read { try $0.run(run)?.state }
          await workspace.close()
          return state?.field("risk") != nil
        })
      kill(process.processIdentifier, SIGTERM)
      process.waitUntilExit()
    }
  }

  @Test("another account of the machine is refused, with its own number in the record", .enabled(if: isBuilt && geteuid() == 0))
  func anotherAccount() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let program = "\(folder)/remit"
      try FileManager.default.copyItem(atPath: Session.program, toPath: program)
      for path in [folder, program] { chmod(path, 0o755) }
      let (process, _) = try serve(shop, ["--group", "nogroup", "--no-work"])
      #expect(try await wait { isServing(shop) })
      let client = Process()
      client.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
      client.arguments = ["--reuid", "65534", "--regid", "65534", "--clear-groups", program, "inbox", "--workspace", folder]
      client.environment = ["PATH": "/usr/bin:/bin", "USER": "ben", "REMIT_USER": "ben"]
      client.standardError = FileHandle.nullDevice
      try client.run()
      client.waitUntilExit()
      #expect(client.terminationStatus == ExitCode.identity.rawValue)
      kill(process.processIdentifier, SIGTERM)
      process.waitUntilExit()
      let exported = await shop.run("audit", "export", "--without-content").output
      #expect(exported.contains(#"\"type\":\"access.refused@1\""#) && exported.contains(#"\"uid\":65534"#), "\(exported.suffix(600))")
    }
  }

  @Test func whatIsStuckIsTriedMoreAndMoreRarely() {
    let start = ContinuousClock.now
    var pause = ServicePause()
    #expect(pause.isOver(size: 1, at: start))
    pause.begin(size: 2, isStuck: false, at: start)
    #expect(!pause.isOver(size: 2, at: start + .seconds(1)))
    #expect(pause.isOver(size: 3, at: start + .seconds(1)), "the log has grown")
    #expect(pause.isOver(size: 2, at: start + ServicePause.usual))
    for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
      pause.begin(size: 2, isStuck: true, at: start)
      #expect(!pause.isOver(size: 99, at: start + .seconds(seconds - 1)))
      #expect(pause.isOver(size: 2, at: start + .seconds(seconds)))
    }
  }
}
