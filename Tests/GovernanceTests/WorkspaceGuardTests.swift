import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

@Suite struct WorkspaceGuardTests {
  static func rules(_ text: String) -> String { "{ policy: 'guard', rules: [\(text)] }" }
  static let freeze = rules("{ id: 'freeze', forbid: 'bank.*', reason: 'the bank is down' }")
  static let look = rules(
    "{ id: 'look', hold: 'bank.pay', when: 'run.amount > 10.0', approval: { roles: ['compliance'] }, reason: 'an alert' }")

  private func bench(_ body: (Workbench) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  @Test func aGuardCountsAtOnceForRunsThatAreUnderWay() async throws {
    try await bench { bench in
      let run = try await bench.assessed(amount: 50)
      let granted = try await bench.proposePayment(run)
      #expect(granted.verdict == .permit)
      let set = try await bench.gate.setGuard(Self.look, reason: "an alert", by: Workbench.operatorIdentity)
      #expect(set.verdict == .permit, "\(set.refusal?.message ?? "")")
      let refusal = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(granted.proposal, in: run) }
      #expect(refusal?.code == Refusal.Code.changed.rawValue)
      let held = try #require(try await bench.state(run).held.first)
      #expect(held.requirements.map(\.rule) == ["guard:look"])

      _ = try await bench.gate.setGuard(Self.freeze, reason: nil, by: Workbench.operatorIdentity)
      let other = try await bench.assessed(amount: 5)
      let forbidden = try await bench.proposePayment(other)
      #expect(forbidden.verdict == .forbid && forbidden.refusal?.message.contains("`guard:freeze`: the bank is down") == true)

      let cleared = try await bench.gate.setGuard(nil, reason: nil, by: Workbench.operatorIdentity)
      #expect(cleared.verdict == .permit)
      #expect(try await bench.gate.store.read { try $0.shared().guarding } == nil)
      let last = try await bench.assessed(amount: 5)
      #expect(try await bench.proposePayment(last).verdict == .permit)
    }
  }

  @Test("a guard that names a field that later disappears errs and holds")
  func aFieldThatDisappeared() async throws {
    try await bench { bench in
      let text = Self.rules("{ id: 'look', hold: 'bank.pay', when: \"run.iban == 'x'\", approval: { roles: ['compliance'] } }")
      _ = try await bench.gate.setGuard(text, reason: nil, by: Workbench.operatorIdentity)
      let process = Workbench.process.replacing("iban: { type: \"string\", sensitivity: \"confidential\", required: false },", with: "")
      #expect(process != Workbench.process)
      _ = try await bench.gate.makeRelease(Workbench.release(process: process), by: Workbench.operatorIdentity)
      let run = try await bench.assessed(amount: 50)
      let outcome = try await bench.proposePayment(run)
      #expect(outcome.verdict == .hold)
      #expect(outcome.matched.contains { $0.rule == "guard:look" && $0.basis == .error })
      // Who sets it now is told.
      await #expect(throws: Diagnostics.self) { _ = try await bench.gate.setGuard(text, reason: nil, by: Workbench.operatorIdentity) }
    }
  }

  @Test func aProcessIsToldWhatTheGuardMeansForIt() async throws {
    try await bench { bench in
      let release = try Release.load(Workbench.release(), directory: nil)
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      func said(_ rules: String) -> (rules: [String], codes: [String]) {
        let guarding = WorkspaceGuard(text: Self.rules(rules), by: "user:root", entry: 7)
        return (guarding.rules(about: release), guarding.warnings(about: release, directory: directory).map(\.code))
      }
      let other = said("{ id: 'a', forbid: 'erp.*', when: 'run.nothing > 1' }, { id: 'b', forbid: 'bank.*', when: 'run.amount > 1.0' }")
      #expect(other.rules == ["guard:b"] && other.codes == [])
      let missing = said("{ id: 'b', hold: 'bank.pay', when: 'run.amont > 1.0', approval: { roles: ['finance'] } }")
      #expect(missing.rules == ["guard:b"] && missing.codes == ["guard-errs"])
      let crowded = said("{ id: 'b', hold: 'bank.pay', approval: { roles: ['compliance'], count: 3 } }")
      #expect(crowded.codes == ["unsatisfiable-hold"])
      #expect(said("{ id: 'b', nonsense: 1 }").codes == ["guard-invalid"])
    }
  }

  @Test(
    "names that nothing has are found when a guard is set, with their place and the nearest known one",
    arguments: [
      ("{ id: 'b', hold: 'bank.pay', approval: { roles: ['complience'] } }", "complience", "did you mean `compliance`?"),
      ("{ id: 'b', forbid: 'bank.pay', by: 'user:bem' }", "bem", "did you mean `ben`?"),
      ("{ id: 'b', forbid: 'bank.pay', when: 'run.amont > 1.0' }", "amont", "did you mean `amount`?"),
    ])
  func misspeltNames(_ rule: String, _ name: String, _ hint: String) async throws {
    try await bench { bench in
      let found = await #expect(throws: Diagnostics.self) {
        _ = try await bench.gate.setGuard(Self.rules(rule), file: "guard.json5", reason: nil, by: Workbench.operatorIdentity)
      }
      let first = try #require(found?.all.first)
      #expect(first.message.contains("`\(name)`") && first.hint == hint, "\(first)")
      #expect(first.position?.file == "guard.json5" && first.position?.line == 1)
    }
  }

  @Test func whoGovernsTheGuardAgrees() async throws {
    try await bench { bench in
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      let governed = Directory(people: directory.people, roles: directory.roles, governs: [.guarding: .role("compliance")])
      _ = try await bench.gate.setDirectory(governed, by: Workbench.operatorIdentity)
      let asked = try await bench.gate.setGuard(Self.freeze, reason: nil, by: Workbench.person("ana"))
      #expect(asked.verdict == .hold && asked.requirements.flatMap(\.roles) == ["compliance"])
      _ = try await bench.gate.decide(asked.proposal, .approve, by: Workbench.person("dora"), digest: asked.digest)
      #expect(try await bench.gate.store.read { try $0.shared().guarding?.text } == Self.freeze)
    }
  }

  @Test func agentsAndStrangersSetNoGuard() async throws {
    try await bench { bench in
      let run = try await bench.start()
      let agent = try await bench.gate.submit(bench.agent("guard.set", [:], run: run))
      #expect(agent.refusal?.code == Refusal.Code.toolNotGranted.rawValue)
      let person = try await bench.gate.setGuard(nil, reason: nil, by: Workbench.person("ana"))
      #expect(person.verdict == .forbid)
      await #expect(throws: Diagnostics.self) {
        _ = try await bench.gate.setGuard(Self.rules("{ id: 'p', permit: '*' }"), reason: nil, by: Workbench.operatorIdentity)
      }
    }
  }
}
