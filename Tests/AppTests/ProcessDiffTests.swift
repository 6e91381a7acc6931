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
      #expect(shown.exit == 0 && shown.output == "no request gets another verdict\n", "\(shown)")
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
      #expect(json["exact"] == true && json["unclear"] == [] && json["a"] == "vendor-onboarding" && json["b"] == .string(other))
      let changes = try #require(json["changes"]?.arrayValue)
      let change = try #require(changes.first)
      #expect(changes.count == 1 && change["tool"] == "crm.lookup" && change["exact"] == true)
      #expect(change["from"] == ["verdict": "permit", "requirements": []])
      #expect(change["to"] == ["verdict": "hold", "requirements": ["finance"]])
      #expect(change["when"] == #"principal.kind == "agent" && step.id == "classify" && args.vendor == run.vendor"#)
      let words = await shop.run("process", "diff", "vendor-onboarding", other)
      #expect(
        words.output == """
          crm.lookup  permit → hold (finance)
            when principal.kind == "agent" && step.id == "classify" && args.vendor ==
            run.vendor
              such as {"tool": "crm.lookup", "principal": "agent:risk-analyst", "step":
              "classify", "args": {"vendor": "other"}, "run": {"vendor": "other"}}

          """, "\(words)")
      #expect(words.exit == 1)
    }
  }

  @Test func whatIsNotUnderstoodIsSaid() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let other = try copy(shop, replacing: "when: \"args.vendor != run.vendor\"", with: "when: \"args.vendor.size() > 40\"")
      let json = try await shop.json("process", "diff", "vendor-onboarding", other)
      #expect(json["exact"] == false && json["unclear"] == ["tool `crm.lookup`: what `args.vendor.size() > 40` can be is not analysed"])
      let words = await shop.run("process", "diff", "vendor-onboarding", other)
      #expect(words.exit == 1 && words.output.contains("not exact"))
    }
  }

  /// Rules alone are read as those of the other side's process; beside other rules alone they can be about anything.
  @Test func foldersOfRulesAndReleasesAreCompared() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let other = try copy(shop, replacing: "run.amount >= 100000.0", with: "run.amount >= 50000.0")
      for name in ["process.json5", "policy.md"] { try FileManager.default.removeItem(atPath: "\(other)/\(name)") }
      let released = try await shop.json("process", "release", "vendor-onboarding")
      let digest = try #require(released["release"]?.stringValue)
      for before in ["vendor-onboarding", String(digest.prefix(12))] {
        let json = try await shop.json("process", "diff", before, other)
        let conditions = (json["changes"]?.arrayValue ?? []).compactMap { $0["when"]?.stringValue }
        let range = "run.amount >= 50000.0 && run.amount < 100000.0"
        #expect(!conditions.isEmpty && conditions.allSatisfy { $0.contains(range) }, "\(json.text())")
      }
      let baseline = "\(folder)/Policies/agent-baseline"
      #expect(await shop.run("process", "diff", baseline, baseline).output == "no request gets another verdict\n")
    }
  }

  // MARK: - Checks

  @Test func aCheckNamesWhatDoesNothing() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let other = try copy(
        shop, replacing: "  rules: [\n",
        with: """
            rules: [
              { id: "never", permit: "crm.lookup", by: "agent:*", step: "classify", when: "run.amount < 1.0 && run.amount > 2.0" },
              { id: "twice", permit: "crm.lookup", by: "agent:*", step: "classify" },

          """)
      let json = try await shop.json("process", "check", other)
      let findings = json["processes"]?.arrayValue?.first?["findings"]?.arrayValue ?? []
      #expect(findings.map { $0["code"] } == ["never-matches", "shadowed", "shadowed"])
      #expect(findings.map { $0["rule"] } == ["never", "twice", "agents-look-up"] && findings[1]["by"] == ["agents-look-up"])
      let words = await shop.run("process", "check", other)
      let line = ":6:5: warning: rule `never` can never match: it is true for no request"
      #expect(words.exit == 0 && words.output.replacingOccurrences(of: "\n", with: " ").contains(line), "\(words)")
    }
  }

  @Test func aHoldThatNobodyCanReleaseIsAnError() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let rule = #"{ id: "many", hold: "crm.lookup", by: "user:*", approval: { roles: ["procurement-lead"], count: 2 } }"#
      let other = try copy(shop, replacing: "  rules: [\n", with: "  rules: [\n    \(rule),\n")
      let words = await shop.run("process", "check", other)
      let message = "rule `many` needs 2 of `procurement-lead`, and nobody can ever release it: only `user:ana` is left"
      #expect(words.exit == 1 && words.output.replacingOccurrences(of: "\n", with: " ").contains(message), "\(words)")
      #expect(await shop.run("process", "release", other).exit == 1)
      try FileManager.default.removeItem(atPath: "\(folder)/Policies/organisation.json5")
      #expect(await shop.run("process", "check", other).exit == 0)
    }
  }

  @Test func aHoldThatSomeRequestersCannotGetPastIsAWarning() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let file = "\(folder)/Policies/organisation.json5"
      let text = String(decoding: try RegularFile.read(file, maximumBytes: 1 << 20), as: UTF8.self)
        .replacingOccurrences(of: "\"Ben Okafor\", roles: [\"finance\"]", with: "\"Ben Okafor\", roles: [\"manager\"]")
        .replacingOccurrences(of: "\"Dora Petrova\", roles: [", with: "\"Dora Petrova\", roles: [\"finance\", ")
      try RegularFile.writeAtomically(Array(text.utf8), to: file)
      let words = await shop.run("process", "check", "vendor-onboarding")
      let message = "rule `two-of-finance` needs 2 of `finance`; when `user:dora` asks for the run, only `user:kira` is left"
      #expect(words.exit == 0 && words.output.replacingOccurrences(of: "\n", with: " ").contains(message), "\(words)")
    }
  }

  @Test func absencesThatLeaveTooFewAreAWarning() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      #expect(await shop.run("process", "check", "vendor-onboarding").output.contains("absent") == false)
      func days(_ count: Int) -> String { (TimeSource.system.now() + .seconds(86_400 * count)).iso8601 }
      let away = await shop.run("person", "absent", "kira", "--from", days(2), "--until", days(9))
      #expect(away.exit == 0, "\(away)")
      func checked() async -> String {
        await shop.run("process", "check", "vendor-onboarding").output.replacingOccurrences(of: "\n", with: " ")
      }
      let alone = await checked()
      #expect(alone.contains("rule `two-of-finance` needs 2 of `finance`; from ") && alone.contains("only `user:ben` is left"), "\(alone)")
      // One person decides once, in whoever's place.
      #expect(await shop.run("person", "delegate", "kira", "ben", "--until", days(9)).exit == 0)
      #expect(await checked() == alone)
      #expect(await shop.run("person", "delegate", "kira", "omar", "--until", days(9)).exit == 0)
      #expect(await checked().contains("absent") == false)
    }
  }
}
