import Core
import ProcessModel
import Testing

/// What people do with steps beside completing them.
@Suite("Work")
struct WorkTests {
  static let two = "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }"

  // MARK: - Whose a step is

  @Test func aClaimedStepIsOnePersonsAlone() throws {
    var run = try TestRun(process(steps: Self.two))
    try run.send(.assign(step: "a", to: "user:cleo", by: "user:cleo", text: nil))
    #expect(run.refusal(.completeStep("a", by: "user:ana", fields: [:], origin: nil, comment: nil)) == .stepTaken)
    #expect(run.refusal(.assign(step: "a", to: "user:ana", by: "user:ana", text: nil)) == .stepTaken)
    #expect(run.refusal(.assign(step: "a", to: "user:cleo", by: "user:cleo", text: nil)) == .stepTaken)
    try run.send(.assign(step: "a", to: nil, by: "user:cleo", text: "lunch"))
    #expect(run.refusal(.assign(step: "a", to: nil, by: "user:cleo", text: nil)) == .stepNotOpen)
    // Who had the step and gave it away cannot complete it any more.
    try run.send(.assign(step: "a", to: "user:cleo", by: "user:cleo", text: nil))
    try run.send(.assign(step: "a", to: "user:ana", by: "user:cleo", text: "yours"))
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .stepTaken)
    try run.complete("a", by: "user:ana")
    #expect(run.open == ["b"])
    try run.checkLog()
  }

  @Test func whoItIsEscalatedToMayDoATakenStep() throws {
    var run = try TestRun(process(steps: Self.two, rest: "on: [ { timeout: 'P1D', of: 'a', escalate: 'role:owner' } ]"))
    try run.send(.assign(step: "a", to: "user:cleo", by: "user:cleo", text: nil))
    #expect(run.refusal(.completeStep("a", by: "user:ana", fields: [:], origin: nil, comment: nil)) == .stepTaken)
    run.now = start + .seconds(86_400)
    try run.send(.fireTimer("a/timeout-of-a"))
    try run.complete("a", by: "user:ana")
    try run.checkLog()
  }

  @Test func aReassignedStepIsForSomebodyElse() throws {
    var run = try TestRun(process(steps: "{ step: 'a', agent: 'bot', prompt: 'p' }, { step: 'b', tool: 'x.read' }"))
    #expect(run.refusal(.assign(step: "a", to: "user:cleo", by: "user:cleo", text: nil)) == .wrongPerformer)
    #expect(run.refusal(.reassign(step: "a", to: .agent("bot"), by: "user:ana", text: "x")) == .wrongPerformer)
    try run.send(.reassign(step: "a", to: .user("ana"), by: "user:owner", text: "a hard one"))
    #expect(run.refusal(.reassign(step: "a", to: .user("ana"), by: "user:owner", text: "x")) == .stepNotOpen)
    #expect(run.refusal(.completeStep("a", by: "agent:bot", fields: [:], origin: nil, comment: nil)) == .wrongPerformer)
    try run.complete("a", by: "user:ana")
    #expect(run.refusal(.reassign(step: "b", to: .user("ana"), by: "user:owner", text: "x")) == .wrongPerformer)
    try run.checkLog()
  }

  // MARK: - Steps that are not done

  @Test func onlyAStepThatSaysSoIsSkipped() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk', skip: 'role:owner' }, { step: 'b', role: 'clerk' }",
        rest: "on: [ { timeout: 'P1D', of: 'a', escalate: 'role:owner' } ]"))
    try run.send(.skip(step: "a", by: "user:olaf", text: "seen in May"))
    #expect(run.open == ["b"])
    #expect(run.state?.timers.isEmpty == true)
    #expect(run.state?.step(Occurrence("a"))?.closure == .skipped)
    #expect(run.state?.contributors == ["user:olaf"], "who goes past a step has a part in the run")
    #expect(run.refusal(.skip(step: "b", by: "user:olaf", text: "x")) == .notSkippable)
    #expect(run.refusal(.skip(step: "a", by: "user:olaf", text: "x")) == .stepNotOpen)
    try run.complete("b")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  @Test func aSkippedStepTakesItsExceptionWithIt() throws {
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk', skip: 'role:owner' }"))
    try run.send(.raiseException(step: "a", by: "user:cleo", code: "broken", text: "it broke"))
    try run.send(.skip(step: "a", by: "user:olaf", text: "not needed"))
    #expect(run.status == .completed)
    #expect(run.state?.openExceptions.isEmpty == true)
    try run.checkLog()
  }

  @Test func aStepThatDoesNotApplyIsGonePast() throws {
    let steps = """
      { step: 'a', role: 'clerk' },
      { parallel: [ [ { step: 'b', role: 'clerk', when: "has(run.risk) && run.risk == 'high'" } ], [ { step: 'c', role: 'clerk' } ] ], id: 'both' },
      { step: 'd', role: 'clerk', when: 'run.amount > 5.0' }
      """
    var run = try TestRun(process(steps: steps))
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["amount": 1], origin: nil))
    let events = try run.complete("a")
    #expect(events.contains(.stepOmitted(Occurrence("b"))))
    #expect(run.open == ["c"])
    #expect(run.state?.step(Occurrence("b")) == nil, "what does not apply is not shown")
    try run.complete("c")
    #expect(run.status == .completed)
    try run.checkLog()
    var other = try TestRun(process(steps: steps))
    try other.send(.setFields(step: nil, by: "user:owner", fields: ["risk": "high"], origin: nil))
    try other.complete("a")
    #expect(other.open == ["b", "c"])
    try other.complete("b")
    try other.complete("c")
    #expect(other.state?.openExceptions.map(\.code) == ["condition-error"], "a condition without a value waits for a person")
    try other.send(.setFields(step: nil, by: "user:owner", fields: ["amount": 6], origin: nil))
    try other.send(.resolveException("x1", by: "user:owner", resolution: .retry, comment: nil))
    #expect(other.open == ["d"])
    try other.checkLog()
  }

  @Test func aStepWithoutItsCommentIsNotCompleted() throws {
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk', comment: 'required' }"))
    for comment in [nil, "", " \n"] {
      #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: comment)) == .commentMissing)
    }
    try run.send(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: "seen"))
    #expect(run.status == .completed)
  }

  // MARK: - Sending work back

  struct Back: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: String
    var fields: JSONObject = [:]
    /// What is completed first.
    let done: [String]
    let from: String
    let to: String
    /// What is open then; nil where it is refused.
    let open: [String]?
    /// What is completed then, and ends the run.
    var rest: [String] = []
    var testDescription: String { name }
  }

  static let choice = """
    { step: 'a', role: 'clerk' },
    { choose: [ { when: 'run.done', then: [ { step: 'b', role: 'clerk' }, { step: 'c', role: 'clerk' } ] },
                { otherwise: [ { step: 'x', role: 'clerk' } ] } ], id: 'which' },
    { step: 'd', role: 'clerk' }
    """
  static let both = """
    { step: 'a', role: 'clerk' },
    { parallel: [ [ { step: 'b', role: 'clerk' }, { step: 'c', role: 'clerk' } ], [ { step: 'x', role: 'clerk' } ] ], id: 'both' },
    { step: 'd', role: 'clerk' }
    """
  static let loop = """
    { step: 'a', role: 'clerk' },
    { repeat: [ { step: 'b', role: 'clerk' }, { step: 'c', role: 'clerk' } ], until: 'run.done', max: 2, id: 'loop' },
    { step: 'd', role: 'clerk' }
    """

  static let backs: [Back] = [
    Back(name: "one step back", steps: two, done: ["a"], from: "b", to: "a", open: ["a"], rest: ["a", "b"]),
    Back(
      name: "over a choice, which is made anew", steps: choice, fields: ["done": true], done: ["a", "b"], from: "c", to: "a", open: ["a"],
      rest: ["a", "b", "c", "d"]),
    Back(
      name: "into a choice, which stays", steps: choice, fields: ["done": true], done: ["a", "b", "c"], from: "d", to: "b", open: ["b"],
      rest: ["b", "c", "d"]),
    Back(
      name: "out of a branch, which ends the others", steps: both, done: ["a", "b"], from: "c", to: "a", open: ["a"],
      rest: ["a", "b", "c", "x", "d"]),
    Back(
      name: "within a branch, which leaves the others", steps: both, done: ["a", "b"], from: "c", to: "b", open: ["x", "b"].sorted(),
      rest: ["b", "c", "x", "d"]),
    Back(
      name: "into a branch of a parallel that is done", steps: both, done: ["a", "b", "x", "c"], from: "d", to: "b", open: ["b"],
      rest: ["b", "c", "d"]),
    Back(name: "into another branch", steps: both, done: ["a", "x", "b"], from: "c", to: "x", open: nil),
    Back(
      name: "out of a repeat, whose passes begin anew", steps: loop, fields: ["done": false], done: ["a", "b", "c", "b"], from: "c#2",
      to: "a", open: ["a"]),
    Back(name: "within a pass", steps: loop, fields: ["done": false], done: ["a", "b", "c", "b"], from: "c#2", to: "b#2", open: ["b#2"]),
    Back(name: "to an earlier pass", steps: loop, fields: ["done": false], done: ["a", "b", "c", "b"], from: "c#2", to: "b#1", open: nil),
    Back(name: "forward", steps: two, done: [], from: "a", to: "b", open: nil),
    Back(name: "to itself", steps: two, done: ["a"], from: "b", to: "b", open: nil),
  ]

  @Test(arguments: backs) func workGoesBack(_ test: Back) throws {
    var run = try TestRun(process(steps: test.steps))
    if !test.fields.isEmpty { try run.send(.setFields(step: nil, by: "user:owner", fields: test.fields, origin: nil)) }
    for step in test.done { try run.complete(step) }
    let command = RunCommand.sendBack(step: test.from, to: test.to, by: "user:cleo", text: "page 2 is missing")
    guard let open = test.open else {
      let refusal = run.refusal(command)
      #expect(refusal == .notBefore || refusal == .stepNotOpen)
      return
    }
    try run.send(command)
    #expect(run.open.sorted() == open)
    for step in test.rest { try run.complete(step) }
    if !test.rest.isEmpty { #expect(run.status == .completed) }
    try run.checkLog()
  }

  @Test func passesBeginAnewAfterWorkWasSentBack() throws {
    var run = try TestRun(process(steps: Self.loop))
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["done": false], origin: nil))
    for step in ["a", "b", "c", "b"] { try run.complete(step) }
    try run.send(.sendBack(step: "c", to: "a", by: "user:cleo", text: "again"))
    for step in ["a", "b", "c", "b", "c"] { try run.complete(step) }
    // Two passes are allowed, and those before the work was sent back do not count.
    #expect(run.state?.openExceptions.map(\.code) == ["repeat-limit"])
    #expect(run.state?.passCount(of: "loop") == 4)
    try run.checkLog()
  }

  @Test func whoCompletedAStepStaysKnownAfterItIsDoneAgain() throws {
    var run = try TestRun(process(steps: Self.two))
    try run.complete("a", by: "user:ana")
    try run.send(.sendBack(step: "b", to: "a", by: "user:cleo", text: "again"))
    try run.complete("a", by: "user:cleo")
    #expect(run.state?.completers == ["user:ana", "user:cleo"])
    #expect(run.state?.step(Occurrence("a"))?.attempt == 2)
    #expect(run.state?.step(Occurrence("a"))?.completedBy == "user:cleo")
  }

  @Test func workIsSentBackOnlySoOften() throws {
    var run = try TestRun(process(steps: Self.two))
    for _ in 0..<RunLimits.sendBacks {
      try run.complete("a")
      try run.send(.sendBack(step: "b", to: "a", by: "user:cleo", text: "again"))
    }
    try run.complete("a")
    #expect(run.refusal(.sendBack(step: "b", to: "a", by: "user:cleo", text: "again")) == .limitReached)
  }

  @Test func theWorkOfAHandlerIsNotSentBack() throws {
    var run = try TestRun(
      process(steps: Self.two, rest: "on: [ { exception: '*', of: 'b', then: [ { step: 'fix', role: 'owner' } ] } ]"))
    try run.complete("a")
    try run.send(.raiseException(step: "b", by: "user:cleo", code: "broken", text: "it broke"))
    #expect(run.refusal(.sendBack(step: "fix", to: "a", by: "user:cleo", text: "again")) == .notBefore)
  }

  // MARK: - Pausing

  @Test func aPausedRunStandsStillAndItsClocksToo() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk', due: 'P2D' }, { step: 'b', role: 'clerk' }",
        rest: "on: [ { timeout: 'P1D', of: 'a', escalate: 'role:owner' } ]"))
    run.now = start + .seconds(3600)
    try run.send(.pause(by: "user:olaf", text: "the supplier is being sold"))
    #expect(run.state?.standing == "paused")
    #expect(run.refusal(.pause(by: "user:olaf", text: "x")) == .runPaused)
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .runPaused)
    try run.send(.comment(step: nil, by: "user:cleo", text: "still waiting"))
    run.now = start + .seconds(10 * 86_400)
    #expect(run.refusal(.fireTimer("a/timeout-of-a")) == .runPaused)
    try run.send(.resume(by: "user:olaf"))
    let length = Duration.seconds(10 * 86_400 - 3600)
    #expect(run.state?.timers.map(\.at) == [start + .seconds(86_400) + length])
    #expect(run.state?.step(Occurrence("a"))?.due == start + .seconds(2 * 86_400) + length)
    #expect(run.refusal(.resume(by: "user:olaf")) == .runNotPaused)
    #expect(run.refusal(.fireTimer("a/timeout-of-a")) == .timerNotDue)
    try run.complete("a")
    try run.checkLog()
  }

  @Test func whatHadBegunOutsideStillEndsInAPausedRun() throws {
    var run = try TestRun(process(steps: "{ step: 'a', tool: 'x.read' }, { step: 'b', role: 'clerk' }"))
    try run.send(.pause(by: "user:olaf", text: "wait"))
    try run.send(.finishToolStep("a", by: "system:engine", result: .succeeded(facts: ["status": "ok"], origin: Origin("tool:x.read"))))
    #expect(run.open == ["b"])
    try run.send(.cancel(by: "user:olaf", code: "cancelled", text: "for good"))
    #expect(run.status == .cancelled)
    try run.checkLog()
  }
}
