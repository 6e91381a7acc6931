import Core
import Glibc
import Storage
import TestSupport
import Testing

@testable import App

@Suite("What is not there, and what cannot be done") struct MissingTests {
  @Test func filesThatAreNotThereAreNamedWithTheCodeForIt() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let run = try #require(
        try await shop.json(
          "run", "start", "vendor-onboarding", "-f", "vendor=Acme GmbH", "-f", "country=DE", "-f", "category=goods", "-f",
          "purchase=Paper", "-f", "amount=10", "-f", "personal_data=false")["id"]?.stringValue)
      let none = "\(folder)/none/file"
      // The folder's facts.json5 names other files beside the recording: the one that the user named comes first.
      let commands = [
        ["eval", "replay", none, "--policy", "airline"], ["eval", "replay", "--rules", none],
        ["eval", "replay", none, "--policy", "vendor-onboarding"], ["process", "check", none], ["audit", "verify", "--checkpoint", none],
        ["step", "complete", run, "collect", "--fields", none], ["step", "complete", run, "collect", "-e", "contract=\(none)"],
        ["run", "start", "vendor-onboarding", "--fields", none], ["demo", "--examples", none],
      ]
      for command in commands {
        let result = await shop.run(command + ["--json"])
        #expect(result.exit == ExitCode.notFound.rawValue, "\(command): \(result.output)")
        #expect(try result.json()["error"]?["message"]?.stringValue?.contains(none) == true, "\(command): \(result.output)")
      }
    }
  }

  @Test(arguments: [("colect", "did you mean `collect`?"), ("nothing-like-it", "has no step")])
  func aStepThatIsNotThereIsNamedWithTheNearest(_ step: String, _ words: String) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let run = try await shop.vendor(Shop.large)
      for extra in [[], ["-e", "contract=\(folder)/contract.pdf"]] {
        let result = await shop.run(["step", "complete", run, step, "--json"] + extra)
        #expect(result.exit == ExitCode.notFound.rawValue)
        #expect(try result.json()["refusal"]?["code"] == "step-unknown")
        #expect(try result.json()["refusal"]?["message"]?.stringValue?.contains(words) == true, "\(result.output)")
      }
      // One that is there and not open is another matter.
      let closed = await shop.run("step", "complete", run, "review", "--json")
      #expect(closed.exit == ExitCode.refused.rawValue)
      #expect(try closed.json()["refusal"]?["message"]?.stringValue?.contains("open now: `classify`") == true, "\(closed.output)")
    }
  }

  @Test func aDashIsStandardOutput() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      _ = try await shop.vendor(Shop.large)
      let map = await shop.run("mine", "map", "--svg", "-")
      #expect(map.exit == 0 && map.output.hasPrefix("<svg") && map.output.hasSuffix("</svg>\n"), "\(map.output.prefix(80))")
      #expect(await shop.run("mine", "map", "--svg", "-", "--json").exit == ExitCode.usage.rawValue)
      let log = await shop.run("audit", "export", "--output", "-")
      let whole = await shop.run("audit", "export")
      #expect(log.exit == 0 && log.output == whole.output && !log.output.isEmpty)
      #expect(access("-", F_OK) != 0)
    }
  }

  @Test func workOfWhichEveryStepIsStuckFails() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      #expect(await shop.run("agent", "work").exit == 0)
      _ = try await shop.vendor(Shop.large)
      // What a server says is escaped once, however it travels.
      let body = #"{"error":{"message":"engine\u001b[31m\u202e dead"}}"#
      try await FakeEndpoint.run({ _ in FakeEndpoint.answer(400, body) }) { endpoint in
        let environment = ["REMIT_WORKSPACE": folder, "OPENAI_BASE_URL": "\(endpoint.base)/v1", "REMIT_MODEL": "m"]
        let work = await transcript(["agent", "work"], commands: .remit, environment: environment)
        #expect(work.exit == ExitCode.failed.rawValue, "\(work.output)")
        #expect(work.output.contains("stuck") && work.output.contains(#"engine\u{1B}[31m\u{202E} dead"#), "\(work.output)")
        // Once the calls without a reply have used up the agent's turns a person has the step, and is told why.
        for _ in 0..<8 { _ = await transcript(["agent", "work"], commands: .remit, environment: environment) }
      }
      #expect(await shop.run("agent", "work").exit == 0)
    }
  }

  @Test func aDemoWithoutAnEndpointThatAnswersFails() async throws {
    try await withTemporaryDirectory { folder in
      let port = try FakeEndpoint.refusingPort()
      let environment = ["REMIT_WORKSPACE": "\(folder)/demo", "OPENAI_BASE_URL": "http://127.0.0.1:\(port)/v1", "REMIT_MODEL": "m"]
      let demo = await transcript(
        ["demo", "--requests", "2", "--examples", Session.root], commands: .remit, environment: environment)
      #expect(demo.exit == ExitCode.failed.rawValue, "\(demo.output)")
      #expect(demo.words.contains("no step of an agent could be done"))
    }
  }

  @Test func theDoctorLooksAtTheTablesAndAtWhatTheFileHolds() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      _ = try await shop.vendor(Shop.large)
      func findings() async throws -> [JSON] {
        try await shop.json("doctor")["checks"]?.arrayValue?.filter { $0["ok"] == false }.compactMap { $0["check"] } ?? []
      }
      func change(_ sql: String) throws {
        let connection = try Connection(path: "\(folder)/.remit/store.sqlite", mode: .readWrite(create: false))
        try connection.execute(sql)
        connection.close()
      }
      #expect(try await findings() == [])
      try change("UPDATE run SET problems = 7")
      #expect(try await findings() == ["projections"])
      #expect(await shop.run("doctor", "--rebuild").exit == 0)
      #expect(try await findings() == [])
      try change("CREATE VIEW theirs AS SELECT 1")
      #expect(try await findings() == ["schema"])
      try change("DROP VIEW theirs; DROP TRIGGER entry_no_delete")
      #expect(try await findings() == ["schema"])
      let verified = await shop.run("audit", "verify", "--json")
      #expect(verified.exit == ExitCode.failed.rawValue)
      #expect(try verified.json()["problems"]?.arrayValue?.first?["kind"] == "schema")
      let refused = await shop.run("agent", "work", "--json")
      #expect(try refused.json()["error"]?["code"] == "log-schema", "\(refused.output)")
    }
  }

  @Test func aDemoThatWasInterruptedWhileItCopiedIsCopiedAnew() throws {
    try withTemporaryDirectory { folder in
      let place = "\(folder)/demo"
      let rules = "\(place)/Policies/vendor-onboarding/rules.json5"
      #expect(try Demo.prepare(place, examples: Session.root) == place)
      let whole = try RegularFile.read(rules, maximumBytes: 1 << 20)
      // A copy that is whole belongs to its owner.
      try RegularFile.writeAtomically(Array("{}".utf8), to: rules)
      _ = try Demo.prepare(place, examples: Session.root)
      #expect(try RegularFile.read(rules, maximumBytes: 1 << 20) == Array("{}".utf8))
      // One that was killed on the way is not.
      try RegularFile.writeAtomically(Array("unfinished\n".utf8), to: "\(place)/\(Demo.marker)")
      #expect(unlink("\(place)/remit.json5") == 0)
      _ = try Demo.prepare(place, examples: Session.root)
      #expect(try RegularFile.read(rules, maximumBytes: 1 << 20) == whole)
      #expect(FileTree.exists("\(place)/remit.json5"))
      #expect(try RegularFile.read("\(place)/\(Demo.marker)", maximumBytes: 64).isEmpty)
      // It says so from its first file on: this copy ends at something that cannot be copied.
      let (examples, other) = ("\(folder)/examples", "\(folder)/other")
      try FileTree.copy("\(Session.root)/Policies", to: "\(examples)/Policies")
      #expect(mkfifo("\(examples)/Policies/vendor-onboarding/pipe", 0o600) == 0)
      #expect(throws: FileError.self) { _ = try Demo.prepare(other, examples: examples) }
      #expect(try RegularFile.read("\(other)/\(Demo.marker)", maximumBytes: 64) == Array("unfinished\n".utf8))
      #expect(try Demo.prepare(other, examples: Session.root) == other)
      #expect(try RegularFile.read("\(other)/\(Demo.marker)", maximumBytes: 64).isEmpty)
    }
  }
}
