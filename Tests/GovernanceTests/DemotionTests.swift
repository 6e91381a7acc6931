import Audit
import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// What ends an allowance before its time: at once, with the reason.
@Suite("Demotion")
struct DemotionTests {
  private static let rules = Workbench.earningRules.replacing(
    #"{ id: "nobody-else""#,
    with: #"{ id: "huge", hold: "bank.pay", when: "args.amount == 7.0", approval: { roles: ["finance"] } }, { id: "nobody-else""#
  )
  .replacing(#"when: "args.to != run.payee""#, with: #"when: "args.to == 'Eve'""#)

  struct Cause: Sendable, CustomTestStringConvertible {
    var name: String
    var why: AllowanceRecord.Ending?
    var text = ""
    var happens: @Sendable (Workbench, _ run: String) async throws -> Void
    var testDescription: String { name }
  }

  static let causes: [Cause] = [
    Cause(name: "nothing", why: nil) { _, _ in },
    Cause(name: "a person rejects a call of its kind", why: .overridden, text: "not this one") { bench, run in
      let held = try await bench.pay(7, run)
      _ = try await bench.gate.decide(
        held.proposal, .reject(reason: "not this one"), by: Workbench.person("ben"), digest: held.digest)
    },
    Cause(name: "a person changes a call of its kind", why: .overridden, text: "half of it") { bench, run in
      let held = try await bench.pay(7, run)
      _ = try await bench.gate.decide(
        held.proposal, .edit(arguments: ["to": "Acme", "amount": 3], reason: "half of it"), by: Workbench.person("ben"), digest: held.digest
      )
    },
    Cause(name: "a person approves a call of its kind", why: nil) { bench, run in
      let held = try await bench.pay(7, run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
    },
    Cause(name: "a person rejects a call out of its bounds", why: nil) { bench, run in
      let held = try await bench.pay(20000, run)
      _ = try await bench.gate.decide(held.proposal, .reject(reason: "no"), by: Workbench.person("ben"), digest: held.digest)
    },
    Cause(name: "a call was wrong", why: .badOutcome, text: "a duplicate") { bench, run in
      try await bench.review(try await bench.pay(1, run), "wrong", in: run)
    },
    Cause(name: "a call was right", why: nil) { bench, run in
      try await bench.review(try await bench.pay(1, run), "right", in: run)
    },
    Cause(name: "nothing vouches for the target", why: .labelViolation, text: "nothing vouches for the target at `/to`") { bench, run in
      let held = try await bench.pay(1, run, to: "Mallory")
      #expect(held.verdict == .hold)
    },
    Cause(name: "another model is asked", why: .changed, text: "the model is not") { bench, run in
      let call: JSONObject = [
        "agent": "bot", "endpoint": "http://127.0.0.1", "model": "other", "request": .string(SHA256.hash("x").hex), "size": 1, "turn": 1,
      ]
      let asked = try await bench.gate.submit(
        Proposal(id: bench.gate.mintID(), principal: "system:agents", tool: "model.call", arguments: call, run: run, step: "assess"))
      #expect(asked.verdict == .permit, "\(asked.refusal?.message ?? "")")
      #expect(try await bench.pay(1, run).verdict == .hold)
    },
    Cause(name: "a release with another prompt", why: .changed, text: "the prompt assess is not") { bench, _ in
      try await bench.release { $0["prompts/assess/v1.md"] = "Assess it well {{fields}}" }
    },
    Cause(name: "a release with another document", why: .changed, text: "there was no document policy.md") { bench, _ in
      try await bench.release { $0["policy.md"] = "# 1 Paying\n\nPay what is due.\n" }
    },
    Cause(name: "a release with another definition of the tool", why: .changed, text: "the tool bank.pay is not") { bench, _ in
      try await bench.release { $0["process.json5"] = $0["process.json5"]?.replacing("tools/true", with: "tools/other") }
    },
    Cause(name: "a release with other rules only", why: nil) { bench, _ in
      try await bench.release { $0["rules.json5"] = $0["rules.json5"]?.replacing("50000.0", with: "40000.0") }
    },
  ]

  @Test("an allowance ends at once where it has to, and nowhere else", arguments: causes)
  func ends(_ cause: Cause) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules, process: Workbench.earningProcess)
      let run = try await bench.start()
      try await bench.seedAllowance(bench.terms(["sampling_ppm": 1_000_000]))
      let before = try await bench.pay(2, run)
      #expect(before.isGranted)
      try await cause.happens(bench, run)
      let end = try #require(try await bench.allowance()).end
      #expect(end?.why == cause.why, "\(end?.text ?? "")")
      if cause.why != nil { #expect(end?.text?.contains(cause.text) == true, "\(end?.text ?? "")") }
      let next = try await bench.pay(2, try await bench.start())
      #expect(next.verdict == (cause.why == nil ? .permit : .hold))
      if let why = cause.why {
        // The agent is told, and what was permitted and has not begun is decided anew.
        #expect(next.matched.first?.reason?.contains(why.rawValue) == true, "\(next.matched)")
        let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(before.proposal, in: run) }
        #expect(refusal?.code == "changed")
      }
      try await bench.expectVerified()
    }
  }

  @Test func aRunUnderAnOlderReleaseIsNotCoveredByWhatWasEarnedUnderANewerOne() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules, process: Workbench.earningProcess)
      let old = try await bench.start()
      try await bench.release { $0["prompts/assess/v1.md"] = "Assess it well {{fields}}" }
      try await bench.seedAllowance(bench.terms())
      let held = try await bench.pay(1, old)
      #expect(held.verdict == .hold && held.matched.first?.reason?.contains("prompt assess") == true)
      #expect(try await bench.allowance()?.end == nil)
      #expect(try await bench.pay(1, try await bench.start()).verdict == .permit)
    }
  }

  @Test("T25 a thousand proposals over fifty runs of one agent: people are asked about a hundred")
  func runaway() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Workbench.earningRules, process: Workbench.earningProcess)
      var (held, refused) = (0, 0)
      for _ in 0..<50 {
        let run = try await bench.start()
        for _ in 0..<20 {
          let outcome = try await bench.pay(1, run)
          if outcome.verdict == .hold { held += 1 } else if outcome.refusal?.code == "rate-limit" { refused += 1 }
        }
      }
      #expect(held == GateLimits.heldPerAgent && refused == 900)
      let other = try await bench.pay(1, try await bench.start(), agent: "bat")
      #expect(other.verdict == .hold, "another agent is not held up")
      try await bench.expectVerified()
    }
  }
}

