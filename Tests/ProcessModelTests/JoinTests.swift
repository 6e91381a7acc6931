import Core
import ProcessModel
import Testing

/// Choices of all that apply, and parallel blocks that do not wait for all.
@Suite("Joins")
struct JoinTests {
  static func problems(_ steps: String) -> [String] {
    let file = """
      { process: "p", title: "P", owner: "role:owner", purpose: "test", triggers: [{ form: 'go', role: 'clerk', fields: ['risk', 'size'] }],
        fields: { risk: { enum: ["low", "high"] }, size: { type: 'integer' }, x: { type: 'string' } },
        steps: [
      \(steps) ] }
      """
    do throws(Diagnostics) {
      return try ProcessDefinition.load(Array(file.utf8), file: nil).warnings.map { "\($0.code) \($0.description)" }
    } catch {
      return error.all.map { "\($0.code) \($0.description)" }
    }
  }

  @Test func whatEndsByAJoinEndsWithAllInIt() throws {
    let process = try process(
      steps: """
        { parallel: [ [ { step: 'a', role: 'clerk' } ], [ { step: 'b', role: 'clerk', due: 'P1D' } ], [ { wait: 'P1D', id: 'w' } ],
                      [ { step: 'c', role: 'clerk' } ] ], join: 1, id: 'race' }, { step: 'e', role: 'clerk' }
        """, rest: "on: [ { timeout: 'PT1H', of: 'b', escalate: 'role:owner' } ]")
    var run = try TestRun(process)
    try run.send(.raiseException(step: "c", by: "user:cleo", code: "broken", text: "no"))
    #expect(run.state?.timers.map(\.id) == ["b/timeout-of-b", "w"])
    try run.complete("a")
    #expect(run.open == ["e"])
    #expect(run.state?.timers == [])
    #expect(run.state?.openExceptions == [])
    #expect(run.state?.step(Occurrence("b"))?.closure == .interrupted)
    #expect(run.refusal(.completeStep("b", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .stepNotOpen)
    try run.complete("e")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  /// A table that is done at once may end a block before the rest of it has begun.
  @Test func whatIsDoneAtOnceEndsWhatHasNotBegun() throws {
    let table = "{ table: 't', inputs: ['requester.id'], rules: [ { id: 'all', when: ['-'], set: { note: \"'x'\" } } ] }"
    let process = try process(
      steps: "{ parallel: [ [ \(table) ], [ { step: 'a', role: 'clerk' } ] ], join: 1, id: 'race' }, { step: 'e', role: 'clerk' }")
    let run = try TestRun(process)
    #expect(run.open == ["e"])
    #expect(run.state?.step(Occurrence("a")) == nil)
    try run.checkLog()
  }

  @Test func workSentBackIntoABlockThatHadEndedEndsItAgain() throws {
    var run = try TestRun(process(steps: FlowTests.joined(1)))
    try run.complete("c")
    try run.send(.sendBack(step: "e", to: "c", by: "user:cleo", text: "again"))
    #expect(run.open == ["c"])
    try run.complete("c")
    #expect(run.open == ["e"])
    try run.checkLog()
  }

  @Test func noBranchThatAppliesIsAnException() throws {
    var run = try TestRun(
      process(
        steps:
          "{ choose_all: [ { when: \"run.risk == 'low'\", then: [ { step: 'b', role: 'clerk' } ] } ], id: 'c' }, { step: 'e', role: 'clerk' }",
        triggers: "{ form: 'go', role: 'clerk', fields: ['risk'] }"), fields: ["risk": "high"])
    #expect(run.state?.openExceptions.map(\.code) == ["no-branch"])
    try run.send(.setFields(step: nil, by: "user:cleo", fields: ["risk": "low"], origin: nil))
    try run.send(.resolveException("x1", by: "user:cleo", resolution: .retry, comment: nil))
    #expect(run.open == ["b"])
    #expect(run.state?.block(Occurrence("c"))?.branches == ["b"])
    try run.checkLog()
  }

  @Test(arguments: [
    (
      "{ choose_all: [ { when: \"run.risk == 'low'\", then: [ { step: 'a', role: 'clerk' } ] }, { when: \"run.risk in ['low', 'high']\", "
        + "then: [ { step: 'b', role: 'clerk' } ] } ], id: 'c' }, { step: 'e', role: 'clerk', when: 'run.size > 1', form: ['x'] }", []
    ),
    (
      "{ choose_all: [ { when: \"run.risk == 'low'\", then: [ { step: 'a', role: 'clerk' } ] } ], id: 'c' }, { step: 'e', role: 'clerk', "
        + "when: 'run.size > 1', form: ['x'] }",
      [
        "no-branch 4:1: warning: no branch applies when `run.risk` is \"high\"\nhint: add `otherwise`: without it, such a run waits for a person"
      ]
    ),
    (
      "{ parallel: [ [ { step: 'a', role: 'clerk' } ], [ { step: 'b', role: 'clerk', form: ['x'] } ] ], join: 1, id: 'c' },"
        + " { step: 'e', role: 'clerk', when: \"run.x == run.risk && run.size > 1\" }",
      [
        "maybe-unset 4:126: warning: `run.x == run.risk && run.size > 1` at `e` reads field `x`, which may have no value there\n"
          + "hint: ask for it before, or write `has(run.x) && …`"
      ]
    ),
    (
      "{ parallel: [ [ { step: 'a', role: 'clerk', form: ['x'] } ], [ { step: 'b', role: 'clerk', form: ['x'] } ] ], join: 1, id: 'c' },"
        + " { step: 'e', role: 'clerk', when: \"run.x == run.risk && run.size > 1\" }", []
    ),
    (
      "{ parallel: [ [ { step: 'a', role: 'clerk', form: ['x'] } ], [ { step: 'b', role: 'clerk', when: 'run.size > 1' } ] ], join: 3, id: 'c' }",
      ["out-of-range 4:126: `join` must be from 1 to 2, not 3"]
    ),
  ])
  func theLoaderKnowsWhatMayBeLeftOut(steps: String, says: [String]) {
    #expect(Self.problems(steps).filter { !$0.hasPrefix("unused-field") } == says)
  }
}
