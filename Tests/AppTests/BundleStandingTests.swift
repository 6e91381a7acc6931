import Audit
import Core
import Foundation
import Governance
internal import PolicyEngine
internal import Subprocess
import TestSupport
import Testing

@testable import App

/// Bundles of the ways in which people come to approve something: Remit and the stand-alone verifier say the same of each, honest or not.
@Suite("Who approved what a bundle holds", .enabled(if: hasVerifierPrograms, "ssh-keygen, openssl or python3 is not installed"))
struct BundleStandingTests {
  /// A run whose activation waits for finance, and for what a rule of the test's own asks.
  struct Waiting {
    let shop: Shop
    let run: String
    let held: ProposalRecord
    var bundle: String { "\(shop.folder)/run.bundle" }

    init(_ folder: String, asks approval: String?) async throws {
      shop = try Shop(folder)
      let rules = "\(folder)/Policies/vendor-onboarding/rules.json5"
      // Probes have another account than the contract's.
      var text = try String(contentsOfFile: rules, encoding: .utf8).replacingOccurrences(of: "args.iban != run.iban || ", with: "")
      if let approval {
        let added = "rules: [\n{ id: \"ours\", hold: \"erp.activate_vendor\", approval: \(approval) },"
        text = text.replacingOccurrences(of: "rules: [", with: added)
      }
      try text.write(toFile: rules, atomically: true, encoding: .utf8)
      // Its tests are about the rules as they ship.
      try FileManager.default.removeItem(atPath: "\(folder)/Policies/vendor-onboarding/rules.tests.json5")
      let released = await shop.run("process", "release", "vendor-onboarding")
      #expect(released.exit == 0, "\(released.words)")
      let run = try await shop.vendor(Shop.large)
      #expect(await shop.run("agent", "work").exit == 0)
      self.run = run
      held = try #require(
        try await Self.within(folder) { workspace in try await workspace.store.read { try $0.run(run)?.held.first } })
    }

    static func within<R: Sendable>(_ folder: String, _ body: (Workspace) async throws -> R) async throws -> R {
      let workspace = try await Workspace.open(folder, .write, environment: Environment(["REMIT_WORKSPACE": folder]))
      do {
        let result = try await body(workspace)
        await workspace.close()
        return result
      } catch {
        await workspace.close()
        throw error
      }
    }

    func decide(_ decision: PermissionGate.PersonDecision, by person: String, for authority: String? = nil) async throws {
      try await Self.within(shop.folder) { workspace in
        _ = try await workspace.gate.decide(
          held.id, decision, by: .scripted("user:\(person)"), digest: held.digest, for: authority.map { "user:\($0)" })
      }
    }

    /// What both say about a bundle: whether it holds.
    func verdicts(_ bytes: [UInt8]? = nil) async throws -> (own: Bool, alone: Bool, words: String) {
      if let bytes { try RegularFile.writeAtomically(bytes, to: bundle) }
      let own = await shop.run("audit", "verify", "--bundle", bundle)
      let alone = try await BundleTests.tool("python3", [BundleTests.verifier, bundle])
      let words = String(decoding: alone.output + alone.errorOutput, as: UTF8.self)
      return (own.exit == 0, alone.succeeded, "\(own.output)\(words)")
    }

