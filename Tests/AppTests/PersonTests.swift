import Core
import TestSupport
import Testing

@testable import App

@Suite("People on the command line") struct PersonTests {
  @Test func changesAreMadeShownAndEnded() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let commands = [
        ["person", "put", "pia", "--name", "Pia Lang", "--role", "finance", "--account", "pia", "--manager", "kira"],
        ["person", "absent", "ben", "--until", "2099-01-04", "--deputy", "kira"],
        [
          "person", "delegate", "lena", "ana", "--role", "procurement", "--process", "vendor-onboarding", "--until", "2099-01-04T12:00:00Z",
        ],
        ["person", "leave", "emil", "-m", "left"],
      ]
      for command in commands {
        let result = await shop.run(command)
        #expect(result.exit == 0, "\(command): \(result.output) \(result.words)")
      }
      let people = try #require(try await shop.json("person", "list")["people"]?.arrayValue)
      #expect(people.contains { $0["person"] == "pia" && $0["manager"] == "kira" && $0["roles"] == ["finance"] })
      #expect(people.contains { $0["person"] == "ben" && $0["away"] == true })
      #expect(!people.contains { $0["person"] == "emil" })
      let shown = await shop.run("person", "show", "ana")
      #expect(shown.output.contains("may for   lena: procurement in vendor-onboarding"), "\(shown.output)")
      #expect(shown.output.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 80 })
      let id = try #require(try await shop.json("person", "show", "lena")["delegations"]?.arrayValue?.first?["id"]?.stringValue)
      #expect(await shop.run("person", "end", id).exit == 0)
      #expect(try await shop.json("person", "show", "lena")["delegations"] == [])
    }
  }

  static let mistakes: [([String], ExitCode, String)] = [
    (["person", "show", "bne"], .notFound, "did you mean `ben`?"), (["person", "end", "d-none"], .notFound, "no absence or delegation"),
    (["person", "absent", "ben"], .usage, "`--until TIME` is missing"),
    (["person", "absent", "ben", "--until", "soon"], .usage, "is no time"), (["person", "put", "ben"], .usage, "would change"),
    (["person", "key", "ben"], .usage, "give `--add FILE`"), (["person", "key", "ben", "--add", "Package.swift"], .usage, "no public key"),
    (["person", "put", "eva", "--role", "finanse"], .refused, "did you mean `finance`?"),
    (["person", "delegate", "ben", "ben", "--until", "2099-01-01"], .refused, "to themselves"),
  ]

  @Test(arguments: mistakes) func aMistakeIsSaid(_ words: [String], _ exit: ExitCode, _ message: String) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let result = await shop.run(words)
      #expect(result.exit == exit.rawValue, "\(result.output) \(result.words)")
      let said = "\(result.output) \(result.words)".split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(said.contains(message), "\(said)")
    }
  }
}
