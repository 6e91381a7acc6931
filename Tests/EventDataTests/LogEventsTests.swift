import Audit
import Core
import EventData
import Governance
import PolicyEngine
import ProcessMining
import TestSupport
import Testing

@Suite("The log as events")
struct LogEventsTests {
  static let process = """
    { process: "leave", title: "Leave", owner: "role:lead", purpose: "Test.",
      triggers: [{ form: "ask", role: "clerk", fields: ["days", "secret"] }],
      fields: { days: { type: "integer" }, secret: { type: "integer", sensitivity: "confidential" }, note: { type: "string", required: false } },
      steps: [{ step: "fill", title: "Fill in", role: "clerk", form: ["note"] }, { step: "book", title: "Book", role: "clerk", form: ["note"] }] }
    """
  static let rules = """
    { policy: "leave", rules: [{ id: "long", hold: "complete_step", step: "book", when: "run.days > 3", approval: { roles: ["lead"] } }] }
    """

  /// A log of six runs: two short ones, three long ones that were approved, one that was rejected.
  private func log(_ folder: String) async throws -> PermissionGate {
    let moment = Locked(Instant(milliseconds: 1_800_000_000_000))
    var options = StoreOptions()
    options.time = TimeSource {
      moment.withLock { now in
        now = now + .seconds(60)
        return now
      }
    }
    let store = try await AuditStore<GovernanceLedger>.open("\(folder)/s.sqlite", projections: GovernanceProjections.all, options: options)
    let gate = PermissionGate(store: store)
    let root = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)
    _ = try await gate.openLog(by: root)
    let people = #"{ roles: { clerk: "Clerk", lead: "Lead" }, people: { ana: { roles: ["clerk"] }, ben: { roles: ["lead"] } } }"#
    _ = try await gate.setDirectory(try Directory.load(try PositionedJSON.parseJSON5(Array(people.utf8))), by: root)
    _ = try await gate.makeRelease(
      ReleaseBundle(process: "leave", files: [("process.json5", Array(Self.process.utf8)), ("rules.json5", Array(Self.rules.utf8))]),
      by: root)
    for (place, days) in [1, 2, 5, 6, 7, 20].enumerated() {
      let run = "r-\(place)"
      func submit(_ tool: String, _ arguments: JSONObject, _ step: String?) async throws -> GateOutcome {
        try await gate.submit(
          Proposal(
            id: gate.mintID(), principal: "user:ana", identity: .scripted("user:ana"), tool: tool, arguments: arguments, run: run,
            step: step))
      }
      #expect(
        try await submit("run.start", ["process": "leave", "fields": ["days": .int(days), "secret": .int(days)]], nil).verdict == .permit)
      #expect(try await submit("complete_step", [:], "fill").verdict == .permit)
      let booked = try await submit("complete_step", [:], "book")
      #expect((booked.verdict == .hold) == (days > 3))
      guard booked.verdict == .hold else { continue }
      let decision: PermissionGate.PersonDecision = days > 10 ? .reject(reason: "too long") : .approve
      _ = try await gate.decide(booked.proposal, decision, by: .scripted("user:ben"), digest: booked.digest)
    }
    return gate
  }

  @Test func completedRunsStandByTheirReleaseAndOthersAreCounted() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let runs = try await gate.store.read { try LogEvents.runsByRelease($0, process: "leave") }
      #expect(runs.count == 1 && runs.first?.running == 1 && runs.first?.cancelled == 0)
      let log = try #require(runs.first?.log)
      #expect(log.caseCount == 5, "the rejected one goes on")
      #expect(Set(Variants(log).variants.map(\.activities)) == [["fill", "book"]])
      #expect(try await gate.store.read { try LogEvents.runsByRelease($0, process: "other") }.isEmpty)
      await gate.store.close()
    }
  }

  @Test func stepsAndDecisionsBecomeActivities() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let events = try await gate.store.read { try LogEvents.eventLog($0, process: "leave") }
      #expect(events.caseCount == 6)
      let variants = Variants(events.completions())
      #expect(
        Set(variants.variants.map { Set($0.activities) }) == [
          ["fill", "book"], ["fill", "decide book"], ["fill", "decide book", "book"],
        ])
      #expect(variants.variants.map(\.count).sorted() == [1, 2, 3])
      let none = try await gate.store.read { try LogEvents.eventLog($0, process: "other") }
      #expect(none.caseCount == 0)
    }
  }

  @Test func theLogHasObjects() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let log = try await gate.store.read { try LogEvents.objectLog($0, process: "leave") }
      func count(_ type: String) -> Int { log.objects.count { $0.type == type } }
      #expect([count("run"), count("step"), count("approval")] == [6, 12, 4])
      #expect(count("proposal") == 18)
      #expect(log.objects.filter { $0.type == "person" }.map(\.id).sorted() == ["user:ana", "user:ben"])
      #expect(log.events.count { $0.type == "decide complete_step" } == 4)
      #expect(log.events.count { $0.type == "complete book" } == 5)
      // What is written is a sound OCEL file: nothing dangles, everything is declared.
      var bytes: [UInt8] = []
      try withoutActuallyEscaping({ (piece: [UInt8]) in bytes += piece }) { try OCELWriter.write(log, to: $0) }
      #expect(try OCELReader.read(bytes) == log)
      // The values of fields stay in the log.
      #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
      let runs = try log.flattened(by: "run", resource: "by")
      #expect(runs.caseCount == 6)
      #expect(runs.resourceNames.contains("user:ben"))
      let none = try await gate.store.read { try LogEvents.objectLog($0, process: "other") }
      #expect(none == ObjectLog())
    }
  }

  @Test func decidedHoldsCarryWhatRulesCouldSee() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let found = try await gate.store.read { context in
        let digest = try context.shared().current("leave")?.digest ?? ""
        return try LogEvents.decidedHolds(context, release: try gate.release(digest, in: context))
      }
      #expect(found.holds.map(\.outcome) == [.approvedUnchanged, .approvedUnchanged, .approvedUnchanged, .rejected])
      #expect(found.holds.map { $0.features["run.days"] } == [.integer(5), .integer(6), .integer(7), .integer(20)])
      #expect(found.holds.allSatisfy { $0.rule == "long" && $0.tool == "complete_step" && $0.step == "book" })
      #expect(found.features.first { $0.path == "run.secret" }?.isConfidential == true)
    }
  }

  @Test func theHistoryHasWhatSuggestionsNeed() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let history = try await gate.store.read { context in
        let digest = try context.shared().current("leave")?.digest ?? ""
        return try LogEvents.history(context, release: try gate.release(digest, in: context), rules: [["id": "long"]])
      }
      #expect(history.runs == 6 && history.owner == "lead" && history.process == "leave")
      #expect(history.steps.map(\.id) == ["fill", "book"] && history.steps.map(\.performer) == ["role:clerk", "role:clerk"])
      #expect(history.visits.count { $0.ending == .completed } == 11 && history.visits.count { $0.ending == .open } == 1)
      #expect(history.visits.allSatisfy { $0.ending == .open || ($0.ended ?? 0) > $0.ready })
      let held = history.calls.filter { $0.basis == .held(["long"]) }
      #expect(held.map(\.decision?.outcome) == [.approvedUnchanged, .approvedUnchanged, .approvedUnchanged, .rejected])
      #expect(held.map { $0.features["run.days"] } == [.integer(5), .integer(6), .integer(7), .integer(20)])
      #expect(held.last?.decision?.reason == "too long" && held.last?.decision?.by == "user:ben")
      #expect(history.calls.count { $0.basis == .rule } == 14)
    }
  }

  /// A release is judged by its own runs: what another one did is no reason to change this one.
  @Test func anotherReleaseHasAHistoryOfItsOwn() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let root = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)
      let process = Self.process.replacing("Test.", with: "Another.")
      _ = try await gate.makeRelease(
        ReleaseBundle(process: "leave", files: [("process.json5", Array(process.utf8)), ("rules.json5", Array(Self.rules.utf8))]), by: root)
      let history = try await gate.store.read { context in
        let digest = try context.shared().current("leave")?.digest ?? ""
        return try LogEvents.history(context, release: try gate.release(digest, in: context), rules: [])
      }
      #expect(history.runs == 0 && history.visits.isEmpty && history.calls.isEmpty)
    }
  }

  /// From the gate to the suggestion: work that is sent back in two of five runs until the same evidence is there.
  @Test func whatIsPlantedInTheLogIsFound() async throws {
    try await withTemporaryDirectory { folder in
      let gate = try await log(folder)
      let root = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)
      let process = """
        { process: "claim", title: "Claim", owner: "role:lead", purpose: "Test.",
          triggers: [{ form: "ask", role: "clerk", fields: ["sum"] }], fields: { sum: { type: "integer" } },
          steps: [{ step: "file", title: "File", role: "clerk", evidence: [{ name: "receipt", media: ["text/plain"], required: false }] },
                  { step: "check", title: "Check", role: "lead" }] }
        """
      _ = try await gate.makeRelease(
        ReleaseBundle(
          process: "claim",
          files: [("process.json5", Array(process.utf8)), ("rules.json5", Array(#"{ policy: "claim", rules: [] }"#.utf8))]),
        by: root)
      for place in 0..<60 {
        func submit(_ person: String, _ tool: String, _ arguments: JSONObject, _ step: String?, _ evidence: [Evidence] = []) async throws {
          let outcome = try await gate.submit(
            Proposal(
              id: gate.mintID(), principal: person, identity: .scripted(person), tool: tool, arguments: arguments, run: "c-\(place)",
              step: step), evidence: evidence)
          #expect(outcome.verdict == .permit, "\(tool): \(outcome)")
        }
        let isComplete = place % 5 > 1
        let receipt = try Evidence.bytes(Array("receipt \(place)".utf8), media: "text/plain")
        func attach() async throws {
          try await submit(
            "user:ana", "attach_evidence",
            [
              "name": "receipt", "sha256": .string(receipt.reference.digest.hex), "media": "text/plain",
              "size": .int(receipt.reference.size),
            ],
            "file", [receipt])
        }
        try await submit("user:ana", "run.start", ["process": "claim", "fields": ["sum": .int(place)]], nil)
        if isComplete { try await attach() }
        try await submit("user:ana", "complete_step", [:], "file")
        if !isComplete {
          try await submit("user:ben", "step.send_back", ["to": "file", "text": "no receipt"], "check")
          try await attach()
          try await submit("user:ana", "complete_step", [:], "file")
        }
        try await submit("user:ben", "complete_step", [:], "check")
      }
      let history = try await gate.store.read { context in
        let digest = try context.shared().current("claim")?.digest ?? ""
        return try LogEvents.history(context, release: try gate.release(digest, in: context), rules: [])
      }
      #expect(history.runs == 60 && history.returns.count == 24)
      let found = SuggestionSearch().suggestions(in: history).suggestions
      #expect(found.map(\.kind) == [.missingEvidence])
      #expect(found.first?.change == .process(.requireEvidence(step: "file", name: "receipt")))
      #expect(found.first?.evidence.test.count == 24 && found.first?.evidence.test.total == 60)
    }
  }
}