    func exported() async throws -> [UInt8] {
      let exported = await shop.run("audit", "export", run, "--output", bundle)
      #expect(exported.exit == 0, "\(exported.words)")
      return try RegularFile.read(bundle, maximumBytes: 1 << 26)
    }
  }

  struct Way: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What a rule asks beside finance; nil for no rule.
    var asks: String?
    /// What the stand-alone verifier says.
    var says: String
    var act: @Sendable (Waiting) async throws -> Void
  }

  static let ways = [
    Way(
      testDescription: "in stages", asks: #"{ stages: [{ roles: ["manager"] }, [{ roles: ["security"] }, { roles: ["manager"] }]] }"#,
      says: "user:omar, manager: approve of erp.activate_vendor"
    ) { waiting in
      for person in ["ben", "kira", "noah", "omar"] { try await waiting.decide(.approve, by: person) }
    },
    Way(
      testDescription: "in an emergency",
      asks: #"{ roles: ["manager"], count: 2, break_glass: { roles: ["security-lead"], review: ["compliance"], within: "P1D" } }"#,
      says: "user:mara, security-lead, manager: approve of erp.activate_vendor in an emergency"
    ) { waiting in
      try await waiting.decide(.approve, by: "ben")
      try await waiting.decide(.breakGlass(reason: "the line stands still"), by: "mara")
    },
    Way(testDescription: "with more time", asks: #"{ roles: ["security"], within: "P1D" }"#, says: "user:noah: extended") { waiting in
      try await Waiting.within(waiting.shop.folder) { workspace in
        let until = try #require(waiting.held.expires) + .seconds(3600)
        try await workspace.gate.note(waiting.held.id, .extend(until: until, reason: "more papers"), by: .scripted("user:noah"))
      }
      for person in ["ben", "noah"] { try await waiting.decide(.approve, by: person) }
    },
    Way(testDescription: "in another's place", asks: nil, says: "user:noah for user:ben, security: approve") { waiting in
      try await Waiting.within(waiting.shop.folder) { workspace in
        let now = workspace.now
        let delegation = Directory.Delegation(
          id: "d-1", from: "ben", to: "noah", roles: ["finance"], processes: ["vendor-onboarding"], since: now, until: now + .seconds(3600),
          reason: nil)
        let given = try await workspace.gate.changeDirectory([.putDelegation(delegation)], reason: nil, by: .scripted("user:ben"))
        #expect(given.verdict == .permit)
      }
      try await waiting.decide(.approve, by: "noah", for: "ben")
    },
    Way(testDescription: "by who edited it", asks: nil, says: "effect: erp.activate_vendor finished") { waiting in
      let arguments = try await Waiting.within(waiting.shop.folder) { workspace in
        try await workspace.store.read { context in
          try context.entry(at: waiting.held.entry)?.content(ContentPart.arguments).flatMap { try JSON.parse($0).objectValue }
        }
      }
      try await waiting.decide(.edit(arguments: try #require(arguments), reason: "as it was, by me"), by: "ben")
    },
    Way(testDescription: "beside a probe", asks: nil, says: "reject of erp.activate_vendor") { waiting in
      #expect(await waiting.shop.run("approval", "probe", "--seed", "1").exit == 0)
      try await Waiting.within(waiting.shop.folder) { workspace in
        let run = waiting.run
        let probe = try #require(try await workspace.store.read { try $0.run(run)?.probes.first })
        _ = try await workspace.gate.decide(probe.id, .reject(reason: "not that account"), by: .scripted("user:kira"), digest: probe.digest)
      }
      try await waiting.decide(.approve, by: "ben")
    },
  ]

  @Test("T17 a bundle holds for both verifiers however people came to approve", arguments: ways)
  func honest(_ way: Way) async throws {
    try await withTemporaryDirectory { folder in
      let waiting = try await Waiting(folder, asks: way.asks)
      try await way.act(waiting)
      #expect(await waiting.shop.run("agent", "work").exit == 0)
      let bytes = try await waiting.exported()
      let (own, alone, words) = try await waiting.verdicts()
      #expect(own && alone && words.contains(way.says) && words.contains("effect: erp.activate_vendor finished"), "\(words)")
      // What says whether it is a probe cannot be left out of what was approved.
      var forgery = try Forgery(bytes)
      forgery.withhold("seal")
      let bare = try await waiting.verdicts(try forgery.bundle())
      #expect(!bare.own && !bare.alone, "\(bare.words)")
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var holds = false
    var type = "approval.decided@1"
    var change: @Sendable (inout JSONObject, inout [String: String]) -> Void
  }

  static let lies = [
    Lie(testDescription: "nothing was changed", holds: true) { _, _ in },
    Lie(testDescription: "another person of the role", holds: true) { envelope, _ in rename(&envelope, to: "user:kira") },
    Lie(testDescription: "a person without the role") { envelope, _ in rename(&envelope, to: "user:hugo") },
    Lie(testDescription: "a person whom nobody knows") { envelope, _ in rename(&envelope, to: "user:mallory") },
    Lie(testDescription: "who asked for the run") { envelope, _ in rename(&envelope, to: "user:\(Account.current)") },
    Lie(testDescription: "in the place of somebody who gave it to nobody") { envelope, _ in
      rename(&envelope, to: "user:noah")
      body(&envelope) { $0["for"] = "user:ben" }
    },
    Lie(testDescription: "in another name than the entry's") { envelope, _ in envelope["principal"] = "user:hugo" },
    Lie(testDescription: "of another digest") { envelope, _ in
      body(&envelope) { $0["digest"] = .string(String(repeating: "0", count: 64)) }
    },
    Lie(testDescription: "after which too few have approved, for another rule", type: "proposal.decided@1") { envelope, _ in
      body(&envelope) { body in
        guard body["tool"] == "erp.activate_vendor", var rule = body["requirements"]?.arrayValue?.first?.objectValue else { return }
        rule["count"] = 2
        body["requirements"] = [.object(rule)]
      }
    },
    Lie(testDescription: "of a directory in which nobody has the role", type: "proposal.decided@1") { envelope, content in
      guard envelope["body"]?["tool"] == "directory.set" else { return }
      content["values"] = content["values"]?.replacingOccurrences(of: #""finance""#, with: #""finances""#)
    },
    Lie(testDescription: "whose time was over when the effect began", type: "effect.started@1") { envelope, _ in
      envelope["time"] = .int((envelope["time"]?.intValue ?? 0) + 400 * 86_400_000)
    },
  ]

  private static func body(_ envelope: inout JSONObject, _ change: (inout JSONObject) -> Void) {
    var body = envelope["body"]?.objectValue ?? [:]
    change(&body)
    envelope["body"] = .object(body)
  }

  private static func rename(_ envelope: inout JSONObject, to principal: String) {
    envelope["principal"] = .string(principal)
    body(&envelope) { $0["by"] = .string(principal) }
  }

  @Test("T05 whoever writes the log cannot have somebody approve whom the directory does not let: both verifiers say so")
  func forged() async throws {
    try await withTemporaryDirectory { folder in
      let waiting = try await Waiting(folder, asks: #"{ roles: ["finance"], within: "P30D" }"#)
      try await waiting.decide(.approve, by: "ben")
      #expect(await waiting.shop.run("agent", "work").exit == 0)
      let bytes = try await waiting.exported()
      for lie in Self.lies {
        var forgery = try Forgery(bytes)
        forgery.change(lie.type, lie.change)
        let (own, alone, words) = try await waiting.verdicts(try forgery.bundle())
        #expect(own == lie.holds && alone == lie.holds, "\(lie.testDescription): \(own) \(alone) \(words)")
        #expect(!words.contains("Traceback"), "\(words)")
      }
    }
  }
}

/// A bundle that somebody changes who writes the log themselves: its entries get new commitments, leaves and proofs under a root of their own.
private struct Forgery {
  private var object: JSONObject
  private var items: [JSON]

  init(_ bytes: [UInt8]) throws {
    object = try #require(try RunBundle(parsing: bytes).json.objectValue)
    items = object["entries"]?.arrayValue ?? []
  }

  /// Takes a part of every entry away.
  mutating func withhold(_ part: String) {
    edit { _, parts in
      for place in parts.indices where parts[place]["part"]?.stringValue == part {
        parts[place] = ["part": .string(part), "withheld": true]
      }
    }
  }

  /// Changes the envelopes, and the content that is text, of the entries of a type.
  mutating func change(_ type: String, _ change: (inout JSONObject, inout [String: String]) -> Void) {
    edit { envelope, parts in
      guard envelope["type"]?.stringValue == type else { return }
      var texts: [String: String] = [:]
      for part in parts { if let name = part["part"]?.stringValue { texts[name] = part["text"]?.stringValue } }
      change(&envelope, &texts)
      var commitments = envelope["commitments"]?.objectValue ?? [:]
      for place in parts.indices {
        guard var part = parts[place].objectValue, let name = part["part"]?.stringValue, let text = texts[name],
          let salt = part["salt"]?.stringValue.flatMap({ Base64.decode($0) })
        else { continue }
        part["text"] = .string(text)
        commitments[name] = .string(SHA256.hash(salt + Array(text.utf8)).hex)
        parts[place] = .object(part)
      }
      if !commitments.isEmpty { envelope["commitments"] = .object(commitments) }
    }
  }

  private mutating func edit(_ change: (inout JSONObject, inout [JSON]) -> Void) {
    items = items.map { item in
      guard var object = item.objectValue, let text = item["envelope"]?.stringValue,
        var envelope = (try? JSON.parse(Array(text.utf8)))?.objectValue
      else { return item }
      var parts = item["content"]?.arrayValue ?? []
      change(&envelope, &parts)
      if !parts.isEmpty { object["content"] = .array(parts) }
      object["envelope"] = .string((try? JSON.object(envelope).canonicalBytes()).map { String(decoding: $0, as: UTF8.self) } ?? "")
      return .object(object)
    }
  }

  /// The bundle, not signed.
  func bundle() throws -> [UInt8] {
    let envelopes = items.map { Array(($0["envelope"]?.stringValue ?? "").utf8) }
    let places = try envelopes.map { try #require(try JSON.parse($0)["index"]?.intValue.map { Int($0) }) }
    var leaves = [Digest](repeating: MerkleTree.emptyRoot, count: (places.max() ?? 0) + 1)
    for (place, envelope) in zip(places, envelopes) { leaves[place] = MerkleTree.leaf(envelope) }
    var object = object
    object["keys"] = nil
    object["checkpoint"] = .string(
      Checkpoint(origin: object["log"]?.stringValue ?? "", size: leaves.count, root: MerkleTree.root(leaves)).text)
    object["entries"] = .array(
      zip(items, places).map { item, place in
        var entry = item.objectValue ?? [:]
        entry["proof"] = .array((MerkleTree.inclusionProof(of: place, in: leaves) ?? []).map { .string($0.hex) })
        return .object(entry)
      })
    return try RunBundle(json: .object(object)).bytes
  }
}
