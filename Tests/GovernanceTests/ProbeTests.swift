import Audit
import Core
import PolicyEngine
internal import Storage
import TestSupport
import Testing

@testable import Governance

/// Planted proposals that show whether people look.
@Suite("Probes")
struct ProbeTests {
  private func withProbe(_ body: (Workbench, String, GateOutcome, ProposalRecord) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      let planted = try await bench.gate.plantProbe(beside: held.proposal, by: Workbench.person("olaf"), seed: 3)
      #expect(planted)
      let probe = try #require(try await bench.state(run).probes.first)
      try await body(bench, run, held, probe)
      try await bench.expectVerified()
    }
  }

  private func decisions(_ bench: Workbench) async throws -> [String] {
    try await bench.gate.store.read { context in
      try context.database.query("SELECT person, decision, probe FROM decision ORDER BY entry", []) {
        "\($0.text(0)) \($0.text(1)) \($0.optionalText(2) ?? "-")"
      }
    }
  }

  @Test func aProbeLooksLikeAnyOtherProposal() async throws {
    try await withProbe { bench, run, held, probe in
      let entries = try await bench.gate.store.read { context in
        try [held.entry, probe.entry].map { try #require(try context.entry(at: $0)) }
      }
      let (real, planted) = (entries[0], entries[1])
      #expect(real.type == planted.type && real.principal == planted.principal && real.release == planted.release)
      #expect(real.body.map(\.key) == planted.body.map(\.key))
      #expect(real.content.map(\.part) == planted.content.map(\.part))
      for key in ["tool", "step", "verdict", "rules", "requirements"] { #expect(real.body[key] == planted.body[key], "\(key)") }
      #expect(real.content(ContentPart.arguments) != planted.content(ContentPart.arguments))
      let isReal = try Probe.isSealed(in: real)
      #expect(!isReal)
      #expect(try Probe.isSealed(in: planted))
    }
  }

  @Test("its id has the form of its original's", arguments: [("p-0123456789abcdef", 18), ("p-01ja8k2m3n4p5q6r7s8", 21)])
  func ids(_ original: String, length: Int) {
    let fresh = "p-01jzzzzzzzzzzzzzzzz"
    let id = Probe.id(like: original, fresh: fresh)
    #expect(id.utf8.count == length && id.hasPrefix("p-") && id != original)
    #expect((id == fresh) == (length == 21))
  }

  @Test func whatIsApprovedWithoutLookingIsMissedAndNeverCarriedOut() async throws {
    try await withProbe { bench, run, held, probe in
      let outcome = try await bench.gate.decide(probe.id, .approve, by: Workbench.person("ben"), digest: probe.digest)
      guard case .probe(isCaught: false) = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      #expect(try await bench.state(run).proposal(probe.id)?.status == .voided)
      await #expect(throws: Refusal.self) { try await bench.runner.run(probe.id, in: run) }
      #expect(bench.connector.receipts.isEmpty)
      #expect(try await decisions(bench) == ["user:ben approve missed"])
      // The real one is as it was.
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      _ = try await bench.runner.run(held.proposal, in: run)
      #expect(bench.connector.receipts.count == 1)
    }
  }

  @Test func whatIsRejectedIsCaughtAndHarmsNobody() async throws {
    try await withProbe { bench, run, held, probe in
      let outcome = try await bench.gate.decide(
        probe.id, .reject(reason: "another payee"), by: Workbench.person("ben"), digest: probe.digest)
      guard case .probe(isCaught: true) = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      let record = try #require(try await bench.state(run).proposal(probe.id))
      #expect(record.status == .rejected && record.judged == nil)
      #expect(try await decisions(bench) == ["user:ben reject caught"])
      #expect(try await bench.status(held.proposal, in: run) == .held)
    }
  }

  @Test func theRunGoesOnWithoutItsProbes() async throws {
    try await withProbe { bench, run, held, probe in
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      _ = try await bench.runner.run(held.proposal, in: run)
      // The step is over, and so is what was planted on it.
      #expect(try await bench.state(run).proposal(probe.id)?.status == .withdrawn)
    }
  }

  @Test func onlyOwnersPlantAndProbesAreNotCopied() async throws {
    try await withProbe { bench, run, held, probe in
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.plantProbe(beside: held.proposal, by: Workbench.person("ben"), seed: 1)
      }
      #expect(refusal?.code == "not-eligible")
      let again = try await bench.gate.plantProbe(beside: probe.id, by: Workbench.person("olaf"), seed: 1)
      #expect(!again)
    }
  }

  @Test("a log in which a probe is carried out is refused")
  func forgedEntries() async throws {
    try await withProbe { bench, run, held, probe in
      let approved = EntryDrafting.decision(
        .approve, on: probe, run: run, by: "user:ben", identity: Workbench.person("ben"), isComplete: true)
      let begun = EntryDrafting.started(probe, run: run, grant: "g", worker: "w", deadline: probe.time)
      for forged in [approved, begun] {
        await #expect(throws: GovernanceLedger.Misfit.self) { try await bench.gate.store.append([forged]) }
      }
    }
  }

  @Test func noProbeEverExecutesWhateverPeopleDo() async throws {
    try await withSeeds(20) { seed, random in
      var generator = random
      try await withTemporaryDirectory { folder in
        let bench = try await Workbench(folder, seed: seed)
        try await bench.prepare()
        var real: Set<String> = []
        for _ in 0..<4 {
          let run = try await bench.assessed(amount: 500)
          let held = try await bench.proposePayment(run)
          _ = try await bench.gate.plantProbe(beside: held.proposal, by: Workbench.person("olaf"), seed: generator.next())
          for record in (try await bench.state(run).held + bench.state(run).probes).shuffled(using: &generator) {
            let person = Workbench.person(["ben", "cleo"].randomElement(using: &generator) ?? "ben")
            let decision: PermissionGate.PersonDecision = Bool.random(using: &generator) ? .approve : .reject(reason: "no")
            let decided = try? await bench.gate.decide(record.id, decision, by: person, digest: record.digest)
            if case .approved? = decided?.standing { real.insert(record.id) }
            _ = try? await bench.runner.run(record.id, in: run)
          }
          for probe in try await bench.state(run).probes { #expect(!real.contains(probe.id), "seed \(seed)") }
        }
        #expect(bench.connector.receipts.count == real.count, "seed \(seed)")
        try await bench.expectVerified()
      }
    }
  }

  @Test func whatIsWrongIsWhereTheEffectGoesElseAnAmountElseAText() throws {
    var random = SeededGenerator(seed: 1)
    let call: JSONObject = ["to": "DE89370400", "amount": 250, "note": "rent"]
    let cases: [(sinks: [String], pointer: String?)] = [(["to"], "/to"), ([], "/amount")]
    for (sinks, pointer) in cases {
      let spoiled = try #require(Probe.spoiled(call, sinks: sinks, &random))
      #expect(spoiled.pointer == pointer && spoiled.arguments != call)
    }
    #expect(Probe.spoiled(["note": "rent"], sinks: [], &random)?.pointer == "/note")
    #expect(Probe.spoiled(["flag": true], sinks: [], &random) == nil)
    #expect(Probe.spoiled([:], sinks: ["to"], &random) == nil)
  }
}