extension Workbench {
  func review(_ call: GateOutcome, _ verdict: String, in run: String) async throws {
    #expect(call.verdict == .permit)
    let arguments: JSONObject = ["proposal": .string(call.proposal), "verdict": .string(verdict), "text": "a duplicate"]
    let said = try await gate.submit(person("olaf", "allowance.review", arguments, run: run))
    #expect(said.verdict == .permit, "\(said.refusal?.message ?? "")")
  }

  /// Makes a release with other files.
  func release(_ change: (inout [String: String]) -> Void) async throws {
    let digest = try #require(try await gate.store.read { try $0.shared().current("payments")?.digest })
    let manifest = try #require(
      try await gate.store.read { context in
        try Digest(hex: digest).flatMap { try context.evidence($0) }.flatMap { ReleaseManifest(json: try JSON.parse($0)) }
      })
    var files: [String: String] = [:]
    for file in manifest.files {
      let bytes = try #require(try await gate.store.read { try $0.evidence(file.digest) })
      files[file.path] = String(decoding: bytes, as: UTF8.self)
    }
    change(&files)
    let bundle = ReleaseBundle(process: "payments", files: files.sorted { $0.key < $1.key }.map { ($0.key, Array($0.value.utf8)) })
    let made = try await gate.makeRelease(bundle, by: Self.operatorIdentity)
    #expect(made.verdict == .permit, "\(made.refusal?.message ?? "")")
  }
}
