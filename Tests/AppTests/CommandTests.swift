import Core
import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@testable import App

/// Commands in a workspace of their own, inside the test's process.
struct Shop {
  let folder: String

  /// A workspace with the files that ship and a scripted model.
  init(_ folder: String) throws {
    self.folder = folder
    for name in ["Policies", "Prompts", "Evals"] { try FileTree.copy("\(Session.root)/\(name)", to: "\(folder)/\(name)") }
    try RegularFile.writeAtomically(Array(#"{ models: { default: { script: "analyst" } } }"#.utf8), to: "\(folder)/remit.json5")
    try RegularFile.writeAtomically(Array("%PDF-1.4\n".utf8), to: "\(folder)/contract.pdf")
  }

  func run(_ words: String...) async -> Transcript { await run(words) }

  func run(_ words: [String]) async -> Transcript {
    await transcript(words, commands: .remit, environment: ["REMIT_WORKSPACE": folder, "REMIT_TOOL_NOTHING": "x"])
  }

  func json(_ words: String...) async throws -> JSON { try await run(words + ["--json"]).json() }

  /// Starts a run with those fields and does its first step.
  func vendor(_ fields: [String]) async throws -> String {
    let values = fields.flatMap { ["-f", $0] }
    let started = try await run(["run", "start", "vendor-onboarding", "--json"] + values).json()
    let run = try #require(started["id"]?.stringValue, "\(started.text())")
    let done = try await json(
      "step", "complete", run, "collect", "-f", "registration=HRB1234", "-f", "contact=a@b.example", "-f", "iban=DE89370400440532013000",
      "-e",
      "contract=\(folder)/contract.pdf")
    #expect(done["verdict"] == "permit", "\(done.text())")
    return run
  }

  static let large = [
    "vendor=Sable Furniture SRL", "country=IT", "category=goods", "purchase=Desks", "amount=24000", "personal_data=false",
  ]
}

@Suite struct CommandTests {
  @Test func aStopOfWhatIsNotThereStopsNothingAndSaysSo() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      for scope in ["agent:nobody", "agent:risk-analist", "process:nothing", "run:r-nope"] {
        let stopped = await shop.run("stop", scope)
        #expect(stopped.exit == ExitCode.notFound.rawValue, "\(scope): \(stopped.words)")
      }
      #expect(await shop.run("stop", "team:all").exit == ExitCode.usage.rawValue)
      #expect(try await shop.json("stop", "agent:risk-analyst")["stops"] == ["agent:risk-analyst"])
      #expect(try await shop.json("resume", "--agent", "risk-analyst")["stops"] == [])
      #expect(try await shop.json("stop", "--process", "vendor-onboarding")["stops"] == ["process:vendor-onboarding"])
      #expect(try await shop.json("resume", "--all")["stops"] == [])
      for several in [["--all", "--agent", "risk-analyst"], ["--agent", "risk-analyst", "agent:risk-analyst"], []] {
        #expect(await shop.run(["stop"] + several).exit == ExitCode.usage.rawValue, "\(several)")
      }
      #expect(try await shop.json("stop", "--agent", "risk-analyst")["stops"] == ["agent:risk-analyst"])
    }
  }

