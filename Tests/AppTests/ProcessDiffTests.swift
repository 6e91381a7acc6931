import Core
import Foundation
import TestSupport
import Testing

@testable import App

@Suite struct ProcessDiffTests {
  /// Copies a process under another name with a part of its rules replaced.
  private func copy(_ shop: Shop, replacing text: String, with other: String) throws -> String {
    let folder = "\(shop.folder)/Policies/other"
    try FileTree.copy("\(shop.folder)/Policies/vendor-onboarding", to: folder)
    let rules = String(decoding: try RegularFile.read("\(folder)/rules.json5", maximumBytes: 1 << 20), as: UTF8.self)
    #expect(rules.contains(text))
    try RegularFile.writeAtomically(Array(rules.replacingOccurrences(of: text, with: other).utf8), to: "\(folder)/rules.json5")
    return folder
  }

  @Test func theSameRulesChangeNothing() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let shown = await shop.run("process", "diff", "vendor-onboarding", "vendor-onboarding")
      #expect(shown.exit == 0 && shown.output == "no request is known to get another verdict\n", "\(shown)")
      #expect(await shop.run("process", "diff", "vendor-onboarding", "nothing").exit == ExitCode.notFound.rawValue)
      #expect(await shop.run("process", "diff", "vendor-onboarding", "0123456789ab").exit != 0)
    }
  }

  @Test func aChangeIsShownWithARequest() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let other = try copy(
        shop, replacing: "permit: \"crm.lookup\", by: \"agent:*\", step: \"classify\"",
        with: "hold: \"crm.lookup\", by: \"agent:*\", step: \"classify\", approval: { roles: [\"finance\"] }")
      let json = try await shop.json("process", "diff", "vendor-onboarding", other)
      let changes = try #require(json["changes"]?.arrayValue)
      #expect(changes.contains { $0["tool"] == "crm.lookup" && $0["from"]?["verdict"] == "permit" && $0["to"]?["verdict"] == "hold" })
      #expect(changes.allSatisfy { $0["tool"] == "crm.lookup" && $0["example"]?["tool"] == "crm.lookup" }, "\(json.text())")
      #expect(json["exact"] == false, "`args.vendor != run.vendor` compares two values")
      let words = await shop.run("process", "diff", "vendor-onboarding", other)
      #expect(words.exit == 1 && words.output.contains("crm.lookup") && words.output.contains("not exact"))
    }
  }

  @Test func aCheckNamesWhatDoesNothing() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let other = try copy(
        shop, replacing: "  rules: [\n",
        with: """
            rules: [
              { id: "never", permit: "crm.lookup", by: "agent:*", step: "classify", when: "run.amount < 1.0 && run.amount > 2.0" },
              { id: "twice", permit: "crm.lookup", by: "agent:*", step: "classify" },
              { id: "many", hold: "crm.lookup", by: "user:*", approval: { roles: ["procurement-lead"], count: 2 } },

          """)
      let json = try await shop.json("process", "check", other)
      let codes = (json["processes"]?.arrayValue?.first?["warnings"]?.arrayValue ?? []).compactMap { $0["code"]?.stringValue }
      #expect(codes.contains("never-matches") && codes.contains("shadowed") && codes.contains("unsatisfiable-hold"), "\(codes)")
    }
  }
}
