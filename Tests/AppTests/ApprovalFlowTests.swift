import Audit
import Core
import Glibc
import PolicyEngine
import TestSupport
import Testing

@testable import App
@testable import Governance

/// What people do with held proposals beside approving and rejecting, on the command line.
@Suite("The approval flow on the command line")
struct ApprovalFlowTests {
  private static let rule = """
    { id: "collect-checked", hold: "complete_step", step: "collect",
      approval: { roles: ["procurement"], within: "P2D", remind: "PT4H",
        break_glass: { roles: ["finance"], review: ["finance"], within: "P1D" } } },
    // Bank details
    """

  /// A workspace in which what requesters hand in waits for procurement, and that many things that Dora handed in.
  private func withHeld(_ count: Int, _ body: (Shop, [String]) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let path = "\(folder)/Policies/vendor-onboarding/rules.json5"
      let text = String(decoding: try RegularFile.read(path, maximumBytes: 1 << 20), as: UTF8.self)
      try RegularFile.writeAtomically(Array(text.replacing("// Bank details", with: Self.rule).utf8), to: path)
      #expect(unlink("\(folder)/Policies/vendor-onboarding/rules.tests.json5") == 0)
      let released = await shop.run("process", "release", "vendor-onboarding")
      #expect(released.exit == 0, "\(released.words)")
      let workspace = try await Workspace.open(folder, .write, environment: Environment([:]))
      var held: [String] = []
      for place in 0..<count { held.append(try await Self.handIn(place, workspace.gate)) }
      await workspace.close()
      try await body(shop, held)
      #expect(try await shop.json("audit", "verify")["ok"] == true)
    }
  }

  private static func handIn(_ place: Int, _ gate: PermissionGate) async throws -> String {
    let (dora, run) = (Identity.scripted("user:dora"), gate.mintRunID())
    func submit(_ tool: BuiltinTool, _ arguments: JSONObject, step: String?, evidence: [Evidence] = []) async throws -> GateOutcome {
      try await gate.submit(
        Proposal(
          id: gate.mintID(), principal: dora.principal, identity: dora, tool: tool.rawValue, arguments: arguments, run: run, step: step),
        evidence: evidence)
    }
    let fields: JSONObject = [
      "vendor": .string("Vendor \(place)"), "country": "DE", "category": "goods", "purchase": "Desks", "amount": 4000,
      "personal_data": false,
    ]
    let started = try await submit(.startRun, ["process": "vendor-onboarding", "fields": .object(fields)], step: nil)
    #expect(started.verdict == .permit, "\(started.refusal?.message ?? "")")
    let contract = try Evidence.bytes(Array("%PDF-1.4 \(place)".utf8), media: "application/pdf")
    let attached = try await submit(
      .attachEvidence,
      [
        "name": "contract", "sha256": .string(contract.reference.digest.hex), "media": "application/pdf",
        "size": .int(contract.reference.size),
      ], step: "collect", evidence: [contract])
    #expect(attached.verdict == .permit, "\(attached.refusal?.message ?? "")")
    let held = try await submit(
      .completeStep, ["fields": ["registration": "HRB1234", "contact": "a@b.example", "iban": "DE89370400440532013000"]], step: "collect")
    #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
    return held.proposal
  }

  private func lines(_ items: [JSON], _ folder: String) throws -> String {
    let path = "\(folder)/decisions.jsonl"
    try RegularFile.writeAtomically(Array(items.map { $0.text() + "\n" }.joined().utf8), to: path)
    return path
  }

  @Test func aHundredMixedItemsAreClearedWithARecordEach() async throws {
    try await withHeld(100) { shop, held in
      let cards = try #require(try await shop.json("inbox", "--limit", "200")["held"]?.arrayValue)
      #expect(cards.count == 100 && cards.allSatisfy { $0["mine"] == true })
      var items = cards.enumerated().map { place, card -> JSON in
        var item: JSONObject = ["id": card["id"] ?? "", "digest": card["digest"] ?? "", "decision": place % 3 == 0 ? "reject" : "approve"]
        if place % 3 == 0 { item["reason"] = .string("item \(place)") }
        return .object(item)
      }
      // One that somebody has decided meanwhile, and one that is not what was seen.
      #expect(await shop.run("approval", "withdraw", held[7], "-m", "mine", "--digest", "0").exit != 0)
      let seen = try #require(items[3]["digest"]?.stringValue)
      items[3] = ["id": items[3]["id"] ?? "", "digest": .string(String(seen.reversed())), "decision": "approve"]
      let result = await shop.run("approval", "batch", "--file", try lines(items, shop.folder), "--json")
      let report = try result.json()
      #expect(result.exit == ExitCode.conflict.rawValue && report["decided"] == 99 && report["failed"] == 1, "\(result.words)")
      #expect(report["items"]?.arrayValue?.count == 100)
      #expect(report["items"]?.arrayValue?[3]["error"]?["code"] == "digest-mismatch")
      let left = try #require(try await shop.json("inbox", "--limit", "200")["held"]?.arrayValue)
      #expect(left.map { $0["id"] } == [items[3]["id"]])
    }
  }

  @Test func aFileWithAMistakeDecidesNothing() async throws {
    try await withHeld(1) { shop, held in
      let card = try await shop.json("approval", "show", held[0])
      let good: JSON = ["id": .string(held[0]), "digest": card["digest"] ?? "", "decision": "approve"]
      let mistakes: [(JSON, String)] = [
        (["id": "p-x"], "`id`, `digest` and `decision` are needed"),
        (["id": "p-x", "digest": "0", "decision": "maybe"], "`decision` is"),
        (["id": "p-x", "digest": "0", "decision": "reject"], "`decision` is"),
        (good, "is decided twice"),
      ]
      for (mistake, message) in mistakes {
        let result = await shop.run("approval", "batch", "--file", try lines([good, mistake], shop.folder))
        #expect(result.exit == ExitCode.usage.rawValue && result.words.contains("decisions.jsonl`:2:"), "\(result.words)")
        let said = result.words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(said.contains(message), "\(said)")
      }
      #expect(try await shop.json("approval", "show", held[0])["status"] == "pending")
    }
  }

  @Test func aFileHasABoundedNumberOfDecisions() async throws {
    try await withHeld(1) { shop, held in
      let many = (0...1000).map { ["id": .string("p-\($0)"), "digest": "0", "decision": "approve"] as JSON }
      let result = await shop.run("approval", "batch", "--file", try lines(many, shop.folder))
      #expect(result.exit == ExitCode.usage.rawValue && result.words.contains(":1001: one file holds at most 1000"), "\(result.words)")
    }
  }

  @Test func questionsAnswersAndMoreTimeStandOnTheCard() async throws {
    try await withHeld(1) { shop, held in
      #expect(await shop.run("approval", "ask", held[0], "Which \u{1B}[2J contract?").exit == 0)
      let open = await shop.run("inbox")
      #expect(
        open.output.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains("1 question not answered"), "\(open.output)")
      let card = await shop.run("approval", "show", held[0])
      #expect(card.output.contains("not answered yet") && card.output.contains("Which \\u{1B}[2J contract?"), "\(card.output)")
      #expect(card.output.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 80 })
      let before = try await shop.json("approval", "show", held[0])
      let extended = await shop.run("approval", "extend", held[0], "--by", "PT1H", "-m", "waiting for Dora")
      #expect(extended.exit == 0, "\(extended.words)")
      let after = try await shop.json("approval", "show", held[0])
      #expect(before["expires"] != after["expires"] && before["digest"] == after["digest"])
      #expect(after["questions"]?.arrayValue?.first?["by"] != nil && after["questions"]?.arrayValue?.first?["answer"] == nil)
      // The operator asked; Dora, who handed it in, answers.
      let workspace = try await Workspace.open(shop.folder, .write, environment: Environment([:]))
      try await workspace.gate.note(held[0], .answer("The frame contract."), by: .scripted("user:dora"))
      await workspace.close()
      #expect(await shop.run("approval", "show", held[0]).output.contains("The frame contract."))
      let words = [["--by", "soon", "-m", "x"], ["-m", "x"], ["--by", "PT1H"], ["--until", "then", "-m", "x"]]
      for mistake in words {
        #expect(await shop.run(["approval", "extend", held[0]] + mistake).exit == ExitCode.usage.rawValue, "\(mistake)")
      }
    }
  }

  @Test func anEmergencyIsPassedAndShownUntilSomebodyLooksAtIt() async throws {
    try await withHeld(1) { shop, held in
      let digest = try #require(try await shop.json("approval", "show", held[0])["digest"]?.stringValue)
      let silent = await shop.run("approve", held[0], "--break-glass", "--digest", digest)
      #expect(silent.exit == ExitCode.usage.rawValue)
      let passed = await shop.run("approve", held[0], "--break-glass", "-m", "the warehouse burns", "--digest", digest)
      #expect(passed.exit == 0, "\(passed.words)")
      #expect(await shop.run("inbox").words.contains("1 approval in an emergency to look at"))
      let listed = try await shop.json("approval", "review")["reviews"]?.arrayValue
      #expect(listed?.count == 1 && listed?.first?["id"]?.stringValue == held[0])
      let own = await shop.run("approval", "review", held[0], "right", "-m", "it was me")
      #expect(own.exit == ExitCode.identity.rawValue, "\(own.words)")
      let workspace = try await Workspace.open(shop.folder, .write, environment: Environment([:]))
      try await workspace.gate.note(held[0], .review(isRight: true, text: "it did"), by: .scripted("user:ben"))
      await workspace.close()
      #expect(try await shop.json("approval", "review")["reviews"] == [])
    }
  }
}
