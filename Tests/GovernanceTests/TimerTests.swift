import Audit
import Core
internal import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

@testable import Governance

/// Timers of runs through the gate: found by index, fired once, at rest while work is stopped.
@Suite("Timers")
struct TimerTests {
  static let steps = """
    steps: [
      { wait: "P1D", id: "cool" },
    """

  private func withBench(_ process: String, _ body: (Workbench) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: process)
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  @Test func aWaitEndsOnceHoweverManyLook() async throws {
    try await withBench(Workbench.process.replacing("steps: [", with: Self.steps)) { bench in
      var runs: [String] = []
      for _ in 0..<3 { runs.append(try await bench.start()) }
      #expect(try await bench.gate.passTime().fired == 0)
      bench.clock.advance(.seconds(86_400))
      let fired = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await bench.gate.passTime().fired } }
        return try await group.reduce(0, +)
      }
      #expect(fired == 3)
      for run in runs { #expect(try await bench.state(run).state.openSteps.map(\.occurrence.id) == ["assess"]) }
      let size = try await bench.gate.store.read { $0.head.size }
      #expect(try await bench.gate.passTime().fired == 0)
      #expect(try await bench.gate.store.read { $0.head.size } == size, "looking leaves nothing in the log")
    }
  }

  @Test func timersRestWhileWorkIsStopped() async throws {
    try await withBench(Workbench.process.replacing("steps: [", with: Self.steps)) { bench in
      _ = try await bench.start()
      let stopped = try await bench.gate.setStop("process:payments", true, by: Workbench.operatorIdentity)
      #expect(stopped.verdict == .permit)
      bench.clock.advance(.seconds(2 * 86_400))
      let size = try await bench.gate.store.read { $0.head.size }
      #expect(try await bench.gate.passTime().fired == 0)
      #expect(try await bench.gate.store.read { $0.head.size } == size, "a timer that may not fire leaves nothing in the log")
      _ = try await bench.gate.setStop("process:payments", false, by: Workbench.operatorIdentity)
      #expect(try await bench.gate.passTime().fired == 1)
    }
  }

  @Test func dueTimersAreFoundByIndex() async throws {
    try await withBench(Workbench.process) { bench in
      let plan = try await bench.gate.store.read { context in
        try context.database.query("EXPLAIN QUERY PLAN \(PermissionGate.dueTimersQuery)", [.integer(0), .int(1)]) { $0.text(3) }
      }
      #expect(plan.allSatisfy { $0.hasPrefix("SEARCH") } && plan.first?.contains("timer_at") == true, "\(plan)")
    }
  }

  @Test func aLateBlockTakesWhatWaitsForApprovalWithIt() async throws {
    let process = Workbench.process.replacing(
      "steps: [", with: #"on: [{ timeout: "PT1H", of: "paying", then: [{ step: "tell", role: "clerk" }], after: "end" }], steps: ["#
    ).replacing(
      #"{ step: "pay", title: "Pay", tool: "bank.pay", arguments: { to: "run.payee", amount: "run.amount" } },"#,
      with: #"""
        { repeat: [{ step: "pay", title: "Pay", tool: "bank.pay", arguments: { to: "run.payee", amount: "run.amount" } }],
          until: "true", max: 2, id: "paying" },
        """#)
    try await withBench(process) { bench in
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      bench.clock.advance(.seconds(3600))
      #expect(try await bench.gate.passTime().fired == 1)
      #expect(try await bench.status(held.proposal, in: run) == .withdrawn)
      #expect(await bench.refusal(held, by: Workbench.person("ben")) != nil)
      #expect(try await bench.state(run).state.openSteps.map(\.occurrence.id) == ["tell"])
      #expect(bench.connector.receipts.isEmpty)
    }
  }

  @Test func aProcessWithAWayPastAControlIsNotReleased() async throws {
    let control = """
      controls: [{ id: "C9", statement: "Filing is checked.", before: "step:file", require: { approval: { roles: ["finance"] } } }],
      on: [{ timeout: "P1D", of: "file", then: [] }], steps: [
      """
    let process = Workbench.process.replacing("steps: [", with: control)
    try await withBench(Workbench.process) { bench in
      let error = await #expect(throws: Diagnostics.self) {
        try await bench.gate.makeRelease(Workbench.release(process: process), by: Workbench.operatorIdentity)
      }
      #expect(error?.all.map(\.code) == ["control-bypass"])
      #expect(error?.all.first?.message.contains("goes on without step `file`, before which control `C9` stands") == true)
      // What was released before this was checked can still be run.
      #expect(throws: Never.self) { try Release.load(Workbench.release(process: process), directory: nil) }
      let ends = process.replacing("then: []", with: "then: [], after: \"end\"")
      let made = try await bench.gate.makeRelease(Workbench.release(process: ends), by: Workbench.operatorIdentity)
      #expect(made.verdict == .permit)
    }
  }
}