  @Test func whatACommandWritesReplacesRegularFilesOutsideTheStoreAlone() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      #expect(symlink("\(folder)/contract.pdf", "\(folder)/link") == 0)
      for target in [".remit/store.sqlite", ".remit/new", "link"] {
        #expect(await shop.run("audit", "export", "--output", "\(folder)/\(target)").exit != 0, "\(target)")
        #expect(await shop.run("mine", "map", "--svg", "\(folder)/\(target)").exit != 0, "\(target)")
      }
      #expect(await shop.run("audit", "export", "--output", "\(folder)/log.jsonl").exit == 0)
      #expect(await shop.run("audit", "verify").exit == 0)
    }
  }

  @Test func shapesOfResultsAreStable() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(try await shop.json("process", "check")["ok"] == true)
      #expect(try await shop.json("process", "release", "vendor-onboarding")["verdict"] == "permit")
      let run = try await shop.vendor(Shop.large)
      #expect(try await shop.json("agent", "work")["steps"]?.arrayValue?.map { $0["outcome"] } == ["completed", "held"])
      let runs = try await shop.json("run", "list")
      #expect(runs["runs"]?.arrayValue?.map { $0["id"] } == [.string(run)])
      #expect(runs["total"] == 1)
      let inbox = try await shop.json("inbox")
      let id = try #require(inbox["held"]?.arrayValue?.first?["id"]?.stringValue)
      #expect(inbox["held_total"] == 1)
      let shown = try await shop.json("run", "show", String(run.prefix(6)))
      #expect(shown["fields"]?["amount"] == 24_000)
      #expect(shown["proposals"]?.arrayValue?.last?["status"] == "held")
      let card = try await shop.json("approval", "show", id)
      #expect(card["arguments"]?["iban"] == "DE89370400440532013000")
      #expect(card["requirements"]?.arrayValue?.first?["roles"] == ["finance"])
      let audit = try await shop.json("audit", "verify")
      #expect(audit["ok"] == true && audit["first_bad"] == .null && audit["root"]?.stringValue?.count == 64)
      #expect((audit["entries"]?.intValue ?? 0) > 10)
      #expect(try await shop.json("mine", "map")["cases"] == 1)
      #expect(try await shop.json("mine", "variants")["variants"]?.arrayValue?.count == 1)
      #expect(try await shop.json("mine", "bottlenecks")["bottlenecks"] != nil)
      #expect(try await shop.json("suggestion", "list")["suggestions"] == [])
      #expect(try await shop.json("doctor")["ok"] == true)
      let replay = try await shop.json("eval", "replay", "--policy", "vendor-onboarding")
      #expect(replay["comparison"]?["flips"] == [])
      #expect(replay["strong"]?["total"] == 0 && replay["ground_truth"]?["held"] == 0)
    }
  }

  @Test func aCostBudgetThatCannotBindIsSaid() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(try await shop.json("process", "release", "vendor-onboarding")["verdict"] == "permit")
      let endpoint = #"endpoint: { base_url: "http://127.0.0.1:1/v1", model: "m" }"#
      let cases: [(settings: String, variables: [String: String], binds: Bool)] = [
        (#"{ models: { default: { script: "analyst" } } }"#, [:], true), ("{ models: { default: { \(endpoint) } } }", [:], false),
        ("{ models: { default: { \(endpoint), prices: { input: 0.15, output: 0.6 } } } }", [:], true),
        ("{}", ["OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "REMIT_MODEL": "m"], false),
        (
          "{ models: { default: { \(endpoint), prices: { input: 0.15, output: 0.6 } } } }",
          ["OPENAI_BASE_URL": "http://127.0.0.1:2/v1", "REMIT_MODEL": "m"], true
        ),
      ]
      for (settings, variables, binds) in cases {
        try RegularFile.writeAtomically(Array(settings.utf8), to: "\(folder)/remit.json5")
        let environment = variables.merging(["REMIT_WORKSPACE": folder]) { first, _ in first }
        let work = await transcript(["agent", "work"], commands: .remit, environment: environment)
        #expect(work.words.contains("the cost in the budget of agent `risk-analyst`") != binds, "\(settings): \(work.words)")
        let doctor = try await transcript(["doctor", "--json"], commands: .remit, environment: environment).json()
        let found = doctor["checks"]?.arrayValue?.filter { $0["check"] == "budget" }.map { $0["ok"] }
        #expect(found == (binds ? [] : [false]), "\(settings)")
      }
    }
  }

  @Test func rebuiltProjectionsAreTheSameBytes() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      _ = await shop.run("process", "release", "vendor-onboarding")
      _ = try await shop.vendor(Shop.large)
      _ = await shop.run("agent", "work")
      let before = try await shop.json("doctor")["projections"]
      let rebuilt = try await shop.json("doctor", "--rebuild")
      #expect(rebuilt["projections"] == before)
      #expect(try await shop.json("audit", "verify")["ok"] == true)
    }
  }

  @Test func aDecisionIsBoundToItsDigestAndMadeByWhoMay() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      // This account is a person of finance and nothing else, so somebody else has to ask.
      let organisation = "\(folder)/Policies/organisation.json5"
      let text = try String(contentsOfFile: organisation, encoding: .utf8)
      try text.replacingOccurrences(of: #"accounts: ["ben"]"#, with: #"accounts: ["ben", "\#(Account.current)"]"#)
        .write(toFile: organisation, atomically: true, encoding: .utf8)
      #expect(await shop.run("demo", "--json", "--requests", "14").exit == ExitCode.conflict.rawValue)
      let demo = "\(folder)/demo"
      let run: (String...) async -> Transcript = { words in
        await transcript(words + ["--json"], commands: .remit, environment: ["REMIT_WORKSPACE": demo])
      }
      #expect(await run("demo", "--requests", "14", "--examples", folder).exit == 0)
      let inbox = try await run("inbox").json()
      #expect(inbox["person"] == "user:ben")
      let held = try #require(inbox["held"]?.arrayValue?.first)
      let (id, digest) = (try #require(held["id"]?.stringValue), try #require(held["digest"]?.stringValue))
      #expect(held["mine"] == true)
      #expect(await run("approve", id).exit == ExitCode.usage.rawValue)
      #expect(await run("approve", id, "--digest", String(repeating: "0", count: 64)).exit == ExitCode.conflict.rawValue)
      #expect(await run("approve", id, "--digest", String(digest.prefix(11))).exit == ExitCode.usage.rawValue)
      #expect(await run("reject", id, "--digest", digest).exit == ExitCode.usage.rawValue)
      let approved = await run("approve", String(id.prefix(8)), "--digest", String(digest.prefix(12)))
      #expect(approved.exit == 0)
      #expect(try approved.json()["status"] == "approved")
      #expect(await run("approve", id, "--digest", digest).exit == ExitCode.conflict.rawValue)
      #expect(try await run("agent", "work").json()["steps"]?.arrayValue?.map { $0["outcome"] } == ["completed"])
      #expect(try await run("audit", "verify").json()["ok"] == true)
    }
  }

  @Test("who comes into the directory with the first release is a person from then on", arguments: [("ana", true), ("dora", false)])
  func releasingAsAPerson(_ person: String, isOwner: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let organisation = "\(folder)/Policies/organisation.json5"
      let text = try String(contentsOfFile: organisation, encoding: .utf8)
      try text.replacingOccurrences(of: "accounts: [\"\(person)\"]", with: "accounts: [\"\(Account.current)\"]")
        .write(toFile: organisation, atomically: true, encoding: .utf8)
      let released = try await shop.json("process", "release", "vendor-onboarding")
      #expect(released["verdict"] == (isOwner ? "permit" : "forbid"), "\(released.text())")
      #expect(try await shop.json("inbox")["person"] == .string("user:\(person)"))
      #expect(await shop.run("resume", "--all").exit == ExitCode.refused.rawValue)
    }
  }

  @Test func anEffectHappensOnceForEachActivation() async throws {
    try await withTemporaryDirectory { folder in
      let demo = "\(folder)/demo"
      let run: ([String]) async -> Transcript = { words in
        await transcript(words, commands: .remit, environment: ["REMIT_WORKSPACE": demo])
      }
      let first = await run(["demo", "--json", "--examples", Session.root])
      #expect(first.exit == 0, "\(first.words)")
      let summary = try first.json()
      #expect(summary["runs"]?["total"] == 20 && summary["runs"]?["completed"] == 19)
      #expect(summary["audit"]?["ok"] == true)
      #expect(summary["model"]?["scripted"] == true)
      #expect(summary["replay"]?["flips"] == 5)
      #expect(summary["suggestions"]?.arrayValue?.count == 1)
      // Run again it goes on where it stopped, which is the end: nothing happens twice.
      let second = await run(["demo", "--json"])
      #expect(try second.json()["proposals"] == summary["proposals"])
      let receipts = try String(contentsOfFile: "\(demo)/.remit/tools/erp-receipts.tsv", encoding: .utf8).split(separator: "\n")
      #expect(receipts.count == 17)
      #expect(Set(receipts.compactMap { $0.split(separator: "\t").dropFirst().first }).count == 17, "one key for each")
      let export = await run(["audit", "export"])
      var (started, settled): (Set<String>, Set<String>) = ([], [])
      var prompts = ""
      for line in export.output.split(separator: "\n").dropFirst() {
        let entry = try JSON.parse(Array(line.utf8))
        let envelope = try JSON.parse(Array((entry["envelope"]?.stringValue ?? "").utf8))
        let proposal = envelope["body"]?["proposal"]?.stringValue ?? ""
        switch envelope["type"]?.stringValue {
        case "effect.started@1": #expect(started.insert(proposal).inserted)
        case "effect.settled@1": #expect(settled.insert(proposal).inserted)
        default: break
        }
        if envelope["body"]?["tool"] == "model.call" { prompts += line }
      }
      #expect(started == settled)
      #expect(!prompts.isEmpty)
    }
  }

  @Test func everyScriptedRecordSaysSo() async throws {
    try await withTemporaryDirectory { folder in
      let demo = "\(folder)/demo"
      let run: ([String]) async -> Transcript = { words in
        await transcript(words, commands: .remit, environment: ["REMIT_WORKSPACE": demo])
      }
      _ = await run(["demo", "--json", "--requests", "3", "--examples", Session.root])
      for line in await run(["audit", "export", "--without-content"]).output.split(separator: "\n").dropFirst() {
        let envelope = try JSON.parse(Array((try JSON.parse(Array(line.utf8))["envelope"]?.stringValue ?? "").utf8))
        let body = envelope["body"] ?? .null
        let isAgent = envelope["type"] == "proposal.decided@1" && envelope["principal"]?.stringValue?.hasPrefix("agent:") ?? false
        if isAgent { #expect(body["scripted"] == true, "\(line)") }
        if body["mode"] != nil || body["identity"] != nil {
          let mode = body["mode"] ?? body["identity"]?["mode"]
          #expect(mode == "scripted" || mode == "single-operator", "\(line)")
        }
      }
    }
  }
}

