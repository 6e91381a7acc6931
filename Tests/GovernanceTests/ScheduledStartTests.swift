import Audit
import CEL
import Core
internal import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

@testable import Governance

/// Runs that the calendar starts: once, under the rules, and never for a moment that was over before the schedule was there.
@Suite("Scheduled starts")
struct ScheduledStartTests {
  /// 2027-01-15T08:00:00Z is when the bench's clock begins.
  static let daily = Workbench.process.replacing(
    "fields: [\"payee\", \"amount\"] }]", with: "fields: [\"payee\", \"amount\"] }, { schedule: \"0 9 * * *\" }]")

  private func withBench(
    _ process: String = daily, rules: String = Workbench.rules, _ body: (Workbench) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: rules, process: process)
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  private func runs(_ bench: Workbench) async throws -> Int {
    try await bench.gate.store.read { try $0.database.first("SELECT count(*) FROM run") { $0.int(0) } ?? 0 }
  }

  private func latest(_ bench: Workbench) async throws -> PlannedStarts.Start? {
    try await bench.gate.store.read { try bench.gate.schedules(at: bench.clock.source.now(), in: $0).first?.latest }
  }

  @Test func aMomentStartsOneRunHoweverManyLook() async throws {
    try await withBench { bench in
      #expect(try await bench.gate.passTime().started == 0, "nine o'clock of the day before was over when the process was released")
      bench.clock.advance(.seconds(3600))
      let started = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await bench.gate.passTime().started } }
        return try await group.reduce(0, +)
      }
      #expect(started == 1)
      let start = try #require(try await latest(bench))
      #expect(start.status == .done && start.time.iso8601 == "2027-01-15T09:00:00.000Z")
      let state = try await bench.state(start.run).state
      #expect(state.requester == "system:timer" && state.trigger == "schedule 0 9 * * * UTC")
      let size = try await bench.gate.store.read { $0.head.size }
      #expect(try await bench.gate.passTime().started == 0)
      #expect(try await bench.gate.store.read { $0.head.size } == size, "looking leaves nothing in the log")
    }
  }

  @Test func whatWasMissedIsMadeUpOnce() async throws {
    try await withBench { bench in
      bench.clock.advance(.seconds(10 * 86_400))
      let started = try await bench.gate.passTime().started
      #expect(started == 1)
      #expect(try await bench.gate.passTime().started == 0)
      #expect(try await latest(bench)?.time.iso8601 == "2027-01-24T09:00:00.000Z")
    }
  }

  @Test func aNewReleaseThatKeepsTheScheduleLosesNoStart() async throws {
    try await withBench { bench in
      bench.clock.advance(.seconds(3600))
      let next = Workbench.release(process: Self.daily.replacing("title: \"Payments\"", with: "title: \"Payments 2\""))
      let released = try await bench.gate.makeRelease(next, by: Workbench.operatorIdentity)
      #expect(released.verdict == .permit)
      #expect(try await bench.gate.passTime().started == 1)
      let without = Workbench.release()
      #expect(try await bench.gate.makeRelease(without, by: Workbench.operatorIdentity).verdict == .permit)
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().started == 0)
      #expect(try await bench.gate.makeRelease(next, by: Workbench.operatorIdentity).verdict == .permit)
      #expect(try await bench.gate.passTime().started == 0, "the schedule is back, but not for what was over before")
    }
  }

  @Test func startsRestWhileWorkIsStopped() async throws {
    try await withBench { bench in
      _ = try await bench.gate.setStop("process:payments", true, by: Workbench.operatorIdentity)
      bench.clock.advance(.seconds(2 * 86_400))
      let size = try await bench.gate.store.read { $0.head.size }
      #expect(try await bench.gate.passTime().started == 0)
      #expect(try await bench.gate.store.read { $0.head.size } == size)
      _ = try await bench.gate.setStop("process:payments", false, by: Workbench.operatorIdentity)
      #expect(try await bench.gate.passTime().started == 1)
    }
  }

  @Test func aStartThatARuleForbidsIsKeptAndNotTriedAgain() async throws {
    let rules = Workbench.rules.replacing("rules: [", with: "rules: [ { id: \"no-starts\", forbid: \"run.start\", by: \"system:*\" },")
    try await withBench(rules: rules) { bench in
      bench.clock.advance(.seconds(3600))
      for _ in 0..<3 { #expect(try await bench.gate.passTime().started == 0) }
      #expect(try await runs(bench) == 0)
      let start = try #require(try await latest(bench))
      #expect(start.status == .forbidden)
      #expect(try await bench.entries(EntryType.proposal) == 3, "the directory, the release and one refused start")
    }
  }

  @Test func theCalendarStartsNothingElse() async throws {
    try await withBench { bench in
      for trigger in ["payment-request", nil, "schedule 0 8 * * * UTC"] {
        var arguments: JSONObject = ["process": "payments"]
        arguments["trigger"] = trigger.map { .string($0) }
        let outcome = try await bench.gate.submit(
          Proposal(id: bench.gate.mintID(), principal: "system:timer", tool: "run.start", arguments: arguments, run: bench.gate.mintRunID())
        )
        #expect(outcome.verdict == .forbid && outcome.refusal?.code == Refusal.Code.toolNotGranted.rawValue)
      }
      let byPerson = try await bench.gate.submit(
        bench.person("ana", "run.start", ["process": "payments", "trigger": "schedule 0 9 * * * UTC"], run: bench.gate.mintRunID()))
      #expect(byPerson.verdict == .forbid, "a schedule is nobody's form")
    }
  }

  @Test func aZoneThatThisMachineLacksStartsNothingAndSaysSo() async throws {
    try await withBench(Self.daily.replacing("\"0 9 * * *\"", with: "\"0 9 * * *\", zone: \"Mars/Olympus\"")) { bench in
      bench.clock.advance(.seconds(86_400))
      #expect(try await bench.gate.passTime().started == 0)
      let planned = try await bench.gate.store.read { try bench.gate.schedules(at: bench.clock.source.now(), in: $0) }
      #expect(planned.map(\.isZoneKnown) == [false])
    }
  }
}
