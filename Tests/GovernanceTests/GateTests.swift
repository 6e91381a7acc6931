import Audit
import Core
import Governance
import PolicyEngine
internal import ProcessModel
import TestSupport
import Testing

@Suite("The gate")
struct GateTests {
  @Test func aRunGoesFromItsStartToItsEnd() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 50)
      let payment = try await bench.proposePayment(run)
      #expect(payment.isGranted)
      #expect(payment.matched.map(\.rule) == ["small-payments"])
      let outcome = try await bench.runner.run(payment.proposal, in: run)
      #expect(outcome.kind == .finished)
      #expect(try await bench.state(run).state.fact("receipt")?.value == "R-1")
      let filed = try await bench.gate.submit(bench.person("ana", "complete_step", [:], run: run, step: "file"))
      #expect(filed.verdict == .permit, "\(filed.refusal?.message ?? "")")
      #expect(filed.matched.map(\.rule) == ["step:file"])
      #expect(try await bench.state(run).state.status == .completed)
      #expect(bench.connector.receipts.count == 1)
      try await bench.expectVerified()
    }
  }

  @Test func aHeldPaymentWaitsForSomeoneElse() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      #expect(held.requirements.map(\.roles) == [["finance"]])
      #expect(held.expires == bench.clock.source.now() + .seconds(86_400))
      let early = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
      #expect(early?.code == "not-granted")
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      #expect(try await bench.runner.run(held.proposal, in: run).kind == .finished)
      #expect(bench.connector.receipts.count == 1)
      try await bench.expectVerified()
    }
  }

  @Test func aHeldStateChangeHappensWithItsApproval() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let held = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "high"]], run: run))
      #expect(held.verdict == .hold)
      #expect(try await bench.state(run).state.value(of: "risk") == nil)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      #expect(!decided.events.isEmpty)
      #expect(try await bench.state(run).state.value(of: "risk") == "high")
      try await bench.expectVerified()
    }
  }

  @Test func anEditGetsItsOwnVerdictAndTheEditorCountsOnce() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 20_000)
      let held = try await bench.proposePayment(run)
      #expect(held.requirements.count == 2)
      // Two are required, so the editor alone is not enough.
      let edited = try await bench.gate.decide(
        held.proposal, .edit(arguments: ["to": "Acme", "amount": 15_000], reason: "part payment"), by: Workbench.person("ben"),
        digest: held.digest)
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      #expect(next.verdict == .hold)
      let again = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(next.proposal, .approve, by: Workbench.person("ben"), digest: next.digest)
      }
      #expect(again?.code == "not-eligible")
      let second = try await bench.gate.decide(next.proposal, .approve, by: Workbench.person("cleo"), digest: next.digest)
      guard case .approved = second.standing else { Issue.record("\(second.standing)"); return }
      let gone = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      }
      #expect(gone?.code == "not-held")
      _ = try await bench.runner.run(next.proposal, in: run)
      #expect(bench.connector.receipts.count == 1)
      try await bench.expectVerified()
    }
  }

  @Test func anEditThatIsForbiddenIsRefusedAndTheProposalStillWaits() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start(amount: 500)
      let held = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 500], run: run))
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      let edits: [(JSONObject, Refusal.Code)] = [
        (["to": "Mallory", "amount": 500], .forbidden), (["to": "Acme", "amount": "500"], .argumentsInvalid),
      ]
      for (arguments, code) in edits {
        let refusal = await bench.refusal(held, .edit(arguments: arguments, reason: nil), by: Workbench.person("ben"))
        #expect(refusal?.code == code.rawValue)
        #expect(try await bench.status(held.proposal, in: run) == .held)
      }
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    var tool: String
    var arguments: JSONObject
    var code: String
    var testDescription: String { "\(tool) \(code)" }
  }

  static let refused: [Refused] = [
    Refused(tool: "bank.pay", arguments: ["to": "Acme"], code: "arguments-invalid"),
    Refused(tool: "bank.pay", arguments: ["to": "Acme", "amount": "100"], code: "arguments-invalid"),
    Refused(tool: "bank.pay", arguments: ["to": "Acme", "amount": 1, "extra": 1], code: "arguments-invalid"),
    Refused(tool: "bank.pay", arguments: ["to": "a\u{0}b", "amount": 1], code: "arguments-invalid"),
    Refused(
      tool: "bank.pay", arguments: ["to": .string(String(repeating: "x", count: 100_000)), "amount": 1], code: "arguments-too-large"),
    Refused(tool: "bank.pay", arguments: ["to": "Acme", "amount": .number(JSONNumber(9_007_199_254_740_993))], code: "not-representable"),
    Refused(tool: "bank.pay", arguments: ["to": "Mallory", "amount": 1], code: "forbidden"),
    Refused(tool: "bank.close", arguments: ["account": "1"], code: "tool-not-granted"),
    Refused(tool: "bank.poy", arguments: [:], code: "tool-unknown"),
    Refused(tool: "bank.p\u{430}y", arguments: [:], code: "tool-unknown"),
    Refused(tool: "complete_step", arguments: ["fields": ["payee": "Mallory"]], code: "field-not-in-form"),
    Refused(tool: "complete_step", arguments: ["fields": ["risk": "none"]], code: "field-invalid"),
    Refused(tool: "run.cancel", arguments: ["text": "x"], code: "tool-not-granted"),
    Refused(tool: "work.stop", arguments: ["scope": "all"], code: "tool-not-granted"),
    Refused(tool: "model.call", arguments: [:], code: "tool-not-granted"),
  ]

  @Test("T01 T02 T03 what an agent may not do is refused, with the reason, and nothing happens", arguments: refused)
  func refusals(_ refused: Refused) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let outcome = try await bench.gate.submit(bench.agent(refused.tool, refused.arguments, run: run))
      #expect(outcome.verdict == .forbid)
      #expect(outcome.refusal?.code == refused.code, "\(outcome.refusal?.message ?? "")")
      #expect(bench.connector.receipts.isEmpty)
      #expect(try await bench.state(run).state.openSteps.map(\.occurrence.id) == ["assess"])
      try await bench.expectVerified()
    }
  }

  static let large: JSONObject = ["list": .array((0..<10_000).map { .string("\($0) " + String(repeating: "x", count: 40)) })]

  @Test("what is too long is refused first and not kept, whatever it is about", arguments: ["no.such_tool", "bank.close", "bank.pay"])
  func sizes(_ tool: String) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let outcome = try await bench.gate.submit(bench.agent(tool, Self.large, run: run))
      #expect(outcome.refusal?.code == "arguments-too-large", "\(outcome.refusal?.message ?? "")")
      let entry = try await bench.gate.store.read { try $0.entry(at: outcome.entry) }
      #expect(entry?.content.map(\.part) == ["refusal"])
    }
  }

  @Test func theFormatsOfArgumentsAreKept() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let process = Workbench.process.replacing(#"to: { type: "string" }"#, with: #"to: { type: "string", format: "email" }"#)
      #expect(process != Workbench.process)
      try await bench.prepare(process: process)
      let run = try await bench.start(payee: "a@b.example")
      for (payee, code) in [("a@b.example", nil), ("not an address", "arguments-invalid")] {
        let outcome = try await bench.gate.submit(bench.agent("bank.pay", ["to": .string(payee), "amount": 1], run: run))
        #expect(outcome.refusal?.code == code, "\(outcome.refusal?.message ?? "")")
      }
    }
  }

  static let comparisons: [(condition: String, words: String?)] = [
    ("has(run.risk) && run.risk == 'hihg'", "unknown value `hihg`\nhint: did you mean `high`?"),
    ("run.risk in ['low', 'medium']", "unknown value `medium`"), ("'hgih' != run.risk", "did you mean `high`?"),
    ("step.risk == 'lwo'", "did you mean `low`?"), ("step.id == 'assess2'", "did you mean `assess`?"),
    ("has(args.fields) && args.fields.risk == 'hig'", "did you mean `high`?"), ("run.risk == 'high' && step.id == 'assess'", nil),
    ("run.payee == 'anything'", nil),
  ]

  @Test("a rule that compares with a value that can never be there is a mistake", arguments: comparisons)
  func impossibleComparisons(_ comparison: (condition: String, words: String?)) throws {
    let rule = #"{ id: "x", hold: "complete_step", when: "\#(comparison.condition)", approval: { roles: ["finance"] } },"#
    let bundle = Workbench.release(rules: Workbench.rules.replacing("rules: [", with: "rules: [ \(rule)"))
    guard let words = comparison.words else { return _ = try Release.load(bundle, directory: nil) }
    let problems = #expect(throws: Diagnostics.self) { try Release.load(bundle, directory: nil) }
    #expect(problems?.all.count == 1 && problems?.description.contains(words) == true, "\(problems?.description ?? "")")
  }

  static let holds: [(rule: String, isRefused: Bool)] = [
    (#"hold: "run.start", approval: { roles: ["finance"] }"#, true),
    (#"hold: "*", approval: { roles: ["finance"] }"#, true),
    (#"hold: "run.*", by: "role:clerk", when: "run.amount > 1.0", approval: { roles: ["finance"] }"#, true),
    (#"permit: "run.start", by: "user:ana", autonomy: "earned", approval: { roles: ["finance"] }"#, true),
    (#"hold: "*", by: "agent:*", approval: { roles: ["finance"] }"#, false),
    (#"hold: "*", step: "file", approval: { roles: ["finance"] }"#, false),
    (#"forbid: "run.start", when: "run.amount > 1000000.0""#, false),
  ]

  @Test("no release can hold what nobody could approve", arguments: holds)
  func startsAreNotHeld(_ hold: (rule: String, isRefused: Bool)) throws {
    let bundle = Workbench.release(rules: Workbench.rules.replacing("rules: [", with: "rules: [ { id: \"x\", \(hold.rule) },"))
    if !hold.isRefused {
      _ = try Release.load(bundle, directory: nil)
      return
    }
    let problems = #expect(throws: Diagnostics.self) { try Release.load(bundle, directory: nil) }
    #expect(problems?.all.map(\.code) == ["start-held"], "\(problems?.all.map(\.message) ?? [])")
    #expect(problems?.all.first?.position != nil)
  }

  @Test("T02 every tool for every principal: only what is granted passes")
  func matrix() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let arguments: [String: JSONObject] = [
        "bank.pay": ["to": "Acme", "amount": 1], "bank.balance": [:], "bank.close": ["account": "1"],
        "complete_step": ["fields": ["risk": "low"]],
        "set_fields": ["fields": ["risk": "low"]], "comment": ["text": "hi"],
      ]
      let permitted: Set<String> = [
        "agent:bot bank.pay", "agent:bot bank.balance", "agent:bot set_fields", "agent:bot comment", "user:ana comment",
      ]
      for tool in ["bank.balance", "bank.close", "bank.pay", "comment", "set_fields"] {
        for principal in ["agent:bot", "agent:other", "user:ana", "user:nobody", "system:engine", "system:timer", "system:root", "nobody"] {
          var proposal = Proposal(
            id: bench.gate.mintID(), principal: principal, tool: tool, arguments: arguments[tool] ?? [:], run: run, step: "assess")
          if principal.hasPrefix("user:") { proposal.identity = Workbench.person(String(principal.dropFirst(5))) }
          let outcome = try await bench.gate.submit(proposal)
          #expect(
            (outcome.verdict == .permit) == permitted.contains("\(principal) \(tool)"),
            "\(principal) \(tool): \(outcome.refusal?.message ?? "permitted")")
        }
      }
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  @Test func theSameProposalTwiceIsOne() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let proposal = bench.agent("comment", ["text": "once"], run: run)
      let first = try await bench.gate.submit(proposal)
      let second = try await bench.gate.submit(proposal)
      #expect(first.entry == second.entry)
      #expect(try await bench.state(run).state.comments.count == 1)
    }
  }

  @Test func aStopHoldsWhatIsQueued() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 50)
      let payment = try await bench.proposePayment(run)
      #expect(payment.isGranted)
      _ = try await bench.gate.setStop("all", true, by: Workbench.person("dora"))
      let stopped = await #expect(throws: Refusal.self) { try await bench.runner.run(payment.proposal, in: run) }
      #expect(stopped?.code == "stopped")
      #expect(bench.connector.receipts.isEmpty)
      let denied = try await bench.gate.setStop("all", false, by: Workbench.person("dora"))
      #expect(denied.verdict == .forbid)
      _ = try await bench.gate.setStop("all", false, by: Workbench.operatorIdentity)
      #expect(try await bench.runner.run(payment.proposal, in: run).kind == .finished)
      try await bench.expectVerified()
    }
  }

  @Test func rulesSeeHowFarAValueMayTravel() async throws {
    let rules = Workbench.rules.replacing(
      "rules: [",
      with: """
        rules: [
          { id: "correct", permit: "set_fields", by: "user:*" },
          { id: "no-payee-of-ours", forbid: "bank.pay", when: "labels.run.payee.sensitivity != 'internal'" },
          { id: "nothing-beside-an-iban", forbid: "bank.pay", when: "has(labels.run.iban) && labels.run.iban.sensitivity == 'confidential'" },
          { id: "no-pay-on-a-balance", forbid: "bank.pay", when: "has(labels.facts) && labels.facts.balance.sensitivity != 'internal'" },
        """)
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: rules)
      let run = try await bench.start()
      let read = try await bench.gate.submit(bench.agent("bank.balance", [:], run: run))
      _ = try await bench.runner.run(read.proposal, in: run)
      _ = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
      #expect(try await bench.proposePayment(run).matched.map(\.rule) == ["small-payments"])
      let corrected = try await bench.gate.submit(bench.person("ana", "set_fields", ["fields": ["iban": "DE00"]], run: run))
      #expect(corrected.verdict == .permit)
      #expect(try await bench.proposePayment(run).matched.map(\.rule).contains("nothing-beside-an-iban"))
    }
  }
}