@Suite struct EvidenceTests {
  @Test func whatIsNoPlainFileIsRefusedAndNothingIsAttached() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      _ = await shop.run("process", "release", "vendor-onboarding")
      let started = try await shop.json(
        "run", "start", "vendor-onboarding", "-f", "vendor=Acme GmbH", "-f", "country=DE", "-f", "category=goods",
        "-f", "purchase=Paper", "-f", "amount=10", "-f", "personal_data=false")
      let run = try #require(started["id"]?.stringValue)
      #expect(symlink("\(folder)/contract.pdf", "\(folder)/link.pdf") == 0)
      #expect(link("\(folder)/contract.pdf", "\(folder)/second.pdf") == 0)
      #expect(mkfifo("\(folder)/pipe.pdf", 0o600) == 0)
      for path in [
        "\(folder)/link.pdf", "\(folder)/second.pdf", "\(folder)/pipe.pdf", folder, "/dev/zero", "../contract.pdf", "",
      ] {
        let result = await shop.run("step", "complete", run, "collect", "-e", "contract=\(path)", "--json")
        #expect(result.exit == 1, "\(path)")
        #expect(try result.json()["error"]?["code"] == "log-evidence", "\(path): \(result.output)")
      }
      let shown = try await shop.json("run", "show", run)
      #expect(shown["evidence"] == [])
      #expect(shown["proposals"]?.arrayValue?.count == 1)
    }
  }

  @Test(arguments: [
    ("a.pdf", "%PDF-1.7", "application/pdf"), ("a.txt", "%PDF-1.7", "application/pdf"), ("a.pdf", "text", "text/plain"),
    ("a.csv", "a,b", "text/csv"), ("a.JSON", "{}", "application/json"), ("a.bin", "a\u{0}b", "application/octet-stream"),
    ("a", "é", "text/plain"),
  ]) func kindsOfFiles(_ name: String, _ text: String, _ expected: String) {
    #expect(MediaType.of(path: name, bytes: Array(text.utf8)) == expected)
  }

  @Test func aTextThatIsCutInsideACharacterIsStillText() {
    #expect(MediaType.of(path: "a.txt", bytes: Array("日本".utf8.dropLast())) == "text/plain")
  }
}

