import Audit
import Core
import Foundation
import Governance
import PolicyEngine
import Subprocess
import TestSupport
import Testing

@testable import App

/// `remit audit redact`: what is removed is gone from every file, and the log says who removed it, when and why.
@Suite("Redaction") struct RedactionTests {
  static let canary = "Canary Sable 7f3a9c"
  static let fields = [
    "vendor=\(canary)", "country=IT", "category=goods", "purchase=Desks of \(canary)", "amount=24000", "personal_data=false",
  ]

  /// The files of the store in which a text lies.
  private static func files(of folder: String, with text: String) throws -> [String] {
    let state = "\(folder)/\(Workspace.stateFolder)"
    return try (FileTree.names(in: state) ?? []).filter { $0.hasPrefix("store.sqlite") }.filter { name in
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(state)/\(name)"))
      return data.range(of: Data(text.utf8)) != nil
    }
  }

  private static func over(_ office: Office) async throws -> String {
    office.account.withLock { $0 = "dora" }
    let run = try await office.shop.vendor(fields)
    #expect(try await office.json(as: "dora", "run", "cancel", run, "-m", "not needed: \(canary)")["verdict"] == "permit")
    return run
  }

  @Test("T36 content is removed with another person's agreement alone, from every page of every file, and every proof holds")
  func whole() async throws {
    try await Office.with(governs: #"directory: "role:compliance", content: "role:compliance""#) { office in
      let run = try await Self.over(office)
      let other = try await office.shop.vendor(Shop.large)
      #expect(try !Self.files(of: office.folder, with: Self.canary).isEmpty)
      let before = try await office.store.read { ($0.head, try $0.history(of: run).map(\.leaf)) }
      let proof = try await office.store.read { try $0.inclusionProof(of: before.0.size - 1) }
      let compliance = try #require(try await office.store.read { try $0.shared().directory.holders(of: "compliance").first?.id })

      let asked = try await office.json(as: "ben", "audit", "redact", run, "--rule", "policy.md#9", "-m", "the vendor asked for it")
      #expect(asked["verdict"] == "hold", "\(asked.text())")
      let (id, digest) = (asked["proposal"]?.stringValue ?? "", asked["digest"]?.stringValue ?? "")
      let targets = try #require(asked["targets"]?.arrayValue?.count)
      #expect(await office.run(as: "ben", "approve", id, "--digest", digest).exit == ExitCode.identity.rawValue)
      #expect(try !Self.files(of: office.folder, with: Self.canary).isEmpty)
      let approved = await office.run(as: compliance, "approve", id, "--digest", digest)
      #expect(approved.exit == 0, "\(approved.words)")

      // Gone from the database, its free pages and its write-ahead log; from what the service remembers and from what it shows.
      #expect(try await office.store.scrub())
      #expect(try Self.files(of: office.folder, with: Self.canary) == [])
      for words in [["run", "show", run], ["run", "list"], ["audit", "export", "--run", run]] {
        office.account.withLock { $0 = "ben" }
        let shown = await office.shop.run(words)
        #expect(shown.exit == 0 && !shown.output.contains(Self.canary), "\(words): \(shown.words)")
      }
      // Each leaf is the one that it was, and so is the root over all that was there before.
      let after = try await office.store.read { try $0.history(of: run).map(\.leaf) }
      #expect(Array(after.prefix(before.1.count)) == before.1 && proof != nil)
      try await office.store.check(Checkpoint(origin: "log", size: before.0.size, root: before.0.root))

      let report = try await office.json(as: "ben", "audit", "verify")
      #expect(report["ok"] == true && report["redacted"]?.intValue == Int64(targets), "\(report.text())")
      let redaction = try #require(report["redactions"]?.arrayValue?.first)
      #expect(redaction["proposed_by"] == "user:ben" && redaction["approved_by"] == [.string("user:\(compliance)")])
      #expect(redaction["rule"] == "policy.md#9" && redaction["removed"]?.intValue == Int64(targets), "\(redaction.text())")
      let words = await office.run(as: "ben", "audit", "verify").output
      #expect(words.contains("approved by user:\(compliance), under policy.md#9"), "\(words)")
      // A bundle says it too, to Remit and to the verifier that shares no code with it.
      let bundle = "\(office.folder)/run.bundle"
      #expect(await office.run(as: "ben", "audit", "export", run, "--output", bundle).exit == 0)
      let checked = try await office.json(as: "ben", "audit", "verify", "--bundle", bundle)
      #expect(checked["ok"] == true && checked["withheld"]?.intValue == Int64(targets), "\(checked.text())")
      #expect(checked["redactions"]?.arrayValue?.first?["approved_by"] == [.string("user:\(compliance)")], "\(checked.text())")
      if hasVerifierPrograms {
        let alone = try await BundleTests.tool("python3", [BundleTests.verifier, bundle])
        let said = String(decoding: alone.output + alone.errorOutput, as: UTF8.self)
        #expect(alone.succeeded && said.contains("approved by user:\(compliance), under policy.md#9"), "\(said)")
        // Without the entries that removed them, the parts are only missing.
        var object = try #require(try RunBundle(parsing: RegularFile.read(bundle, maximumBytes: 1 << 26)).json.objectValue)
        object["entries"] = .array(
          (object["entries"]?.arrayValue ?? []).filter { $0["envelope"]?.stringValue?.contains("content.redacted@1") != true })
        let cut = try RunBundle(json: .object(object)).bytes
        try RegularFile.writeAtomically(cut, to: bundle)
        #expect(try await !BundleTests.tool("python3", [BundleTests.verifier, bundle]).succeeded)
        await #expect(throws: BundleProblem.self) { try await BundleChecker.check(cut, against: nil) }
      }
      // What was not named is there still, also in the tables that were made again.
      #expect(await office.run(as: "ben", "run", "show", other).output.contains("Sable Furniture SRL"))
      #expect(await office.run(as: "ben", "audit", "redact", run, "--rule", "again").exit == ExitCode.notFound.rawValue)
    }
  }

