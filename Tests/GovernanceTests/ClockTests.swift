import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

@Suite struct ClockTests {
  /// The clocks of a machine: the wall clock can be moved, the other cannot.
  private final class Machine: Sendable {
    let wall = ManualClock()
    private let inner = Locked((boot: "b1", elapsed: Int64(1000)))

    func pass(_ duration: Duration) {
      wall.advance(duration)
      inner.withLock { $0.elapsed += duration.milliseconds }
    }
    func restart() { inner.withLock { $0 = ("b2", 10) } }
    func watch(_ file: String?) -> ClockWatch {
      ClockWatch(file: file) { [self] in
        inner.withLock { ClockWatch.Observation(boot: $0.boot, elapsed: $0.elapsed, wall: wall.source.now()) }
      }
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var jump: Duration
    var isRestarted = false
    var isSuspect = true
  }

  static let day = Duration.seconds(86_400)
  static let cases = [
    Case(testDescription: "ten years ahead while it runs", jump: day * 3650),
    Case(testDescription: "ten years back while it runs", jump: day * -3650),
    Case(testDescription: "ten years ahead at a start", jump: day * 3650, isRestarted: true),
    Case(testDescription: "ten years back at a start", jump: day * -3650, isRestarted: true),
    Case(testDescription: "two hours ahead while it runs", jump: .seconds(7200)),
    Case(testDescription: "two hours ahead at a start", jump: .seconds(7200), isRestarted: true, isSuspect: false),
    Case(testDescription: "two hours back at a start", jump: .seconds(-7200), isRestarted: true),
    Case(testDescription: "half an hour while it runs", jump: .seconds(1800), isSuspect: false),
    Case(testDescription: "half an hour back while it runs", jump: .seconds(-1800), isSuspect: false),
  ]

  @Test("T15 a clock that jumps expires nothing and executes nothing until a person confirms it", arguments: cases)
  func aJumpSuspends(_ test: Case) async throws {
    try await withTemporaryDirectory { folder in
      let machine = Machine()
      let first = try await Workbench(folder, clock: machine.wall, watch: machine.watch("\(folder)/clock.json"))
      try await first.prepare()
      let small = try await first.assessed(amount: 50)
      let granted = try await first.proposePayment(small)
      let large = try await first.assessed(amount: 500)
      let held = try await first.proposePayment(large)
      #expect(granted.verdict == .permit && held.verdict == .hold)
      _ = try await first.gate.passTime()
      await first.gate.store.close()

      if test.isRestarted { machine.restart() }
      machine.wall.advance(test.jump)
      let bench = try await Workbench(folder, clock: machine.wall, seed: 2, watch: machine.watch("\(folder)/clock.json"))
      let passed = try await bench.gate.passTime()
      if !test.isSuspect {
        #expect(try await bench.gate.store.read { try $0.shared().clock.suspicion } == nil)
        return
      }
      #expect(passed.expired == 0)
      _ = try await bench.gate.passTime()
      let marks = try await bench.entries(EntryType.clockSuspected)
      #expect(marks == 1, "it is recorded once")
      let refusal = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(granted.proposal, in: small) }
      #expect(refusal?.code == Refusal.Code.clockSuspect.rawValue)
      #expect(try await bench.status(held.proposal, in: large) == .held)
      // A decision is recorded all the same, and carried out later.
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      #expect(try await bench.status(held.proposal, in: large) == .granted)
      #expect(bench.connector.receipts.isEmpty)

      // The clock is set right again; that alone changes nothing.
      machine.wall.advance(.zero - test.jump)
      let still = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(granted.proposal, in: small) }
      #expect(still?.code == Refusal.Code.clockSuspect.rawValue)
      let confirmed = try await bench.gate.confirmClock(reason: "set right", by: Workbench.person("ana"))
      #expect(confirmed.verdict == .permit)
      let again = try await bench.gate.confirmClock(reason: nil, by: Workbench.person("ana"))
      #expect(again.refusal?.code == Refusal.Code.changed.rawValue)
      #expect(try await bench.gate.passTime().expired == 0)
      let grant = try await bench.gate.begin(granted.proposal, in: small)
      #expect(grant.timeLeft(at: machine.wall.source.now()) != nil)
      machine.pass(Self.day)
      #expect(try await bench.gate.checkClock())
      try await bench.expectVerified()
    }
  }

  @Test(
    "a jump is said to the nearest hour or day, since the two clocks are not read at one moment",
    arguments: [
      (day * 10 - .milliseconds(1), "forward by 10 days"), (day * -10 + .milliseconds(1), "back by 10 days"),
      (.seconds(7199), "forward by 2 hours"), (.seconds(-47 * 3600 - 1), "back by 47 hours"),
    ])
  func jumpsAreSaidToTheNearest(_ jump: Duration, _ words: String) {
    let machine = Machine()
    let watch = machine.watch(nil)
    #expect(watch.problem { nil } == nil)
    machine.wall.advance(jump)
    #expect(watch.problem { nil } == "the wall clock was moved \(words) while the machine ran")
  }

  @Test func whatExpiredStaysExpired() async throws {
    try await withTemporaryDirectory { folder in
      let machine = Machine()
      let bench = try await Workbench(folder, clock: machine.wall, watch: machine.watch(nil))
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.passTime()
      machine.pass(Self.day * 2)
      #expect(try await bench.gate.passTime().expired == 1)
      machine.wall.advance(Self.day * -2)
      _ = try await bench.gate.passTime()
      #expect(await bench.refusal(held, by: Workbench.person("ben"))?.code == Refusal.Code.notHeld.rawValue)
    }
  }

  @Test func agentsDoNotConfirmTheClock() async throws {
    try await withTemporaryDirectory { folder in
      let machine = Machine()
      let bench = try await Workbench(folder, clock: machine.wall, watch: machine.watch(nil))
      try await bench.prepare()
      let run = try await bench.start()
      #expect(try await bench.gate.checkClock())
      machine.wall.advance(Self.day)
      #expect(try await !bench.gate.checkClock())
      let outcome = try await bench.gate.submit(bench.agent("clock.confirm", ["at": 1], run: run))
      #expect(outcome.refusal?.code == Refusal.Code.toolNotGranted.rawValue)
    }
  }
}
