import Core
import ProcessModel
import Testing

/// What a run does not take, and how that is said.
@Suite("Refusals")
struct RefusalTests {
  static let text = """
    { process: "p", title: "P", owner: "role:owner", purpose: "test",
      triggers: [ { form: "small", role: "clerk", fields: ["vendor", { field: "note", required: false }] }, { form: "big", role: "clerk" } ],
      fields: { vendor: { type: "string", minLength: 2 }, note: { type: "string" }, count: { type: "integer", maximum: 9 },
                iban: { type: "string", sensitivity: "confidential" }, until: { type: "string", format: "date" } },
      agents: { bot: { owner: "role:owner", tools: ["complete_step", "x.read"] } },
      tools: { "x.read": { connector: "command", command: ["true"], effect: "read", facts: { status: { enum: ["ok", "bad"] } } } },
      steps: [
        { step: "a", role: "clerk", form: ["count", { field: "until", required: false }],
          evidence: [{ name: "contract", media: ["application/pdf", "image/*"] }, { name: "extra", required: false }] },
        { step: "b", agent: "bot", prompt: "p", writes: ["iban"] },
      ] }
    """

  static func run() throws -> TestRun {
    var run = try TestRun(load(text), trigger: "small", fields: ["vendor": "Acme"])
    run.now = start
    return run
  }

  static let evidence = RunCommand.attachEvidence(
    step: "a", by: "user:cleo", name: "contract", digest: SHA256.hash("x"), media: "application/pdf", size: 1)

  static func complete(_ fields: JSONObject, by: String = "user:cleo", step: String = "a") -> RunCommand {
    .completeStep(step, by: by, fields: fields, origin: nil, comment: nil)
  }

  static func attach(_ name: String, _ media: String, step: String = "a") -> RunCommand {
    .attachEvidence(step: step, by: "user:cleo", name: name, digest: SHA256.hash("x"), media: media, size: 1)
  }

  static let long = String(repeating: "x", count: 20_000)