@Suite struct BadStoreTests {
  private func prepared(_ folder: String) async throws -> (shop: Shop, store: String) {
    let shop = try Shop(folder)
    _ = await shop.run("process", "release", "vendor-onboarding")
    _ = try await shop.vendor(Shop.large)
    // What is to be damaged has to lie in the file itself, not in the log of writes beside it.
    let store = "\(folder)/.remit/store.sqlite"
    let connection = try Connection(path: store, mode: .readWrite(create: false))
    _ = try connection.query("PRAGMA wal_checkpoint(TRUNCATE)") { $0.int(0) }
    connection.close()
    return (shop, store)
  }

  @Test func aFlippedByteIsFound() async throws {
    try await withTemporaryDirectory { folder in
      let (shop, store) = try await prepared(folder)
      var bytes = try RegularFile.read(store, maximumBytes: 1 << 30)
      // Inside the text of an envelope, which the page checks of SQLite cannot see.
      let needle = Array("\"tool\":\"run.start\"".utf8)
      let place = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
      bytes[place + 9] ^= 1
      try RegularFile.writeAtomically(bytes, to: store)
      let result = await shop.run("audit", "verify", "--json")
      #expect(result.exit == 1)
      let report = try result.json()
      #expect(report["ok"] == false)
      #expect(report["first_bad"]?.intValue != nil)
    }
  }

