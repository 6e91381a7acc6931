import Core
import ProcessModel
import TestSupport
import Testing

@testable import App

/// Runs that events start.
@Suite("event take")
struct EventCommandTests {
  static let process = """
    { process: "visit", title: "Visit", owner: "role:procurement-lead", purpose: "See for ourselves.",
      triggers: [ { form: "visit", role: "requester", fields: ["site"] },
                  { event: "crm.vendor.created", role: "requester", fields: ["site", { field: "floor", required: false }] },
                  { event: "crm.vendor.lost", fields: [] } ],
      fields: { site: { type: "string", maxLength: 60 }, floor: { type: "integer" } },
      steps: [ { step: "plan", role: "requester" } ] }
    """

  private func withShop(_ body: (Shop, (String) throws -> String) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      try FileTree.makeFolder("\(folder)/Policies/visit")
      try RegularFile.writeAtomically(Array(Self.process.utf8), to: "\(folder)/Policies/visit/process.json5")
      try RegularFile.writeAtomically(Array(#"{ policy: "visit", rules: [] }"#.utf8), to: "\(folder)/Policies/visit/rules.json5")
      let released = await shop.run("process", "release", "visit")
      #expect(released.exit == 0, "\(released.words)")
      try await body(shop) { text in
        try RegularFile.writeAtomically(Array(text.utf8), to: "\(folder)/events.json")
        return "\(folder)/events.json"
      }
    }
  }

  private static func event(_ id: Int, type: String = "crm.vendor.created", source: String = "/crm", data: String = #"{"site": "Kassel"}"#)
    -> String
  {
    #"{"specversion": "1.0", "id": "e-\#(id)", "source": "\#(source)", "type": "\#(type)", "time": "2026-11-24T00:00:00Z", "data": \#(data)}"#
  }

  @Test func anEventThatIsDeliveredTenTimesStartsOneRun() async throws {
    try await withShop { shop, write in
      let path = try write((0..<10).map { _ in Self.event(1) }.joined(separator: "\n"))
      let first = try await shop.json("event", "take", path)
      #expect(first["started"] == 1 && first["present"] == 9, "\(first.text())")
      let again = try await shop.json("event", "take", path)
      #expect(again["started"] == 0 && again["present"] == 10, "\(again.text())")
      // Another source's event of the same id is another event.
      let other = try await shop.json("event", "take", try write("[\(Self.event(1, source: "/erp")), \(Self.event(2))]"))
      #expect(other["started"] == 2, "\(other.text())")
      #expect(try await shop.json("run", "list")["total"] == 3)
      #expect(await shop.run("audit", "verify").exit == 0)
    }
  }

  @Test func whatAnEventSaysIsNobodysWord() async throws {
    try await withShop { shop, write in
      let data = #"{"site": "\u001b[2J\u202eHome", "floor": 3, "secret": "left out"}"#
      let taken = try await shop.json("event", "take", try write(Self.event(1, data: data)))
      let run = try #require(taken["events"]?.arrayValue?.first?["id"]?.stringValue, "\(taken.text())")
      let fields = try await shop.json("run", "show", run)["fields"]
      #expect(fields?["floor"] == 3 && fields?["secret"] == nil, "\(fields?.text() ?? "")")
      let shown = await shop.run("run", "show", run).output
      #expect(shown.contains("untrusted") && !shown.contains("\u{1B}"), "\(shown)")
    }
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    var text: String
    var code: String
    var testDescription: String { code + " " + text.prefix(40) }
  }

  static let bad = [
    Bad(text: "{\"specversion\": \"0.3\"}", code: "event-invalid"), Bad(text: "[1]", code: "event-invalid"),
    Bad(text: "not json", code: "event-invalid"), Bad(text: "{\"specversion\": \"1.0\", \"id\": \"\"}", code: "event-invalid"),
    Bad(text: event(1, data: "[1]"), code: "event-invalid"), Bad(text: event(1, type: "crm.other"), code: "no-trigger"),
    Bad(text: event(1, data: "{}"), code: "field-missing"),
    Bad(text: event(1, data: #"{"site": 7}"#), code: "field-invalid"), Bad(text: event(1, type: "visit"), code: "no-trigger"),
    Bad(text: event(1, source: String(repeating: "x", count: 2000)), code: "event-invalid"),
  ]

  @Test(arguments: bad) func whatIsNoEventStartsNothingAndKeepsNoOtherFromStarting(_ test: Bad) async throws {
    try await withShop { shop, write in
      let taken = await shop.run("event", "take", try write(test.text), "--json")
      let events = try taken.json()["events"]?.arrayValue ?? []
      #expect(taken.exit == ExitCode.failed.rawValue && events.map { $0["error"]?["code"] } == [.string(test.code)], "\(taken.output)")
      let both = await shop.run("event", "take", try write("\(test.text)\n\(Self.event(7))"), "--json")
      #expect(try both.json()["started"] == 1, "\(both.output)")
    }
  }

  @Test func aSpoolFolderIsTakenInTheOrderOfNames() async throws {
    try await withShop { shop, _ in
      let spool = "\(shop.folder)/spool"
      try FileTree.makeFolder(spool)
      for place in [2, 1, 3] { try RegularFile.writeAtomically(Array(Self.event(place).utf8), to: "\(spool)/\(place).json") }
      try RegularFile.writeAtomically(Array("broken".utf8), to: "\(spool)/4.json")
      try RegularFile.writeAtomically(Array("half an ev".utf8), to: "\(spool)/5.json.part")
      let taken = try await shop.run("event", "take", "--spool", spool, "--json").json()
      #expect(taken["started"] == 3 && taken["failed"] == 1, "\(taken.text())")
      #expect(taken["events"]?.arrayValue?.compactMap { $0["file"]?.stringValue } == ["1.json", "2.json", "3.json", "4.json"])
      #expect(await shop.run("event", "take").exit == ExitCode.usage.rawValue)
    }
  }
}