  @Test("T36 a run that is not over, what proves an approval, and what belongs to no run are not removed")
  func kept() async throws {
    try await Office.with(governs: #"directory: "role:compliance", content: "role:compliance""#) { office in
      office.account.withLock { $0 = "dora" }
      let run = try await office.shop.vendor(Self.fields)
      let open = try await office.json(as: "ben", "audit", "redact", run, "--rule", "r")
      #expect(open["refusal"]?["message"]?.stringValue?.contains("is not over") == true, "\(open.text())")
      let gate = office.service.workspace.gate
      let ben = Identity(principal: "user:ben", account: "ben", mode: .socket)
      for (target, words) in [
        (RedactionRecord.Target(entry: 1, part: "values"), "belongs to no run"), (.init(entry: 9999, part: "values"), "there is no part"),
      ] {
        let refused = try await gate.redact([target], rule: "r", reason: nil, by: ben)
        #expect(refused.verdict == .forbid && refused.refusal?.message.contains(words) == true, "\(String(describing: refused.refusal))")
      }
    }
  }

  @Test("T11 T36 content that somebody takes out of the file, with or without an entry that says so, is found")
  func unapproved() async throws {
    try await Office.with(governs: #"directory: "role:compliance", content: "role:compliance""#) { office in
      let run = try await Self.over(office)
      let entry = try #require(try await office.store.read { try $0.history(of: run).first { !$0.content.isEmpty } })
      let forged = EntryDraft(
        type: "content.redacted@1", principal: "system:engine",
        body: ["entry": .int(entry.index), "part": .string(entry.content[0].part), "proposal": "p-none"])
      await #expect(throws: (any Error).self) { try await office.store.append([forged]) }
      // Nothing was removed with the entry that was refused.
      #expect(try await office.store.read { try $0.entry(at: entry.index)?.content[0].bytes } == entry.content[0].bytes)
      #expect(try await office.json(as: "ben", "audit", "verify")["ok"] == true)
    }
  }
}
