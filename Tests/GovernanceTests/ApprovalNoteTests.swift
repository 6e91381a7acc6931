internal import Audit
import Core
import PolicyEngine
internal import Storage
import TestSupport
import Testing

@testable import Governance

/// What happens to a proposal while nobody decides on it: reminders, others who are asked, more time, questions; and emergencies.
@Suite("While a proposal waits")
struct ApprovalNoteTests {
  private static let organisation = """
    { roles: { clerk: "Clerk", finance: "Finance", compliance: "Compliance", owner: "Owner", board: "Board" },
      people: {
        ana: { name: "Ana", roles: ["clerk"] }, ben: { name: "Ben", roles: ["finance"], manager: "cleo" },
        cleo: { name: "Cleo", roles: ["clerk"], manager: "dora" }, dora: { name: "Dora", roles: ["compliance"] },
        olaf: { name: "Olaf", roles: ["owner"] }, eva: { name: "Eva", roles: ["board"] },
      } }
    """

  private func withHeld(
    _ approval: String, _ body: (Workbench, GateOutcome, String) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let directory = try Directory.load(try PositionedJSON.parseJSON5(Array(Self.organisation.utf8)))
      #expect(try await bench.gate.setDirectory(directory, by: Workbench.operatorIdentity).verdict == .permit)
      let made = try await bench.gate.makeRelease(
        Workbench.release(rules: ApprovalStageTests.rules(approval)), by: Workbench.operatorIdentity)
      #expect(made.verdict == .permit, "\(made.refusal?.message ?? "")")
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      try await body(bench, held, run)
      try await bench.expectVerified()
    }
  }

  private func record(_ bench: Workbench, _ held: GateOutcome, _ run: String) async throws -> ProposalRecord {
    try #require(try await bench.state(run).proposal(held.proposal))
  }

  private func refusal(_ bench: Workbench, _ held: GateOutcome, _ note: PermissionGate.PersonNote, by id: String) async -> String? {
    await #expect(throws: Refusal.self) { try await bench.gate.note(held.proposal, note, by: Workbench.person(id)) }?.code
  }

  // MARK: Time

  @Test func peopleAreRemindedAgainAndAgain() async throws {
    try await withHeld(#"{ roles: ["finance"], within: "P2D", remind: "PT4H" }"#) { bench, held, run in
      let passed = try await bench.gate.passTime()
      #expect(passed == PermissionGate.TimePassed())
      bench.clock.advance(.seconds(4 * 3600))
      #expect(try await bench.gate.passTime().reminded == 1)
      #expect(try await bench.gate.passTime().reminded == 0)
      // A weekend without a process is one reminder, not one for every four hours.
      bench.clock.advance(.seconds(20 * 3600))
      #expect(try await bench.gate.passTime().reminded == 1)
      #expect(try await record(bench, held, run).notes.map(\.kind) == [.reminded, .reminded])
    }
  }

  @Test("the ladder is climbed rung by rung, past managers who are absent, and survives a restart")
  func escalation() async throws {
    let ladder = #"{ roles: ["finance"], within: "P5D", escalate: [{ after: "P1D", to: "manager" }, { after: "P2D", to: "role:board" }] }"#
    try await withHeld(ladder) { bench, held, run in
      let now = bench.gate.store.options.time.now()
      let away = Directory.Absence(id: "a", person: "cleo", from: now, until: now + .seconds(86_400 * 9), deputy: nil)
      let changed = try await bench.gate.changeDirectory([.putAbsence(away)], reason: nil, by: Workbench.operatorIdentity)
      #expect(changed.verdict == .permit, "\(changed.refusal?.message ?? "")")
      #expect(await bench.refusal(held, by: Workbench.person("dora"))?.code == "not-eligible")
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().escalated == 1)
      #expect(try await record(bench, held, run).escalatedTo("staged", stage: 1) == ["user:dora"])
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().escalated == 1)
      #expect(try await record(bench, held, run).escalatedTo("staged", stage: 1) == ["user:dora", "role:board"])
      #expect(try await bench.gate.passTime().escalated == 0)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      _ = try await bench.runner.run(held.proposal, in: run)
      #expect(bench.connector.receipts.count == 1)
    }
  }

  @Test("only managers are asked who may decide, of people who may; a rung without anybody is passed over")
  func managersOfThoseWhoCouldDecide() async throws {
    // Ana asked for the run: her manager is not asked, and she is not asked as Ben's.
    let clerks = #"{ roles: ["clerk", "finance"], within: "P5D", escalate: [{ after: "P1D", to: "manager" }] }"#
    try await withHeld(clerks) { bench, held, run in
      try await bench.setPeople { directory in
        directory.people.map { person in
          let manager = ["ana": "eva", "ben": "ana"][person.id] ?? person.manager
          return Directory.Person(id: person.id, name: person.name, roles: person.roles, accounts: person.accounts, manager: manager)
        }
      }
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().escalated == 1)
      // Of Cleo Dora; of Ben, past Ana, Eva.
      #expect(try await record(bench, held, run).escalatedTo("staged", stage: 1) == ["user:eva", "user:dora"])
    }
    let owner = #"{ roles: ["owner"], within: "P5D", escalate: [{ after: "P1D", to: "manager" }, { after: "P2D", to: "role:board" }] }"#
    try await withHeld(owner) { bench, held, run in
      bench.clock.advance(.seconds(86_400))
      let passed = try await bench.gate.passTime()
      #expect(passed.escalated == 1)
      #expect(try await record(bench, held, run).escalatedTo("staged", stage: 1) == ["role:board"])
      #expect(try await bench.gate.passTime().escalated == 0)
    }
  }

  @Test func aLaterStageHasItsOwnLadder() async throws {
    let staged =
      #"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }], within: "P5D", escalate: [{ after: "P1D", to: "role:board" }] }"#
    try await withHeld(staged) { bench, held, run in
      bench.clock.advance(.seconds(86_000))
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      bench.clock.advance(.seconds(1000))
      #expect(try await bench.gate.passTime().escalated == 0)
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().escalated == 1)
      let record = try await record(bench, held, run)
      #expect(record.escalatedTo("staged", stage: 2) == ["role:board"] && record.escalatedTo("staged", stage: 1).isEmpty)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("eva"), digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
    }
  }

  @Test func moreTimeIsBoundedAndOnRecord() async throws {
    try await withHeld(#"{ roles: ["finance"], within: "P1D" }"#) { bench, held, run in
      let day = Duration.seconds(86_400)
      var expires = try #require(held.expires)
      #expect(await refusal(bench, held, .extend(until: expires + day + day, reason: "x"), by: "ben") == "arguments-invalid")
      #expect(await refusal(bench, held, .extend(until: expires, reason: "x"), by: "ben") == "arguments-invalid")
      #expect(await refusal(bench, held, .extend(until: expires + day, reason: "x"), by: "cleo") == "not-eligible")
      #expect(await refusal(bench, held, .extend(until: expires + day, reason: "x"), by: "ana") == "not-eligible")
      for person in ["ben", "olaf", "ben"] {
        expires = expires + day
        try await bench.gate.note(held.proposal, .extend(until: expires, reason: "later"), by: Workbench.person(person))
      }
      #expect(await refusal(bench, held, .extend(until: expires + day, reason: "x"), by: "ben") == "rate-limit")
      bench.clock.advance(.seconds(86_400 * 3))
      #expect(try await bench.gate.passTime().expired == 0)
      bench.clock.advance(.seconds(86_400 * 2))
      #expect(try await bench.gate.passTime().expired == 1)
      #expect(try await bench.status(held.proposal, in: run) == .expired)
    }
  }

  // MARK: Questions

  @Test func questionsAreAnsweredByThoseWhoKnow() async throws {
    try await withHeld(#"{ roles: ["finance"] }"#) { bench, held, run in
      #expect(await refusal(bench, held, .answer("nothing"), by: "ana") == "not-held")
      #expect(await refusal(bench, held, .ask("why?"), by: "cleo") == "not-eligible")
      #expect(await refusal(bench, held, .ask(""), by: "ben") == "arguments-invalid")
      try await bench.gate.note(held.proposal, .ask("Which contract?"), by: Workbench.person("ben"))
      #expect(try await record(bench, held, run).openQuestions.map(\.by) == ["user:ben"])
      #expect(await refusal(bench, held, .answer("none"), by: "dora") == "not-eligible")
      try await bench.gate.note(held.proposal, .answer("The frame contract."), by: Workbench.person("ana"))
      #expect(try await record(bench, held, run).openQuestions.isEmpty)
      #expect(try await bench.status(held.proposal, in: run) == .held)
      for _ in 0..<GateLimits.openQuestions {
        try await bench.gate.note(held.proposal, .ask("And?"), by: Workbench.person("ben"))
      }
      #expect(await refusal(bench, held, .ask("And?"), by: "ben") == "rate-limit")
      _ = try await bench.gate.decide(held.proposal, .reject(reason: "no"), by: Workbench.person("ben"), digest: held.digest)
      #expect(await refusal(bench, held, .answer("late"), by: "ana") == "not-held")
    }
  }

  @Test func anAgentAnswersForItsOwnCallsAlone() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let held = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "high"]], run: run))
      #expect(held.verdict == .hold)
      func answer(_ id: String) async throws -> String? {
        try await bench.gate.submit(bench.agent("answer_reviewer", ["proposal": .string(id), "text": "the register"], run: run)).refusal?
          .code
      }
      #expect(try await answer(held.proposal) == "not-held")
      try await bench.gate.note(held.proposal, .ask("Who says so?"), by: Workbench.person("dora"))
      #expect(try await answer("p-other") == "not-held")
      #expect(try await answer(held.proposal) == nil)
      let record = try await record(bench, held, run)
      #expect(record.openQuestions.isEmpty && record.status == .held && record.notes.last?.by == "agent:bot")
      #expect(try await answer(held.proposal) == "not-held")
      try await bench.expectVerified()
    }
  }

  // MARK: Taking back

  @Test func onlyTheProposersSideTakesBack() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let held = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "high"]], run: run))
      for id in ["dora", "ben", "cleo"] {
        #expect(await bench.refusal(held, .withdraw(reason: "x"), by: Workbench.person(id))?.code == "not-eligible", "\(id)")
      }
      let outcome = try await bench.gate.decide(
        held.proposal, .withdraw(reason: "ordered twice"), by: Workbench.person("ana"), digest: held.digest)
      guard case .withdrawn = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      #expect(try await bench.status(held.proposal, in: run) == .withdrawn)
      // Nobody found the agent right or wrong by that.
      #expect(try await record(bench, held, run).judged == nil)
      try await bench.expectVerified()
    }
  }

  // MARK: Emergencies

  private static let glass =
    #"{ roles: ["finance", "owner"], count: 2, break_glass: { roles: ["compliance", "clerk"], review: ["board", "compliance"], within: "P1D" } }"#

  @Test func anEmergencyIsPassedAloneAndLookedAtByAnother() async throws {
    try await withHeld(Self.glass) { bench, held, run in
      // Ana asked for the run, Olaf has no role for it.
      for id in ["ana", "olaf", "ben"] {
        #expect(await bench.refusal(held, .breakGlass(reason: "fire"), by: Workbench.person(id))?.code == "not-eligible", "\(id)")
      }
      let outcome = try await bench.gate.decide(
        held.proposal, .breakGlass(reason: "fire"), by: Workbench.person("dora"), digest: held.digest)
      guard case .approved = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      _ = try await bench.runner.run(held.proposal, in: run)
      #expect(bench.connector.receipts.count == 1)
      let record = try await record(bench, held, run)
      #expect(record.reviewDue == record.votes[0].time + .seconds(86_400) && record.votes[0].isBreakGlass)
      let due = try await bench.gate.store.read { context in
        try context.database.query("SELECT review FROM proposal WHERE review IS NOT NULL", []) { Instant(milliseconds: $0.integer(0)) }
      }
      #expect(due == [record.reviewDue])
      #expect(await refusal(bench, held, .review(isRight: true, text: "fine"), by: "dora") == "not-eligible")
      #expect(await refusal(bench, held, .review(isRight: true, text: "fine"), by: "ana") == "not-eligible")
      try await bench.gate.note(held.proposal, .review(isRight: false, text: "no fire"), by: Workbench.person("eva"))
      #expect(await refusal(bench, held, .review(isRight: true, text: "again"), by: "eva") == "not-held")
      #expect(try await self.record(bench, held, run).reviewDue == nil)
    }
  }

  @Test("who passed one of two rules in an emergency reviews none, and nobody does before both are passed")
  func twoEmergencies() async throws {
    try await withHeld(
      """
      { roles: ["finance"], break_glass: { roles: ["compliance"], review: ["board"], within: "P1D" } } },
        { id: "second", hold: "bank.pay", when: "args.amount > 100.0",
          approval: { roles: ["finance"], break_glass: { roles: ["board"], review: ["compliance"], within: "P1D" } }
      """
    ) { bench, held, run in
      func pass(_ id: String) async throws -> DecisionOutcome {
        try await bench.gate.decide(held.proposal, .breakGlass(reason: "fire"), by: Workbench.person(id), digest: held.digest)
      }
      _ = try await pass("dora")
      #expect(await refusal(bench, held, .review(isRight: true, text: "early"), by: "eva") == "not-held")
      let outcome = try await pass("eva")
      guard case .approved = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      for id in ["eva", "dora"] {
        #expect(await refusal(bench, held, .review(isRight: true, text: "mine"), by: id) == "not-eligible", "\(id)")
      }
    }
  }

  @Test func withoutAWayForEmergenciesThereIsNone() async throws {
    try await withHeld(#"{ roles: ["finance"] }"#) { bench, held, run in
      #expect(await bench.refusal(held, .breakGlass(reason: "fire"), by: Workbench.person("ben"))?.code == "not-eligible")
      let status = try await bench.status(held.proposal, in: run)
      #expect(status == .held)
    }
  }

  @Test("a forged completion without enough people is found")
  func aForgedCompletionIsFound() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      let forged = EntryDrafting.decision(
        .approve, on: try await record(bench, held, run), run: run, by: "user:ben", identity: Workbench.person("ben"), isComplete: true)
      await #expect(throws: GovernanceLedger.Misfit.self) { try await bench.gate.store.append([forged]) }
    }
  }
}
