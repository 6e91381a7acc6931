import Core
import ProcessModel
import Testing

/// What happens when a step is late or something goes wrong.
@Suite("Handlers")
struct HandlerTests {
  static let two = "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }"

  func raise(_ run: inout TestRun, _ step: String, _ code: String = "broken") throws {
    try run.send(.raiseException(step: step, by: "user:cleo", code: code, text: "it broke"))
  }

  @Test func withoutAHandlerTheStepWaits() throws {
    var run = try TestRun(process(steps: Self.two))
    try raise(&run, "a")
    #expect(run.open == [])
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .stepBlocked)
    #expect(run.refusal(.resolveException("x1", by: "agent:bot", resolution: .retry, comment: nil)) == .wrongPerformer)
    #expect(run.refusal(.resolveException("x1", by: "user:ana", resolution: .completed, comment: nil)) == .exceptionNotOpen)
    try run.send(.resolveException("x1", by: "user:ana", resolution: .retry, comment: nil))
    #expect(run.state?.step(Occurrence("a"))?.attempt == 2)
    #expect(run.refusal(.resolveException("x1", by: "user:ana", resolution: .retry, comment: nil)) == .exceptionNotOpen)
    try run.complete("a")
    try raise(&run, "b")
    try run.send(.resolveException("x2", by: "user:ana", resolution: .proceed, comment: nil))
    #expect(run.status == .completed)
    #expect(run.state?.step(Occurrence("b"))?.closure == .bypassed)
    try run.checkLog()
  }

  @Test func aHandlerTakesOverAndGoesOn() throws {
    var run = try TestRun(
      process(
        steps: Self.two,
        rest: "on: [ { exception: 'broken', of: 'a', then: [ { step: 'fix', role: 'owner' }, { step: 'note', role: 'owner' } ] } ]"))
    try raise(&run, "a")
    #expect(run.open == ["fix"])
    #expect(run.refusal(.resolveException("x1", by: "user:ana", resolution: .retry, comment: nil)) == .exceptionNotOpen)
    try run.complete("fix")
    #expect(run.open == ["note"])
    try run.complete("note")
    #expect(run.open == ["b"])
    #expect(run.state?.exceptions.first?.resolvedBy == "handler:broken-of-a")
    try run.checkLog()
  }

  @Test func aHandlerTriesAgainSoManyTimes() throws {
    var run = try TestRun(
      process(
        steps: Self.two, rest: "on: [ { exception: '*', of: 'a', then: [ { step: 'fix', role: 'owner' } ], after: 'retry', max: 2 } ]"))
    for attempt in 1...2 {
      try raise(&run, "a")
      #expect(run.open == [attempt == 1 ? "fix" : "fix#2"])
      try run.complete("fix")
      #expect(run.open == ["a"])
      #expect(run.state?.step(Occurrence("a"))?.attempt == attempt + 1)
    }
    try raise(&run, "a")
    #expect(run.open == [])
    #expect(run.state?.openExceptions.first?.handler == nil)
    try run.checkLog()
  }

  @Test func aHandlerEndsTheRun() throws {
    var run = try TestRun(
      process(
        steps: "{ parallel: [ [ { step: 'a', role: 'clerk' } ], [ { step: 'b', role: 'clerk' } ] ], id: 'both' }",
        rest: "on: [ { exception: 'withdrawn', then: [], after: 'end' }, { timeout: 'P1D', of: 'b', escalate: 'role:owner' } ]"))
    #expect(run.state?.timers.count == 1)
    try raise(&run, "a", "withdrawn")
    #expect(run.status == .cancelled)
    #expect(run.state?.cancellation == "withdrawn")
    #expect(run.state?.timers.isEmpty == true)
    #expect(run.state?.openExceptions.isEmpty == true)
    #expect(run.state?.step(Occurrence("b"))?.closure == .cancelled)
    #expect(run.refusal(.completeStep("b", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .runEnded)
    try run.send(.comment(step: nil, by: "user:ana", text: "for the record"))
    try run.checkLog()
  }

  /// A handler of a block stops everything in it, handlers at work inside included.
  @Test func aHandlerOfABlockStopsAllOfIt() throws {
    var run = try TestRun(
      process(
        steps: """
          { parallel: [ [ { step: 'a', role: 'clerk' } ], [ { step: 'b', role: 'clerk' }, { step: 'c', role: 'clerk' } ] ], id: 'both' },
          { step: 'd', role: 'clerk' }
          """,
        rest: """
          on: [ { exception: 'broken', of: 'a', then: [ { step: 'fix', role: 'owner' } ] },
                { timeout: 'P1D', of: 'b', escalate: 'role:owner' },
                { exception: 'flood', of: 'both', then: [ { step: 'rescue', role: 'owner' } ] } ]
          """))
    try raise(&run, "a")
    #expect(run.open == ["b", "fix"])
    try raise(&run, "fix", "flood")
    #expect(run.open == ["rescue"])
    #expect(run.state?.openExceptions.map(\.id) == ["x2"])
    #expect(run.state?.timers.isEmpty == true)
    try run.complete("rescue")
    #expect(run.open == ["d"])
    try run.complete("d")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func theNearestHandlerWinsAndTheExactCodeBeforeTheStar() throws {
    let steps = "{ parallel: [ [ { step: 'a', role: 'clerk' } ], [ { step: 'b', role: 'clerk' } ] ], id: 'both' }"
    let rest = """
      on: [ { exception: '*', then: [ { step: 'any', role: 'owner' } ] },
            { exception: 'flood', of: 'both', then: [ { step: 'around', role: 'owner' } ] },
            { exception: '*', of: 'a', then: [ { step: 'near', role: 'owner' } ] },
            { exception: 'fire', of: 'a', then: [ { step: 'exact', role: 'owner' } ] } ]
      """
    for (step, code, opens) in [
      ("a", "fire", ["b", "exact"]), ("a", "flood", ["b", "near"]), ("b", "flood", ["around"]), ("b", "fire", ["a", "any"]),
    ] {
      var run = try TestRun(process(steps: steps, rest: rest))
      try raise(&run, step, code)
      #expect(run.open == opens, "\(code) at \(step)")
    }
  }

  /// The body of a handler that fails is not handled by that handler again.
  @Test func aHandlerDoesNotCatchItself() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk' }",
        rest: """
          on: [ { exception: '*', then: [ { choose: [ { when: "run.risk == 'low'", then: [ { step: 'fix', role: 'owner' } ] } ], id: 'which' } ] } ]
          """))
    try raise(&run, "a")
    #expect(run.state?.openExceptions.map(\.code) == ["broken", "condition-error"])
    #expect(run.state?.openExceptions.last?.handler == nil)
    try run.send(.resolveException("x2", by: "user:ana", resolution: .proceed, comment: nil))
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func aStepOfAnAgentGoesToAPerson() throws {
    let steps =
      "{ step: 'a', agent: 'bot', prompt: 'p', writes: ['risk'], fallback: 'role:clerk' }, { step: 'b', agent: 'bot', prompt: 'p' }"
    var run = try TestRun(process(steps: steps))
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    #expect(run.refusal(.completeStep("a", by: "agent:other", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    try run.send(.raiseException(step: "a", by: "agent:bot", code: "unsure", text: "two rows apply"))
    #expect(run.state?.step(Occurrence("a"))?.performer == .role("clerk"))
    #expect(run.state?.step(Occurrence("a"))?.handedOverFrom == .agent("bot"))
    #expect(run.open == ["a"])
    #expect(run.refusal(.completeStep("a", by: "agent:bot", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    let events = try run.complete("a", ["risk": "high"])
    #expect(events.contains(.exceptionResolved(id: "x1", by: "user:cleo", resolution: .completed)))
    try run.send(.handOver(step: "b", by: "system:runtime", code: "budget", text: "no turns left"))
    #expect(run.state?.step(Occurrence("b"))?.performer == .user("ana"))
    #expect(run.refusal(.completeStep("b", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    #expect(run.refusal(.handOver(step: "b", by: "system:runtime", code: "budget", text: "")) == .wrongPerformer)
    try run.complete("b", by: "user:ana")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func aPersonCanGiveAStepBackToItsAgent() throws {
    var run = try TestRun(process(steps: "{ step: 'a', agent: 'bot', prompt: 'p' }"))
    try run.send(.raiseException(step: "a", by: "agent:bot", code: "unsure", text: "which one?"))
    try run.send(.resolveException("x1", by: "user:ana", resolution: .retry, comment: "the first one"))
    #expect(run.state?.step(Occurrence("a"))?.performer == .agent("bot"))
    #expect(run.state?.step(Occurrence("a"))?.attempt == 2)
    try run.complete("a", by: "agent:bot")
    try run.checkLog()
  }

  /// A person who took a step over may fail at it too; settling the one exception settles both.
  @Test func twoExceptionsAtOneStepAreSettledTogether() throws {
    for (resolution, open, status) in [(ExceptionResolution.proceed, [], RunState.Status.completed), (.retry, ["a"], .running)] {
      var run = try TestRun(process(steps: "{ step: 'a', agent: 'bot', prompt: 'p', fallback: 'role:clerk' }"))
      try run.send(.raiseException(step: "a", by: "agent:bot", code: "unsure", text: "which one?"))
      try raise(&run, "a")
      #expect(run.state?.openExceptions.map(\.id) == ["x1", "x2"])
      try run.send(.resolveException("x2", by: "user:ana", resolution: resolution, comment: nil))
      #expect(run.state?.openExceptions.isEmpty == true)
      #expect(run.open == open)
      #expect(run.status == status)
      try run.checkLog()
    }
  }

  @Test func aToolStepEndsWithItsCall() throws {
    let steps = "{ step: 'a', tool: 'x.read', arguments: { note: \"'hello'\" } }"
    let definition = try process(steps: steps, rest: "on: [ { exception: 'tool-failed', of: 'a', then: [], after: 'retry', max: 1 } ]")
    var run = try TestRun(definition)
    let state = try #require(run.state)
    #expect(try definition.arguments(ofToolStep: Occurrence("a"), in: state, now: start) == ["note": "hello"])
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    try run.send(.finishToolStep("a", by: "system:tools", result: .failed(code: "tool-failed", text: "exit status 1")))
    #expect(run.state?.step(Occurrence("a"))?.attempt == 2)
    let bad = RunCommand.finishToolStep(
      "a", by: "system:tools", result: .succeeded(facts: ["status": "odd"], origin: Origin("tool:x.read")))
    #expect(run.refusal(bad) == .factInvalid)
    try run.send(
      .finishToolStep("a", by: "system:tools", result: .succeeded(facts: ["status": "ok"], origin: Origin("tool:x.read", trusted: false))))
    #expect(run.status == .completed)
    #expect(run.state?.fact("status")?.value == "ok")
    #expect(run.state?.fact("status")?.origin.trusted == false)
    try run.checkLog()
  }

  @Test func timersRunFromReadinessToTheEndOfTheStep() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk', due: 'P1D' }, { step: 'b', role: 'clerk' }",
        rest: """
          on: [ { timeout: 'P2D', of: 'a', escalate: 'role:owner' }, { timeout: 'P3D', of: 'a', escalate: 'user:ana', id: 'last' },
                { timeout: 'PT1H', of: 'b', then: [ { step: 'chase', role: 'owner' } ] } ]
          """))
    #expect(run.state?.step(Occurrence("a"))?.due == start + .seconds(86_400))
    #expect(run.state?.timers.map(\.id) == ["a/timeout-of-a", "a/last"])
    #expect(run.refusal(.fireTimer("a/timeout-of-a")) == .timerNotDue)
    run.now = start + .seconds(2 * 86_400)
    #expect(run.refusal(.fireTimer("a/none")) == .timerNotDue)
    try run.send(.fireTimer("a/timeout-of-a"))
    #expect(run.refusal(.fireTimer("a/timeout-of-a")) == .timerNotDue)
    #expect(run.state?.step(Occurrence("a"))?.escalatedTo == [.role("owner")])
    #expect(run.state?.step(Occurrence("a"))?.isFor("user:zoe") { $0 == "owner" } == true)
    #expect(run.state?.step(Occurrence("a"))?.isFor("user:zoe") { $0 == "guest" } == false)
    try run.complete("a")
    #expect(run.state?.timers.map(\.id) == ["b/timeout-of-b"])
    run.now = run.now + .seconds(3600)
    try run.send(.fireTimer("b/timeout-of-b"))
    #expect(run.open == ["chase"])
    #expect(run.state?.openExceptions.first?.by == "system:timer")
    try run.complete("chase")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  /// A handler may watch a step of another handler, also of one that stands after it.
  @Test func handlersWatchTheStepsOfHandlers() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk' }",
        rest:
          "on: [ { timeout: 'P1D', of: 'fix', escalate: 'role:owner' }, { exception: '*', of: 'a', then: [ { step: 'fix', role: 'clerk' } ] } ]"
      ))
    try raise(&run, "a")
    #expect(run.state?.timers.map(\.id) == ["fix/timeout-of-fix"])
    try run.complete("fix")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func cancellingClosesEverything() throws {
    var run = try TestRun(process(steps: Self.two, rest: "on: [ { timeout: 'P2D', of: 'a', escalate: 'role:owner' } ]"))
    #expect(run.refusal(.cancel(by: "user:ana", code: "no good", text: "")) == .nameInvalid)
    try run.send(.cancel(by: "user:ana", code: "withdrawn", text: "not needed any more"))
    #expect(run.status == .cancelled)
    #expect(run.state?.timers.isEmpty == true)
    #expect(run.open == [])
    try run.checkLog()
  }
}