  @Test(arguments: [[UInt8](), Array("not a database at all, but a text of some length".utf8)]) func whatIsNoStoreIsSaid(_ bytes: [UInt8])
    async throws
  {
    try await withTemporaryDirectory { folder in
      let (shop, store) = try await prepared(folder)
      try RegularFile.writeAtomically(bytes, to: store)
      for command in [["inbox"], ["run", "list"], ["audit", "verify"]] {
        let result = await shop.run(command)
        #expect(result.exit == 1, "\(command): \(result.output) \(result.words)")
        #expect(result.words.utf8.count + result.output.utf8.count > 20)
      }
    }
  }

  @Test func aStoreOfANewerVersionIsRefused() async throws {
    try await withTemporaryDirectory { folder in
      let (shop, store) = try await prepared(folder)
      var bytes = try RegularFile.read(store, maximumBytes: 1 << 30)
      bytes.replaceSubrange(60..<64, with: [0, 0, 0x7F, 0xFF])  // `user_version` in the header of the file
      try RegularFile.writeAtomically(bytes, to: store)
      let result = await shop.run("inbox", "--json")
      #expect(result.exit == 1)
      #expect(try result.json()["error"]?["code"] == "store-newer-version")
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may look everywhere")) func aFolderWithoutPermissionIsSaid() async throws {
    try await withTemporaryDirectory { folder in
      let (shop, _) = try await prepared(folder)
      chmod("\(folder)/.remit", 0)
      defer { chmod("\(folder)/.remit", 0o700) }
      let result = await shop.run("inbox", "--json")
      #expect(result.exit == 1)
      #expect(try result.json()["error"]?["message"]?.stringValue?.contains("permission denied") == true)
    }
  }
}