  static let rows: [(command: RunCommand, code: RunRefusal.Code, says: String)] = [
    (complete(["count": 5]), .evidenceMissing, "evidence `contract` is required to complete step `a`"),
    (complete([:]), .fieldMissing, "field `count` is required to complete step `a`"),
    (complete(["count": "5"]), .fieldInvalid, "field `count` must be an integer, not a string"),
    (complete(["count": 10]), .fieldInvalid, "field `count` must be ≤ 9"),
    (complete(["count": .null]), .fieldInvalid, "field `count` must be an integer, not null"),
    (complete(["count": 1, "until": "2026-02-30"]), .fieldInvalid, "field `until` must be a date such as `2026-01-31`"),
    (complete(["cuont": 1]), .fieldUnknown, "step `a` has no field `cuont`; did you mean `count`?"),
    (complete(["vendor": "Acme"]), .fieldNotInForm, "field `vendor` is not in step `a`, which has `count`, `until`"),
    (complete(["\u{212A}ount": 1]), .fieldUnknown, "step `a` has no field `\u{212A}ount`; did you mean `count`?"),
    (complete(["count": 1], by: "agent:bot"), .wrongPerformer, "step `a` is for `role:clerk`, not for `agent:bot`"),
    (complete(["iban": "x"], step: "b"), .stepNotOpen, "step `b` is not open; open now: `a`"),
    (complete([:], step: "a#2"), .stepNotOpen, "step `a#2` is not open; open now: `a`"),
    (complete([:], step: "c"), .stepUnknown, "process `p` has no step `c`; did you mean `a`?"),
    (complete([:], step: "a\u{202E}"), .stepUnknown, "process `p` has no step `a\\u{202E}`"),
    (
      .setFields(step: nil, by: "agent:bot", fields: ["count": 1], origin: nil), .wrongPerformer,
      "only a person may correct fields outside a step, not `agent:bot`"
    ),
    (.setFields(step: "a", by: "user:cleo", fields: [:], origin: nil), .fieldMissing, "no fields are given"),
    (
      .setFields(step: nil, by: "user:cleo", fields: ["vendor": "A"], origin: nil), .fieldInvalid,
      "field `vendor` must have at least 2 characters"
    ),
    (
      .setFields(step: nil, by: "user:cleo", fields: ["note": .string(String(repeating: "x", count: 70_000))], origin: nil), .limitReached,
      "field `note` is longer than 65536 bytes"
    ),
    (
      attach("contract", "text/plain"), .evidenceInvalid,
      "evidence `contract` of step `a` must be `application/pdf`, `image/*`, not `text/plain`"
    ),
    (attach("other", "nonsense"), .evidenceInvalid, "`nonsense` is not a media type such as `application/pdf`"),
    (
      attach("../x", "text/plain"), .nameInvalid,
      "the evidence name `../x` cannot have `.` at its start: letters, digits, `_` and `-` make a name, and a letter or `_` begins it"
    ),
    (.comment(step: nil, by: "user:cleo", text: long), .limitReached, "the comment is longer than 16384 bytes"),
    (.comment(step: "zzz", by: "user:cleo", text: "x"), .stepUnknown, "process `p` has no step `zzz`"),
    (.askHuman(step: "b", by: "agent:bot", question: "?"), .stepNotOpen, "step `b` is not open; open now: `a`"),
    (.answer(question: "q1", by: "user:cleo", text: "x"), .questionNotOpen, "there is no open question `q1` in run `r1`"),
    (
      .raiseException(step: "a", by: "user:cleo", code: "no way", text: ""), .nameInvalid,
      "the code `no way` cannot have ` `: letters, digits, `_` and `-` make a name, and a letter or `_` begins it"
    ),
    (
      .raiseException(step: "a", by: "agent:bot", code: "x", text: ""), .wrongPerformer, "step `a` is for `role:clerk`, not for `agent:bot`"
    ),
    (
      .resolveException("x1", by: "user:cleo", resolution: .retry, comment: nil), .exceptionNotOpen,
      "there is no open exception `x1` in run `r1`"
    ),
    (
      .learn(step: "a", tool: "x.raed", facts: ["status": "ok"], origin: Origin("t")), .toolUnknown,
      "process `p` has no tool `x.raed`; did you mean `x.read`?"
    ),
    (
      .learn(step: "a", tool: "x.read", facts: ["status": "fine"], origin: Origin("t")), .factInvalid,
      "fact `status` must be one of `\"ok\"`, `\"bad\"`"
    ),
    (
      .learn(step: "a", tool: "x.read", facts: ["stauts": "ok"], origin: Origin("t")), .factInvalid,
      "tool `x.read` has no fact `stauts`; did you mean `status`?"
    ),
    (.learn(step: "a", tool: "x.read", facts: [:], origin: Origin("t")), .factInvalid, "no facts are given"),
    (
      .handOver(step: "a", by: "system:runtime", code: "x", text: ""), .wrongPerformer,
      "step `a` is for `role:clerk`; only a step of an agent can be handed over"
    ),
    (
      .finishToolStep("a", by: "system:tools", result: .failed(code: "x", text: "")), .wrongPerformer,
      "step `a` is for `role:clerk`, not for a tool"
    ),
    (.fireTimer("a/x"), .timerNotDue, "no timer `a/x` is running in run `r1`"),
    (.start(run: "r1", release: "", requester: "user:x", trigger: nil, fields: [:]), .runExists, "run `r1` exists already"),
  ]

  @Test func everyRefusalSaysWhyAndChangesNothing() throws {
    let run = try Self.run()
    let before = run.state
    for row in Self.rows {
      do throws(RunRefusal) {
        _ = try run.process.decide(row.command, in: run.state, now: run.now)
        Issue.record("accepted: \(row.command)")
      } catch {
        #expect(error.code == row.code, "\(error.message)")
        #expect(error.message == row.says)
      }
    }
    #expect(run.state == before)
  }

