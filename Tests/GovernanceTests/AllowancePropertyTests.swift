import Audit
import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// Whatever rules there are: an allowance answers earned permits and nothing else.
@Suite("What an allowance cannot do")
struct AllowancePropertyTests {
  private static let rules = [
    #"{ id: "earned", permit: "bank.pay", by: "agent:*", autonomy: "earned", approval: { roles: ["finance"] } }"#,
    #"{ id: "earned-small", permit: "bank.*", when: "args.amount < 500.0", autonomy: "earned" }"#,
    #"{ id: "permit", permit: "bank.pay", when: "args.amount < 300.0" }"#,
    #"{ id: "hold", hold: "bank.pay", when: "args.amount > 600.0", approval: { roles: ["finance"] } }"#,
    #"{ id: "hold-all", hold: "*", by: "agent:bot", approval: { roles: ["compliance"] } }"#,
    #"{ id: "forbid", forbid: "bank.pay", when: "args.amount > 800.0" }"#,
    #"{ id: "erring-hold", hold: "bank.pay", when: "run.iban == 'x'", approval: { roles: ["finance"] } }"#,
    #"{ id: "erring-forbid", forbid: "bank.pay", when: "args.amount < 50.0 && run.iban == 'x'" }"#,
  ]
  private static let control = """
    controls: [{ id: "C1", statement: "Large payments are seen.", before: "tool:bank.pay", when: "run.amount > 400.0",
      require: { approval: { roles: ["compliance"] } } }],
    steps: [
    """

  @Test func itNeverTurnsAHoldOrAForbidOfAnotherRuleIntoAPermit() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Workbench.earningRules, process: Workbench.earningProcess)
      let runs = [try await bench.start(amount: 50), try await bench.start(amount: 500)]
      var random = SeededGenerator(seed: 28)
      var permits = 0
      for round in 0..<150 {
        let some = Self.rules.filter { _ in Bool.random(using: &random) }.shuffled(using: &random)
        let process = Bool.random(using: &random) ? Workbench.process : Workbench.process.replacing("steps: [", with: Self.control)
        let bundle = Workbench.release(rules: "{ policy: \"p\", rules: [\(some.joined(separator: ","))] }", process: process)
        let release = try Release.load(bundle, directory: nil)
        var terms = bench.terms(["agents": ["bot"]])
        if Bool.random(using: &random) { terms["bounds"] = .null }
        terms["bounds"] = [["at": "/amount", "maximum": .int(Int.random(in: 0...1000, using: &random))]]
        let allowance = try Allowance(json: .object(terms))
        let basis = AllowanceBasis(reviewed: 9, wrong: 0, pins: AllowancePins(allowance, in: release, SharedState(), model: nil))
        let record = AllowanceRecord(
          allowance: allowance, basis: basis, proposer: "user:ana", approver: "user:olaf", entry: 0, granted: bench.clock.source.now())
        let run = try await bench.state(runs[round % 2])
        var view = GateView(
          shared: try await bench.gate.store.read { try $0.shared() }, run: run, release: release, now: bench.clock.source.now())
        view.shared.allowances = [record]
        let amount = JSON.int(Int.random(in: 0...1000, using: &random))
        let proposal = bench.agent("bank.pay", ["to": "Acme", "amount": amount], run: run.state.id)
        let without = Judge.judge(proposal, in: view)
        var usage = AllowanceUsage()
        usage.counts = [allowance.name: [AllowanceUsage.Count(calls: 0, sum: JSONNumber(0))]]
        view.usage = usage
        let with = Judge.judge(proposal, in: view)
        if with.verdict == .permit, without.verdict != .permit {
          permits += 1
          // Every hold was an earned permit that asks for nothing but an allowance.
          let holds = without.matched.filter { $0.effect == .hold }
          #expect(without.verdict == .hold && !holds.isEmpty, "round \(round)")
          #expect(holds.allSatisfy { $0.basis == .noAllowance }, "round \(round): \(holds)")
          #expect(!with.uses.isEmpty, "round \(round)")
        }
        #expect(with.verdict <= without.verdict, "round \(round): an allowance made it stricter")
        if without.verdict == .forbid { #expect(with.verdict == .forbid, "round \(round)") }
        if with.verdict != .permit { #expect(with.uses.isEmpty, "round \(round)") }
      }
      #expect(permits > 10, "the property was hardly tried: \(permits)")
    }
  }
}
