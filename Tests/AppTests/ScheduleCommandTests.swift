import Core
import TestSupport
import Testing

@testable import App

/// What the command line says of processes that start by the calendar.
@Suite("schedule list")
struct ScheduleCommandTests {
  static let process = """
    { process: "close", title: "Close", owner: "role:procurement-lead", purpose: "Close the books.",
      triggers: [ { schedule: "* * * * *", zone: "ZONE" } ],
      steps: [ { step: "count", role: "requester" } ] }
    """

  private func withShop(zone: String?, _ body: (Shop) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      if let zone {
        try FileTree.makeFolder("\(folder)/Policies/close")
        let process = Self.process.replacing("ZONE", with: zone)
        try RegularFile.writeAtomically(Array(process.utf8), to: "\(folder)/Policies/close/process.json5")
        try RegularFile.writeAtomically(Array(#"{ policy: "close", rules: [] }"#.utf8), to: "\(folder)/Policies/close/rules.json5")
        let released = await shop.run("process", "release", "close")
        #expect(released.exit == 0, "\(released.words)")
      }
      try await body(shop)
    }
  }

  @Test func aScheduleShowsWhenItStartsNext() async throws {
    try await withShop(zone: "UTC") { shop in
      let list = try await shop.json("schedule", "list")
      let schedule = try #require(list["schedules"]?.arrayValue?.first, "\(list.text())")
      #expect(schedule["process"]?.stringValue == "close" && schedule["cron"]?.stringValue == "* * * * *")
      #expect(schedule["next"]?.stringValue != nil && schedule["zone_known"]?.boolValue == true)
    }
  }

  @Test func anUnknownZoneIsSaid() async throws {
    try await withShop(zone: "Mars/Olympus") { shop in
      let list = await shop.run("schedule", "list")
      #expect(list.exit == 0 && list.output.contains("unknown zone"), "\(list.output) \(list.words)")
    }
  }
}