  static let starts: [(trigger: String?, fields: JSONObject, code: RunRefusal.Code, says: String)] = [
    (nil, ["vendor": "Acme"], .triggerUnknown, "process `p` has several forms: name one of `small`, `big`"),
    ("smal", ["vendor": "Acme"], .triggerUnknown, "process `p` has no trigger `smal`; did you mean `small`?"),
    ("small", [:], .fieldMissing, "field `vendor` is required by the form `small`"),
    ("small", ["vendor": "Acme", "count": 1], .fieldNotInForm, "field `count` is not in the form `small`, which has `vendor`, `note`"),
    ("big", ["vendor": "Acme"], .fieldNotInForm, "field `vendor` is not in the form `big`, which sets no fields"),
    ("small", ["vendor": "A"], .fieldInvalid, "field `vendor` must have at least 2 characters"),
  ]

  @Test func everyRefusedStartSaysWhy() throws {
    let process = try load(Self.text)
    for row in Self.starts {
      do throws(RunRefusal) {
        _ = try process.decide(
          .start(run: "r", release: "", requester: "user:x", trigger: row.trigger, fields: row.fields), in: nil, now: start)
        Issue.record("accepted: \(row.says)")
      } catch {
        #expect(error.code == row.code, "\(error.message)")
        #expect(error.message == row.says)
      }
    }
  }

  @Test func aRunThatEndedTakesOnlyComments() throws {
    var run = try Self.run()
    try run.send(.cancel(by: "user:ana", code: "withdrawn", text: ""))
    for row in Self.rows {
      if case .comment = row.command { continue }
      if case .start = row.command { continue }
      #expect(run.refusal(row.command) == .runEnded)
    }
    try run.send(.comment(step: "a", by: "user:ana", text: "withdrawn by mail"))
    #expect(run.state?.comments.count == 1)
  }

  @Test func aRunOfAnotherProcessIsRefused() throws {
    let run = try Self.run()
    let other = try process(steps: "{ step: 'a', role: 'clerk' }")
    let moved = try load(Self.text.replacingFirst("process: \"p\"", "process: \"q\""))
    #expect(throws: RunRefusal(.processMismatch, "run `r1` follows process `p`, not `q`")) {
      try moved.decide(.comment(step: nil, by: "user:x", text: ""), in: run.state, now: start)
    }
    #expect(throws: RunRefusal(.runUnknown, "there is no such run")) {
      try other.decide(.comment(step: nil, by: "user:x", text: ""), in: nil, now: start)
    }
  }

  @Test func aRunHoldsSoManyCommentsAndNoMore() throws {
    var run = try Self.run()
    for _ in 0..<RunLimits.comments { try run.send(.comment(step: nil, by: "user:ana", text: "x")) }
    #expect(run.refusal(.comment(step: nil, by: "user:ana", text: "x")) == .limitReached)
  }

  @Test func evidenceFieldsAndQuestionsMeetTheirSteps() throws {
    var run = try Self.run()
    try run.send(Self.attach("contract", "Application/PDF; version=1"))
    try run.send(Self.attach("extra", "text/plain"))
    try run.send(.askHuman(step: "a", by: "user:cleo", question: "which contract?"))
    try run.send(.answer(question: "q1", by: "user:ana", text: "the new one"))
    #expect(run.refusal(.answer(question: "q1", by: "user:ana", text: "again")) == .questionNotOpen)
    try run.complete("a", ["count": 3])
    #expect(run.refusal(Self.complete(["iban": "x"], step: "b")) == .wrongPerformer)
    try run.complete("b", by: "agent:bot", ["iban": "DE02"])
    let state = try #require(run.state)
    #expect(state.status == .completed)
    #expect(state.questions.first?.answer == "the new one")
    #expect(state.completers == ["user:cleo", "agent:bot"])
    #expect(state.contributors == ["user:cleo", "agent:bot", "user:rita"])
    #expect(state.field("vendor")?.origin == Origin("form:small"))
    #expect(state.field("iban")?.origin == Origin("agent:bot"))
    try run.checkLog()
  }
}

extension String {
  func replacingFirst(_ old: String, _ new: String) -> String {
    guard let range = firstRange(of: old) else { return self }
    return self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}
