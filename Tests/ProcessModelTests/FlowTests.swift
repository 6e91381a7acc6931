import Core
import ProcessModel
import Testing

/// How runs move through each kind of block: a list of steps to complete, with what is open after each.
@Suite("Flow")
struct FlowTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: String
    var fields: [String: JSON] = [:]
    /// Steps to complete, with fields that are corrected just before.
    let moves: [(set: [String: JSON], complete: String)]
    /// The open steps at the start and after each move.
    let open: [[String]]
    var ends: RunState.Status = .running
    var testDescription: String { name }
  }

  static func move(_ step: String, _ set: [String: JSON] = [:]) -> (set: [String: JSON], complete: String) { (set, step) }
  static let branches = """
    { step: 'a', role: 'clerk' },
    { choose: [ { when: "run.risk == 'low'", then: [ { step: 'b', role: 'clerk' } ] },
                { when: "run.amount > 100.0", then: [ { step: 'c', role: 'clerk' }, { step: 'd', role: 'clerk' } ] },
                { otherwise: [] } ], id: 'which' },
    { step: 'e', role: 'clerk' }
    """
  static let loop = """
    { repeat: [ { step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' } ], until: 'run.done', max: 3, id: 'loop' }, { step: 'c', role: 'clerk' }
    """
  static let nested = """
    { repeat: [ { repeat: [ { step: 'a', role: 'clerk' } ], until: 'run.done', max: 5, id: 'inner' }, { step: 'b', role: 'clerk' } ],
      until: "run.risk == 'low'", max: 5, id: 'outer' }
    """
  static let parallel = """
    { parallel: [ [ { step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' } ], [ { step: 'c', role: 'clerk' } ],
                  [ { choose: [ { when: 'run.done', then: [ { step: 'd', role: 'clerk' } ] }, { otherwise: [] } ], id: 'maybe' } ] ], id: 'all' },
    { step: 'e', role: 'clerk' }
    """

  static let all = """
    { step: 'a', role: 'clerk' },
    { choose_all: [ { when: "run.risk == 'low'", then: [ { step: 'b', role: 'clerk' } ] },
                    { when: "run.amount > 100.0", then: [ { step: 'c', role: 'clerk' }, { step: 'd', role: 'clerk' } ] },
                    { otherwise: [ { step: 'f', role: 'clerk' } ] } ], id: 'which' },
    { step: 'e', role: 'clerk' }
    """
  static func joined(_ join: Int) -> String {
    """
    { parallel: [ [ { step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' } ], [ { step: 'c', role: 'clerk' } ], [ { step: 'd', role: 'clerk' } ] ],
      join: \(join), id: 'some' }, { step: 'e', role: 'clerk' }
    """
  }

  static let cases: [Case] = [
    Case(
      name: "a choice of all that apply takes several", steps: all,
      moves: [move("a", ["risk": "low", "amount": 500]), move("c"), move("b"), move("d"), move("e")],
      open: [["a"], ["b", "c"], ["b", "d"], ["d"], ["e"], []], ends: .completed),
    Case(
      name: "a choice of all that apply takes one", steps: all, moves: [move("a", ["risk": "low", "amount": 5]), move("b")],
      open: [["a"], ["b"], ["e"]]),
    Case(
      name: "otherwise is taken where none applies, and only then", steps: all,
      moves: [move("a", ["risk": "high", "amount": 5]), move("f")],
      open: [["a"], ["f"], ["e"]]),
    Case(
      name: "a join of any ends the others", steps: joined(1), moves: [move("c"), move("e")], open: [["a", "c", "d"], ["e"], []],
      ends: .completed),
    Case(
      name: "a join of two waits for two", steps: joined(2), moves: [move("a"), move("d"), move("b"), move("e")],
      open: [["a", "c", "d"], ["c", "d", "b"], ["c", "b"], ["e"], []], ends: .completed),
    Case(
      name: "a sequence goes one step at a time", steps: "{ step: 'a', role: 'clerk' }, { step: 'b', role: 'clerk' }",
      moves: [move("a"), move("b")], open: [["a"], ["b"], []], ends: .completed),
    Case(
      name: "a choice takes the first branch that holds", steps: branches, moves: [move("a", ["risk": "low", "amount": 500])],
      open: [["a"], ["b"]]),
    Case(
      name: "a choice takes a later branch", steps: branches,
      moves: [move("a", ["risk": "high", "amount": 500]), move("c"), move("d"), move("e")], open: [["a"], ["c"], ["d"], ["e"], []],
      ends: .completed),
    Case(
      name: "otherwise may do nothing", steps: branches, moves: [move("a", ["risk": "high", "amount": 100]), move("e")],
      open: [["a"], ["e"], []], ends: .completed),
    Case(
      name: "a repeat of one pass", steps: loop, moves: [move("a"), move("b", ["done": true]), move("c")],
      open: [["a"], ["b"], ["c"], []], ends: .completed),
    Case(
      name: "a repeat numbers its passes", steps: loop,
      moves: [move("a", ["done": false]), move("b"), move("a"), move("b#2", ["done": true]), move("c")],
      open: [["a"], ["b"], ["a#2"], ["b#2"], ["c"], []], ends: .completed),
    Case(
      name: "inner passes are counted over the whole run", steps: nested,
      moves: [move("a", ["done": false]), move("a", ["done": true]), move("b", ["risk": "high"]), move("a"), move("b", ["risk": "low"])],
      open: [["a"], ["a#2"], ["b"], ["a#3"], ["b#2"], []], ends: .completed),
    Case(
      name: "a parallel waits for all", steps: parallel, fields: ["done": false], moves: [move("a"), move("c"), move("b"), move("e")],
      open: [["a", "c"], ["c", "b"], ["b"], ["e"], []], ends: .completed),
    Case(
      name: "a parallel opens what its branches choose", steps: parallel, fields: ["done": true],
      moves: [move("d"), move("c"), move("a"), move("b")],
      open: [["a", "c", "d"], ["a", "c"], ["a"], ["b"], ["e"]]),
  ]

  @Test(arguments: cases)
  func follows(_ test: Case) throws {
    let triggers = "{ form: 'go', role: 'clerk', fields: ['risk', 'amount', 'note', 'done'] }"
    let fields = JSONObject(test.fields.map { ($0.key, $0.value) })
    var run = try TestRun(process(steps: test.steps, triggers: triggers), fields: fields)
    #expect(run.open == test.open[0])
    for (move, open) in zip(test.moves, test.open.dropFirst()) {
      if !move.set.isEmpty {
        let fields = JSONObject(move.set.map { ($0.key, $0.value) })
        try run.send(.setFields(step: nil, by: "user:owner", fields: fields, origin: nil))
      }
      try run.complete(move.complete)
      #expect(run.open == open, "after \(move.complete)")
    }
    #expect(run.status == test.ends)
    try run.checkLog()
  }

  @Test func branchesAndPassesAreInTheLog() throws {
    var run = try TestRun(process(steps: Self.branches))
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["risk": "high", "amount": 1000], origin: nil))
    let events = try run.complete("a")
    #expect(
      events == [
        .stepCompleted(Occurrence("a"), by: "user:cleo"),
        .branchChosen(Occurrence("which"), branch: "seq-of-c"),
        .stepReady(Occurrence("c"), performer: .role("clerk"), title: "C", due: nil, attempt: 1),
      ])
    try run.complete("c")
    #expect(
      try run.complete("d") == [
        .stepCompleted(Occurrence("d"), by: "user:cleo"), .blockCompleted(Occurrence("seq-of-c")), .blockCompleted(Occurrence("which")),
        .stepReady(Occurrence("e"), performer: .role("clerk"), title: "E", due: nil, attempt: 1),
      ])
  }

  @Test func aChoiceWithoutABranchWaitsForAPerson() throws {
    var run = try TestRun(
      process(
        steps: "{ step: 'a', role: 'clerk' }, { choose: [ { when: 'run.amount > 5.0', then: [ { step: 'b', role: 'clerk' } ] } ], id: 'c' }"
      ))
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["amount": 5], origin: nil))
    try run.complete("a")
    #expect(run.open == [])
    #expect(run.status == .running)
    #expect(run.state?.openExceptions.map(\.code) == ["no-branch"])
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["amount": 6], origin: nil))
    try run.send(.resolveException("x1", by: "user:owner", resolution: .retry, comment: "corrected the amount"))
    #expect(run.open == ["b"])
    try run.checkLog()
  }

  @Test func aConditionWithoutAValueNeverPicksABranch() throws {
    var run = try TestRun(process(steps: Self.branches))
    try run.complete("a")
    #expect(run.open == [])
    let exception = try #require(run.state?.openExceptions.first)
    #expect(exception.code == "condition-error")
    #expect(exception.at == Occurrence("which"))
    #expect(exception.by == "system:process")
    #expect(exception.text?.hasPrefix("branch `b`: ") == true)
    try run.send(.resolveException("x1", by: "user:owner", resolution: .proceed, comment: nil))
    #expect(run.open == ["e"])
    try run.checkLog()
  }

  @Test func aRepeatThatIsNeverDoneStopsAtItsLimit() throws {
    var run = try TestRun(process(steps: Self.loop))
    try run.send(.setFields(step: nil, by: "user:owner", fields: ["done": false], origin: nil))
    for _ in 0..<3 {
      try run.complete("a")
      try run.complete("b")
    }
    #expect(run.open == [])
    #expect(run.state?.openExceptions.map(\.code) == ["repeat-limit"])
    #expect(run.state?.openExceptions.first?.text == "`loop` is not done after 3 passes")
    try run.send(.resolveException("x1", by: "user:owner", resolution: .retry, comment: nil))
    #expect(run.open == ["a#4"])
    try run.complete("a")
    try run.complete("b")
    try run.send(.resolveException("x2", by: "user:owner", resolution: .proceed, comment: nil))
    #expect(run.open == ["c"])
    try run.checkLog()
  }

  @Test func aRequiredFieldOfAnEarlierPassIsAskedForAgain() throws {
    let steps =
      "{ repeat: [ { step: 'a', role: 'clerk', form: [{ field: 'done', required: true }] } ], until: 'run.done', max: 3, id: 'loop' }"
    var run = try TestRun(process(steps: steps))
    try run.complete("a", ["done": false])
    #expect(run.open == ["a#2"])
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .fieldMissing)
    try run.send(.setFields(step: "a", by: "user:cleo", fields: ["done": true], origin: nil))
    try run.complete("a#2")
    #expect(run.status == .completed)
  }
}
