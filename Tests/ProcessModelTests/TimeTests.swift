import Core
import ProcessModel
import Testing

/// Waits, deadlines of blocks and runs, what is done on cancellation, and ways past a control.
@Suite("Time")
struct TimeTests {
  static let hour = Duration.seconds(3600)

  @Test func aWaitIsDoneWhenItsTimeHasPassed() throws {
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk' }, { wait: 'P1D', id: 'cool' }, { step: 'b', role: 'clerk' }"))
    try run.complete("a")
    #expect(run.open == [] && run.status == .running)
    #expect(run.state?.timers.map(\.id) == ["cool"] && run.state?.timers.map(\.at) == [start + .seconds(86_400)])
    #expect(run.refusal(.fireTimer("cool")) == .timerNotDue)
    run.now = start + .seconds(86_400)
    try run.send(.fireTimer("cool"))
    #expect(run.refusal(.fireTimer("cool")) == .timerNotDue, "once is enough")
    #expect(run.open == ["b"])
    try run.complete("b")
    #expect(run.status == .completed)
    try run.checkLog()
  }

  struct Moment: Sendable, CustomTestStringConvertible {
    var name: String
    var until: String
    var at: Duration?
    var testDescription: String { name }
  }

  static let moments = [
    Moment(name: "a moment ahead", until: "timestamp('2026-01-02T00:00:00Z')", at: .seconds(86_400)),
    Moment(name: "counted from now", until: "now + duration('90m')", at: .seconds(5400)),
    Moment(name: "one that is past is now", until: "timestamp('2020-01-01T00:00:00Z')", at: .zero),
    Moment(name: "a text that is no moment", until: "timestamp(run.note)", at: nil),
  ]

  @Test(arguments: moments)
  func aWaitUntilAMoment(_ test: Moment) throws {
    var run = try TestRun(
      process(steps: "{ wait: { until: \"\(test.until)\" }, id: 'later' }, { step: 'b', role: 'clerk' }"))
    guard let at = test.at else {
      #expect(run.state?.openExceptions.map(\.code) == ["condition-error"] && run.state?.timers.isEmpty == true)
      try run.send(.setFields(step: nil, by: "user:ana", fields: ["note": "2026-01-02T00:00:00Z"], origin: nil))
      try run.send(.resolveException("x1", by: "user:ana", resolution: .retry, comment: nil))
      #expect(run.state?.timers.map(\.id) == ["later"])
      return try run.checkLog()
    }
    #expect(run.state?.timers.map(\.at) == [start + at])
    run.now = start + at
    try run.send(.fireTimer("later"))
    #expect(run.open == ["b"])
    try run.checkLog()
  }

  @Test func aBlockHasItsTime() throws {
    var run = try TestRun(
      process(
        steps: """
          { parallel: [ [ { step: 'a', role: 'clerk' } ], [ { wait: 'P9D', id: 'long' } ] ], id: 'both' }, { step: 'b', role: 'clerk' }
          """, rest: "on: [ { timeout: 'PT1H', of: 'both', then: [ { step: 'late', role: 'owner' } ] } ]"))
    #expect(run.state?.timers.map(\.id) == ["both/timeout-of-both", "long"])
    run.now = start + Self.hour
    try run.send(.fireTimer("both/timeout-of-both"))
    #expect(run.open == ["late"] && run.state?.timers.isEmpty == true, "what is inside is over")
    #expect(run.state?.step(Occurrence("a"))?.closure == .interrupted)
    try run.complete("late", by: "user:olaf")
    #expect(run.open == ["b"])
    try run.checkLog()
  }

