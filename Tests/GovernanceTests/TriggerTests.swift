import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// Who may start a run by which trigger.
@Suite("Triggers")
struct TriggerTests {
  static let process = Workbench.process.replacing(
    "triggers: [",
    with: """
      triggers: [
        { event: "crm.paid", role: "finance", fields: ["payee", "amount"] }, { event: "crm.closed", fields: [] },
        { schedule: "0 9 1 * *" },
      """)

  struct Case: Sendable, CustomTestStringConvertible {
    var who: String
    var trigger: String?
    var verdict: Outcome
    var testDescription: String { "\(who) by \(trigger ?? "the only form")" }
  }

  static let cases = [
    Case(who: "ana", verdict: .permit), Case(who: "ana", trigger: "payment-request", verdict: .permit),
    Case(who: "ben", verdict: .forbid), Case(who: "ben", trigger: "crm.paid", verdict: .permit),
    Case(who: "ana", trigger: "crm.paid", verdict: .forbid), Case(who: "olaf", trigger: "crm.paid", verdict: .forbid),
    Case(who: "olaf", trigger: "crm.closed", verdict: .permit), Case(who: "ben", trigger: "crm.closed", verdict: .forbid),
    Case(who: "olaf", trigger: "schedule 0 9 1 * * UTC", verdict: .forbid), Case(who: "olaf", trigger: "crm.other", verdict: .forbid),
  ]

  @Test(arguments: cases) func aTriggerIsForItsRole(_ test: Case) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: Self.process)
      var arguments: JSONObject = ["process": "payments"]
      if test.trigger != "crm.closed" { arguments["fields"] = ["payee": "Acme", "amount": 50] }
      arguments["trigger"] = test.trigger.map { .string($0) }
      let run = bench.gate.mintRunID()
      let outcome = try await bench.gate.submit(bench.person(test.who, "run.start", arguments, run: run))
      #expect(outcome.verdict == test.verdict, "\(outcome.refusal?.message ?? "")")
      guard outcome.verdict == .permit, let field = try await bench.state(run).state.field("payee") else { return }
      #expect(field.origin.trusted == (test.trigger != "crm.paid"), "nobody vouches for what an event says")
    }
  }
}
