import Audit
import Core
import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

@testable import Governance

/// Who may take, give away, skip and send back steps, and pause runs.
@Suite("Work through the gate")
struct WorkThroughGateTests {
  static let process = Workbench.process.replacing(
    "{ step: \"file\", title: \"File it\", role: \"clerk\", form: [] }",
    with: """
      { step: "file", title: "File it", role: "clerk", form: [], skip: "role:compliance" },
      { step: "close", title: "Close it", role: "clerk", form: [] }
      """
  ).replacing(
    "steps: [",
    with: """
      on: [ { timeout: "P1D", of: "file", escalate: "role:finance" } ],
      controls: [ { id: "C9", statement: "Filing is checked.", before: "step:file", require: { approval: { roles: ["finance"] } } } ],
      steps: [ { step: "collect", role: "clerk", form: [] },
      """)

  private func withBench(_ body: (Workbench, String) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: Self.process)
      let run = try await bench.start()
      try await body(bench, run)
      try await bench.expectVerified()
    }
  }

  private func submit(
    _ bench: Workbench, _ who: String, _ tool: String, _ arguments: JSONObject = [:], _ run: String, _ step: String? = nil
  ) async throws -> String {
    let outcome = try await bench.gate.submit(bench.person(who, tool, arguments, run: run, step: step))
    return outcome.verdict == .permit ? "permit" : outcome.verdict == .hold ? "hold" : outcome.refusal?.code ?? "forbidden"
  }

  @Test func onlyThoseWhoMayDoAStepTakeIt() async throws {
    try await withBench { bench, run in
      #expect(try await submit(bench, "dora", "step.claim", [:], run, "collect") == "forbidden")
      #expect(try await submit(bench, "cleo", "step.claim", [:], run, "collect") == "permit")
      #expect(try await submit(bench, "ana", "step.claim", [:], run, "collect") == "step-taken")
      #expect(try await submit(bench, "ana", "complete_step", [:], run, "collect") == "step-not-open")
      #expect(try await submit(bench, "ana", "step.release", [:], run, "collect") == "forbidden")
      #expect(try await submit(bench, "cleo", "step.delegate", ["to": "user:dora"], run, "collect") == "not-eligible")
      #expect(try await submit(bench, "cleo", "step.delegate", ["to": "user:nobody"], run, "collect") == "arguments-invalid")
      #expect(try await submit(bench, "ana", "step.delegate", ["to": "user:ana"], run, "collect") == "forbidden")
      #expect(try await submit(bench, "cleo", "step.delegate", ["to": "user:ana"], run, "collect") == "permit")
      // Whose it was cannot complete it any more.
      #expect(try await submit(bench, "cleo", "complete_step", [:], run, "collect") == "step-not-open")
      // Who loses the role has nothing left of it; the owner gives the step back to all.
      try await bench.setPeople { directory in
        directory.people.map { person in
          Directory.Person(
            id: person.id, name: person.name, roles: person.id == "ana" ? [] : person.roles, accounts: person.accounts, manager: nil)
        }
      }
      #expect(try await submit(bench, "ana", "complete_step", [:], run, "collect") == "step-not-open")
      #expect(try await submit(bench, "olaf", "step.release", [:], run, "collect") == "permit")
      #expect(try await submit(bench, "cleo", "complete_step", [:], run, "collect") == "permit")
    }
  }

  @Test func onlyTheOwnerReassigns() async throws {
    try await withBench { bench, run in
      let dora: JSONObject = ["to": "user:dora", "text": "a hard one"]
      let byAna = try await submit(bench, "ana", "step.reassign", dora, run, "collect")
      #expect(byAna == "forbidden")
      #expect(try await submit(bench, "olaf", "step.reassign", ["to": "role:clrk", "text": "x"], run, "collect") == "arguments-invalid")
      #expect(try await submit(bench, "olaf", "step.reassign", ["to": "agent:bot", "text": "x"], run, "collect") == "arguments-invalid")
      #expect(try await submit(bench, "olaf", "step.reassign", dora, run, "collect") == "permit")
      #expect(try await submit(bench, "ana", "complete_step", [:], run, "collect") == "step-not-open")
      #expect(try await submit(bench, "dora", "complete_step", [:], run, "collect") == "permit")
    }
  }

  @Test func nobodyReassignsAStepThatIsNotTheirsToThemselves() async throws {
    try await withBench { bench, run in
      for to in ["user:olaf", "role:owner"] {
        let verdict = try await submit(bench, "olaf", "step.reassign", ["to": .string(to), "text": "mine"], run, "collect")
        #expect(verdict == "not-eligible")
      }
      #expect(try await submit(bench, "olaf", "complete_step", [:], run, "collect") == "step-not-open")
    }
  }

  private func toFiling(_ bench: Workbench, _ run: String, pays: Bool = true) async throws {
    #expect(try await submit(bench, "ana", "complete_step", [:], run, "collect") == "permit")
    let assessed = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
    #expect(assessed.verdict == .permit)
    guard pays else { return }
    let payment = try await bench.proposePayment(run)
    #expect(try await bench.runner.run(payment.proposal, in: run).kind == .finished)
  }

  @Test func aControlHoldsGoingPastItsStep() async throws {
    try await withBench { bench, run in
      try await toFiling(bench, run)
      #expect(try await submit(bench, "ana", "step.skip", ["text": "x"], run, "file") == "forbidden")
      let skip = try await bench.gate.submit(bench.person("dora", "step.skip", ["text": "filed in May"], run: run, step: "file"))
      #expect(skip.verdict == .hold && skip.matched.contains { $0.rule == "control:C9" })
      _ = try await bench.gate.decide(skip.proposal, .approve, by: Workbench.person("ben"), digest: skip.digest)
      #expect(try await bench.state(run).state.step(Occurrence("file"))?.closure == .skipped)
      #expect(try await submit(bench, "dora", "step.skip", ["text": "x"], run, "close") == "forbidden")
      #expect(try await submit(bench, "olaf", "step.skip", ["text": "x"], run, "close") == "not-skippable")
    }
  }

  @Test func aControlHoldsGoingOnFromAnExceptionAtItsStep() async throws {
    try await withBench { bench, run in
      try await toFiling(bench, run)
      #expect(try await submit(bench, "ana", "raise_exception", ["code": "lost", "text": "no cabinet"], run, "file") == "permit")
      let exception = try #require(try await bench.state(run).state.exceptions.first?.id)
      func resolve(_ resolution: String) async throws -> GateOutcome {
        try await bench.gate.submit(
          bench.person("olaf", "resolve_exception", ["exception": .string(exception), "resolution": .string(resolution)], run: run))
      }
      let proceed = try await resolve("proceed")
      #expect(proceed.verdict == .hold && proceed.matched.contains { $0.rule == "control:C9" })
      #expect(try await bench.state(run).state.step(Occurrence("file"))?.isDone == false)
      #expect(try await resolve("retry").verdict == .permit, "doing it again goes past nothing")
    }
  }

  @Test func whoWentPastAStepIsAsExcludedAsWhoDidIt() async throws {
    let process = Self.process.replacing("skip: \"role:compliance\" }", with: "skip: \"role:finance\" }").replacing(
      "controls: [ {",
      with: """
        controls: [ { id: "C10", statement: "Closing is checked by others.", before: "step:close",
          require: { approval: { roles: ["finance"], not: ["step:file"] } } }, {
        """)
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: process)
      let run = try await bench.start()
      try await toFiling(bench, run)
      let skip = try await bench.gate.submit(bench.person("ben", "step.skip", ["text": "filed in May"], run: run, step: "file"))
      _ = try await bench.gate.decide(skip.proposal, .approve, by: Workbench.person("cleo"), digest: skip.digest)
      let close = try await bench.gate.submit(bench.person("ana", "complete_step", [:], run: run, step: "close"))
      #expect(close.verdict == .hold)
      #expect(await bench.refusal(close, by: Workbench.person("ben"))?.code == "not-eligible")
    }
  }

  @Test func workIsNotSentBackOverWhatReachedTheOutside() async throws {
    try await withBench { bench, run in
      try await toFiling(bench, run)
      let back: JSONObject = ["to": "collect", "text": "wrong amount"]
      #expect(try await submit(bench, "ana", "step.send_back", back, run, "file") == "effect-in-between")
      #expect(bench.connector.receipts.count == 1)
      let other = try await bench.start(amount: 500)
      try await toFiling(bench, other, pays: false)
      let held = try await bench.proposePayment(other)
      #expect(held.verdict == .hold)
      #expect(try await submit(bench, "ana", "step.send_back", back, other, "pay") == "forbidden")
      #expect(try await submit(bench, "olaf", "step.send_back", back, other, "pay") == "permit")
      // What was held for the step that is undone can never be carried out.
      #expect(try await bench.status(held.proposal, in: other) == .withdrawn)
      #expect(try await bench.state(other).state.openSteps.map(\.occurrence.id) == ["collect"])
      try await toFiling(bench, other, pays: false)
      #expect(try await bench.proposePayment(other).verdict == .hold)
    }
  }

  @Test func whatWasApprovedBeforeThePauseBeginsAfterIt() async throws {
    try await withBench { bench, _ in
      let run = try await bench.start(amount: 500)
      try await toFiling(bench, run, pays: false)
      let (approved, held) = (try await bench.proposePayment(run), try await bench.proposePayment(run))
      _ = try await bench.gate.decide(approved.proposal, .approve, by: Workbench.person("ben"), digest: approved.digest)
      #expect(try await submit(bench, "olaf", "run.pause", ["text": "wait"], run) == "permit")
      #expect(await bench.refusal(held, by: Workbench.person("ben"))?.code == "run-paused")
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(approved.proposal, in: run) }
      #expect(refusal?.code == "run-paused" && bench.connector.receipts.isEmpty)
      #expect(try await bench.status(approved.proposal, in: run) == .granted)
      #expect(try await submit(bench, "olaf", "run.resume", [:], run) == "permit")
      #expect(try await bench.runner.run(approved.proposal, in: run).kind == .finished)
      #expect(bench.connector.receipts.count == 1)
    }
  }

  @Test func aPausedRunTakesNothingAndItsTimersRest() async throws {
    try await withBench { bench, run in
      try await toFiling(bench, run)
      #expect(try await submit(bench, "dora", "run.pause", ["text": "x"], run) == "forbidden")
      #expect(try await submit(bench, "ana", "run.pause", ["text": "wait"], run) == "permit")
      #expect(try await submit(bench, "ana", "complete_step", [:], run, "file") == "run-paused")
      bench.clock.advance(.seconds(2 * 86_400))
      let size = try await bench.gate.store.read { $0.head.size }
      #expect(try await bench.gate.passTime().fired == 0)
      #expect(try await bench.gate.store.read { $0.head.size } == size, "time that passes in a paused run leaves nothing in the log")
      #expect(try await submit(bench, "cleo", "run.resume", [:], run) == "forbidden")
      #expect(try await submit(bench, "olaf", "run.resume", [:], run) == "permit")
      #expect(try await bench.gate.passTime().fired == 0)
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().fired == 1)
      let queues = try await bench.gate.store.read { view in
        try view.database.query("SELECT performer FROM work WHERE run = ? ORDER BY 1", [.text(run)]) { $0.text(0) }
      }
      #expect(queues == ["role:clerk", "role:finance"], "a late step stands in both queues")
      #expect(try await submit(bench, "ben", "step.claim", [:], run, "file") == "permit")
    }
  }
}