  @Test func aBlockThatIsDoneInTimeHasNoTimerLeft() throws {
    var run = try TestRun(
      process(
        steps: "{ repeat: [ { step: 'a', role: 'clerk' } ], until: 'run.done', max: 3, id: 'again' }, { step: 'b', role: 'clerk' }",
        rest: "on: [ { timeout: 'PT1H', of: 'again', then: [] } ]"))
    try run.send(.setFields(step: nil, by: "user:ana", fields: ["done": false], origin: nil))
    try run.complete("a")
    #expect(run.state?.timers.map(\.at) == [start + Self.hour], "a pass does not begin it anew")
    try run.send(.setFields(step: nil, by: "user:ana", fields: ["done": true], origin: nil))
    try run.complete("a")
    #expect(run.open == ["b"] && run.state?.timers.isEmpty == true)
    // Work that is sent back into the block has its time again.
    run.now = start + .seconds(60)
    try run.send(.sendBack(step: "b", to: "a#2", by: "user:cleo", text: "again"))
    #expect(run.state?.timers.map(\.at) == [start + .seconds(60) + Self.hour])
    try run.checkLog()
  }

  @Test func aRunHasItsTime() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }",
        rest: "on: [ { timeout: 'P30D', then: [ { step: 'tell', role: 'owner' } ], after: 'end' } ]"))
    #expect(run.state?.timers.map(\.id) == ["./timeout"])
    try run.complete("a")
    run.now = start + .seconds(30 * 86_400)
    try run.send(.fireTimer("./timeout"))
    #expect(run.open == ["tell"])
    try run.complete("tell", by: "user:olaf")
    #expect(run.status == .cancelled && run.state?.cancellation == "timeout")
    try run.checkLog()
    var quick = try TestRun(
      process(steps: "{ step: 'a', role: 'clerk' }", rest: "on: [ { timeout: 'P30D', then: [], after: 'end' } ]"))
    try quick.complete("a")
    #expect(quick.status == .completed && quick.state?.timers.isEmpty == true)
    try quick.checkLog()
  }

  @Test func aCancelledRunDoesFirstWhatItsProcessSays() throws {
    let rest = "on: [ { exception: 'cancelled', then: [ { step: 'undo', role: 'clerk' } ], after: 'end' } ]"
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }", rest: rest))
    try run.send(.cancel(by: "user:ana", code: "withdrawn", text: "not needed"))
    #expect(run.open == ["undo"] && run.status == .running)
    #expect(run.state?.step(Occurrence("a"))?.closure == .interrupted)
    try run.complete("undo")
    #expect(run.status == .cancelled && run.state?.cancellation == "cancelled")
    try run.checkLog()
    // Who cancels once more ends it at once.
    var twice = try TestRun(process(steps: "{ step: 'a', role: 'clerk' }", rest: rest))
    try twice.send(.cancel(by: "user:ana", code: "withdrawn", text: "not needed"))
    try twice.send(.cancel(by: "user:ana", code: "withdrawn", text: "now"))
    #expect(twice.status == .cancelled && twice.state?.cancellation == "withdrawn")
    try twice.checkLog()
  }

  @Test func aPauseMovesWaitsAndDeadlines() throws {
    var run = try TestRun(
      process(
        steps: "{ wait: 'PT2H', id: 'cool' }, { step: 'b', role: 'clerk' }",
        rest: "on: [ { timeout: 'P1D', then: [], after: 'end' } ]"))
    try run.send(.pause(by: "user:ana", text: "x"))
    run.now = start + .seconds(600)
    try run.send(.resume(by: "user:ana"))
    #expect(run.state?.timers.map(\.at) == [start + .seconds(86_400 + 600), start + .seconds(7200 + 600)])
    try run.checkLog()
  }

  @Test func theOutlineSaysIt() throws {
    let lines = try process(
      steps: "{ wait: 'P1D', id: 'cool' }, { wait: { until: 'now' }, id: 'then' }, { step: 'b', role: 'clerk' }",
      rest: """
        on: [ { timeout: 'P30D', then: [], after: 'end' },
              { exception: 'cancelled', then: [ { step: 'undo', role: 'clerk' } ], after: 'end' } ]
        """
    ).outline()
    for line in [
      "  wait cool: P1D", "  wait then: until now", "  timeout: the run is not done P30D after its start: then end the run",
      "  cancelled: somebody cancels the run: then end the run",
    ] {
      #expect(lines.contains(line), "\(line) in \(lines)")
    }
  }

  // MARK: - Ways past a control

  struct Way: Sendable, CustomTestStringConvertible {
    var name: String
    var handlers: String
    var found: [String]
    var controls = ""
    var testDescription: String { name }
  }

  static let ways = [
    Way(name: "no handler", handlers: "", found: []),
    Way(name: "a late step is gone past", handlers: "{ timeout: 'P1D', of: 'sign', then: [] }", found: ["timeout-of-sign"]),
    Way(name: "the block around it is gone past", handlers: "{ timeout: 'P1D', of: 'work', then: [] }", found: ["timeout-of-work"]),
    Way(name: "it fails and is gone past", handlers: "{ exception: '*', of: 'sign', then: [] }", found: ["exception-of-sign"]),
    Way(name: "anything fails and is gone past", handlers: "{ exception: 'lost', then: [] }", found: ["lost"]),
    Way(name: "another step is gone past", handlers: "{ timeout: 'P1D', of: 'other', then: [] }", found: []),
    Way(name: "brought before others", handlers: "{ timeout: 'P1D', of: 'sign', escalate: 'role:owner' }", found: []),
    Way(name: "tried again", handlers: "{ exception: '*', of: 'sign', then: [], after: 'retry', max: 2 }", found: []),
    Way(name: "the run ends", handlers: "{ exception: '*', of: 'work', then: [], after: 'end' }", found: []),
    Way(
      name: "another step instead", handlers: "{ exception: '*', of: 'sign', then: [ { step: 'instead', role: 'clerk' } ] }",
      found: ["exception-of-sign"]),
    Way(
      name: "another step under the same control",
      handlers: "{ exception: '*', of: 'sign', then: [ { step: 'instead', role: 'clerk' } ] }", found: [],
      controls: ", { id: 'C2', statement: 's', before: 'step:instead', require: { approval: { roles: ['owner'] } } }"),
    Way(
      name: "another step that does not always apply",
      handlers: "{ exception: '*', of: 'sign', then: [ { step: 'instead', role: 'clerk', when: 'run.done' } ] }",
      found: ["exception-of-sign"],
      controls: ", { id: 'C2', statement: 's', before: 'step:instead', require: { approval: { roles: ['owner'] } } }"),
    Way(
      name: "the handler that holds it is gone past",
      handlers: """
        { exception: '*', of: 'other', then: [ { step: 'fix', role: 'clerk' } ], after: 'end' },
        { timeout: 'P1D', of: 'fix', then: [] }
        """, found: ["timeout-of-fix"],
      controls: ", { id: 'C2', statement: 's', before: 'step:fix', require: { approval: { roles: ['owner'] } } }"),
  ]

  @Test(arguments: ways)
  func aWayPastAControlIsFound(_ way: Way) throws {
    let process = try process(
      steps: """
        { step: 'other', role: 'clerk' },
        { repeat: [ { step: 'sign', role: 'clerk' } ], until: 'run.done', max: 2, id: 'work' }
        """,
      rest: """
        on: [ \(way.handlers) ],
        controls: [ { id: 'C1', statement: 's', before: 'step:sign', require: { approval: { roles: ['owner'] } } }\(way.controls) ]
        """)
    #expect(process.controlBypasses.map(\.way) == way.found.map { .handler($0) })
  }

  /// Whoever is fastest may not decide that a step under a control is not done.
  @Test(arguments: [("", []), ("join: 2,", []), ("join: 1,", [ControlBypass.Way.join("both")])] as [(String, [ControlBypass.Way])])
  func aBlockThatDoesNotWaitForAllIsAWayPast(join: String, found: [ControlBypass.Way]) throws {
    let process = try process(
      steps: "{ parallel: [ [ { step: 'sign', role: 'clerk' } ], [ { step: 'other', role: 'clerk' } ] ], \(join) id: 'both' }",
      rest: "controls: [ { id: 'C1', statement: 's', before: 'step:sign', require: { approval: { roles: ['owner'] } } } ]")
    #expect(process.controlBypasses.map(\.way) == found)
  }
}
