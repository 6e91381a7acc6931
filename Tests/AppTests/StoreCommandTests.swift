import Core
import TestSupport
import Testing

@testable import App

/// `remit store backup` and `remit store restore`, as a person gives them.
@Suite struct StoreCommandTests {
  @Test func aWorkspaceIsCopiedRestoredAndThenStoppedUntilSomebodyHasLooked() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      let copy = "\(folder)/copy.sqlite"
      let made = try await shop.json("store", "backup", copy)
      let size = try #require(made["entries"]?.intValue, "\(made.text())")
      #expect(made["file"]?.stringValue == copy)
      let again = await shop.run("store", "backup", copy)
      #expect(again.exit == 1 && again.words.contains("a file is there already"), "\(again.words)")
      let run = try await shop.vendor(Shop.large)

      let refused = await shop.run("store", "restore", copy)
      #expect(refused.exit == 6 && refused.words.contains("from entry \(size) on"), "\(refused.words)")
      #expect(await shop.run("run", "show", run).exit == 0)
      let lost = try #require(try await shop.json("audit", "verify")["entries"]?.intValue) - size
      let restored = try await shop.json("store", "restore", copy, "--discard", "\(lost)")
      #expect(restored["discarded"]?.intValue == lost && restored["entries"]?.intValue == size, "\(restored.text())")
      #expect(await shop.run("run", "show", run).exit == 5)

      let report = try await shop.json("audit", "verify")
      #expect(report["ok"] == true && report["entries"]?.intValue == size + 1, "\(report.text())")
      let doctor = await shop.run("doctor")
      #expect(doctor.output.contains("stopped: all"), "\(doctor.output)")
      #expect(await shop.run("resume", "--all").exit == 0)

      // Restored once more, where nothing is lost by it, nothing is stopped.
      #expect(await shop.run("store", "backup", "\(folder)/second.sqlite").exit == 0)
      #expect(await shop.run("store", "restore", "\(folder)/second.sqlite").exit == 0)
      #expect(await shop.run("doctor").output.contains("nothing is stopped"))
      let entries = await shop.run("audit", "export")
      #expect(entries.output.split(separator: "\n").filter { $0.contains("store.restored@1") }.count == 2)
      // Each copy is on record, where it went as well.
      let copies = entries.output.split(separator: "\n").filter { $0.contains("store.copied@1") }
      #expect(copies.count == 2 && copies.last?.contains("second.sqlite") == true, "\(copies)")
      #expect(await shop.run("store", "restore", "\(folder)/none").exit == 5)
      #expect(await shop.run("store", "restore", copy, "--discard", "x").exit == 2)
    }
  }
}
