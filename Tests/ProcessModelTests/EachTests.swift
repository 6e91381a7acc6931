import Core
import ProcessModel
import Testing

/// Work for each item of a list: at the same time or in order, for all or for so many of them.
@Suite("Each")
struct EachTests {
  static func file(_ each: String, rest: String = "") -> String {
    """
    { process: "p", title: "P", owner: "role:owner", purpose: "test", triggers: [{ form: 'go', role: 'clerk', fields: ['units'] }],
      fields: { units: { type: "array", items: { type: "string" } }, total: { type: "integer", required: false }, risk: { enum: ["low", "high"] } },
      agents: { bot: { owner: "user:ana", tools: ["complete_step"] } },
      tools: { "x.book": { connector: "command", command: ["true"], effect: "read", arguments: { type: "object", properties: { unit: { type: "string" } } },
                           facts: { status: { enum: ["ok", "bad"] } } } },
      steps: [
    \(each), { step: 'after', role: 'clerk', form: [{ field: 'total', required: false }, { field: 'risk', required: false }] } ], \(rest) }
    """
  }

  static func run(_ each: String, _ units: [String], rest: String = "") throws -> TestRun {
    try TestRun(load(file(each, rest: rest)), fields: ["units": .array(units.map { .string($0) })])
  }

  static func each(_ more: String = "", steps: String = "{ step: 'close', role: 'clerk' }, { step: 'sign', role: 'owner' }") -> String {
    "{ each: 'run.units', do: [ \(steps) ], max: 4, id: 'units' \(more) }"
  }

  @Test func itemsAreWorkedOnAtTheSameTime() throws {
    var run = try Self.run(Self.each(), ["DE", "FR", "IT"])
    #expect(run.open == ["close#101", "close#102", "close#103"])
    #expect(run.state?.passes.map(\.item) == ["DE", "FR", "IT"])
    #expect(run.refusal(.completeStep("close", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .stepNotOpen)
    #expect(run.state?.step(named: "close") == nil)
    try run.complete("close#102")
    #expect(run.open == ["close#101", "close#103", "sign#102"])
    for step in ["close#101", "sign#102", "close#103", "sign#101"] { try run.complete(step) }
    #expect(run.open == ["sign#103"])
    try run.complete("sign#103")
    #expect(run.open == ["after"])
    try run.checkLog()
  }

  @Test func itemsAreWorkedOnInOrder() throws {
    var run = try Self.run(Self.each(", order: 'sequence'"), ["DE", "FR"])
    #expect(run.open == ["close#101"])
    try run.complete("close#101")
    try run.complete("sign#101")
    #expect(run.open == ["close#102"])
    try run.complete("close#102")
    try run.complete("sign#102")
    #expect(run.open == ["after"])
    try run.checkLog()
  }

  @Test func soManyOfThemMayDo() throws {
    var run = try Self.run(Self.each(", join: 2", steps: "{ step: 'close', role: 'clerk', remind: 'P1D' }"), ["DE", "FR", "IT"])
    try run.complete("close#103")
    #expect(run.open == ["close#101", "close#102"])
    try run.complete("close#101")
    #expect(run.open == ["after"])
    #expect(run.state?.step(Occurrence("close", 102))?.closure == .interrupted)
    #expect(run.state?.timers == [])
    try run.checkLog()
    // Where there are fewer items, all of them.
    run = try Self.run(Self.each(", join: 2", steps: "{ step: 'close', role: 'clerk' }"), ["DE"])
    try run.complete("close#101")
    #expect(run.open == ["after"])
  }

  @Test func aListMayBeEmptyOrTooLong() throws {
    #expect(try Self.run(Self.each(), []).open == ["after"])
    var run = try Self.run(Self.each(), ["1", "2", "3", "4", "5"])
    #expect(run.state?.openExceptions.map(\.code) == ["each-limit"])
    #expect(run.open == [])
    try run.send(.setFields(step: nil, by: "user:cleo", fields: ["units": ["1"]], origin: nil))
    try run.send(.resolveException("x1", by: "user:cleo", resolution: .retry, comment: nil))
    #expect(run.open == ["close#101"])
    try run.checkLog()
  }

  @Test func expressionsSeeTheirOwnItem() throws {
    let steps = """
      { step: 'book', tool: 'x.book', arguments: { unit: 'item' } },
      { choose: [ { when: "item == 'FR'", then: [ { step: 'special', role: 'clerk' } ] }, { otherwise: [], id: 'plain' } ], id: 'c' },
      { step: 'sign', role: 'owner', when: "item != 'IT'" }
      """
    var run = try Self.run(Self.each(steps: steps), ["DE", "FR", "IT"])
    let state = try #require(run.state)
    for (n, unit) in [(1, "DE"), (2, "FR"), (3, "IT")] {
      #expect(try run.process.arguments(ofToolStep: Occurrence("book", 100 + n), in: state, now: start) == ["unit": .string(unit)])
    }
    for n in 1...3 {
      try run.send(
        .finishToolStep(
          "book#\(100 + n)", by: "system:engine", result: .succeeded(facts: [:], origin: Origin("tool:x.book"))))
    }
    #expect(run.open == ["sign#101", "special#102"])
    try run.checkLog()
  }

  @Test func anItemInsideAnItemIsTheInnerOne() throws {
    let nested = """
      { each: "['a', 'b']", do: [ { each: "[item + '1', item + '2']", do: [ { step: 'x', role: 'clerk', when: "item != 'a2'" } ], max: 2, id: 'inner' },
        { step: 'y', role: 'clerk', when: "item == 'b'" } ], max: 2, id: 'outer' }
      """
    var run = try Self.run(nested, [])
    #expect(run.open == ["x#101", "x#103", "x#104"])
    #expect(run.state?.passes.compactMap(\.item) == ["a", "b", "a1", "a2", "b1", "b2"])
    try run.complete("x#101")
    #expect(run.state?.isDone(Occurrence("y", 101)) == true)
    try run.complete("x#103")
    try run.complete("x#104")
    #expect(run.open == ["y#102"])
    try run.complete("y#102")
    #expect(run.open == ["after"])
    try run.checkLog()
  }

  @Test func workIsSentBackWithinAnItemAndOverAllOfThem() throws {
    var run = try Self.run(Self.each(), ["DE", "FR"])
    try run.complete("close#101")
    try run.send(.sendBack(step: "sign#101", to: "close#101", by: "user:cleo", text: "again"))
    #expect(run.open == ["close#101", "close#102"])
    #expect(run.refusal(.sendBack(step: "close#102", to: "close#101", by: "user:cleo", text: "no")) == .notBefore)

    let before = "{ step: 'first', role: 'clerk' }, " + Self.each()
    run = try Self.run(before, ["DE", "FR"])
    for step in ["first", "close#101", "sign#101", "close#102", "sign#102"] { try run.complete(step) }
    #expect(run.open == ["after"])
    try run.send(.sendBack(step: "after", to: "first", by: "user:cleo", text: "one is missing"))
    try run.send(.setFields(step: nil, by: "user:cleo", fields: ["units": ["DE", "FR", "IT"]], origin: nil))
    try run.complete("first")
    #expect(run.open == ["close#103", "close#104", "close#105"])
    #expect(run.state?.passes.suffix(3).map(\.item) == ["DE", "FR", "IT"])
    try run.checkLog()
  }

  @Test func aHandlerWatchesEachItemAndAllOfThem() throws {
    var run = try Self.run(
      Self.each(), ["DE", "FR"],
      rest:
        "on: [ { timeout: 'PT1H', of: 'close', escalate: 'role:owner' }, { timeout: 'P1D', of: 'units', then: [ { step: 'late', role: 'owner' } ] } ]"
    )
    #expect(run.state?.timers.map(\.id) == ["units/timeout-of-units", "close#101/timeout-of-close", "close#102/timeout-of-close"])
    run.now = start + .seconds(90_000)
    try run.send(.fireTimer("units/timeout-of-units"))
    #expect(run.open == ["late"])
    try run.complete("late")
    #expect(run.open == ["after"])
    try run.checkLog()
  }

  /// A control inside stands before every item; where not all have to be done, that is a way past it.
  @Test(
    arguments: [("", []), (", order: 'sequence'", []), (", join: 1", [ControlBypass.Way.join("units")])] as [(String, [ControlBypass.Way])])
  func controlsHoldForEveryItem(more: String, found: [ControlBypass.Way]) throws {
    let control = "controls: [ { id: 'C1', statement: 's', before: 'step:sign', require: { approval: { roles: ['owner'] } } } ]"
    #expect(try load(Self.file(Self.each(more), rest: control)).controlBypasses.map(\.way) == found)
  }

  @Test(arguments: [
    ("{ each: 'requester.id', do: [ { step: 'x', role: 'clerk' } ], max: 2, id: 'e' }", "type-mismatch 7:9"),
    ("{ each: 'run.units', do: [ { step: 'x', role: 'clerk' } ], id: 'e' }", "missing-key 7:1"),
    ("{ each: 'run.units', do: [ { step: 'x', role: 'clerk' } ], max: 2, join: 2, id: 'e' }", "out-of-range 7:74"),
    ("{ each: 'run.units', do: [ { step: 'x', role: 'clerk', form: ['total'] } ], max: 2, id: 'e' }", "shared-field 7:36"),
    (
      "{ each: 'run.units', do: [ { step: 'x', agent: 'bot', prompt: 'p', writes: ['total'] } ], max: 2, order: 'sequence', id: 'e' }",
      "not-supported 7:36"
    ),
    (
      "{ each: 'run.units', do: [ { step: 'x', tool: 'x.book', arguments: { unit: 'item' } }, { step: 'y', role: 'clerk', when: \"facts.status == 'ok'\" } ], max: 2, id: 'e' }",
      "shared-field 7:36"
    ),
    (
      "{ each: 'run.units', do: [ { table: 't', inputs: ['item'], rules: [ { id: 'a', when: ['-'], set: { total: '1' } } ] }, { step: 'y', role: 'clerk' } ], max: 2, id: 'e' }",
      "shared-field 7:37"
    ),
    ("{ step: 'x', role: 'clerk', when: \"item == 'DE'\" }", "unknown-name 7:36"),
  ])
  func whatCannotBeDoneForEachItem(each: String, says: String) {
    let error = #expect(throws: Diagnostics.self) { try load(Self.file(each)) }
    let errors = (error?.all ?? []).filter { $0.severity == .error }
    #expect(errors.map { "\($0.code) \($0.position?.line ?? 0):\($0.position?.column ?? 0)" } == [says])
  }

  @Test func aTableInOrderKnowsItsItem() throws {
    let table = """
      { each: 'run.units', do: [ { table: 't', hit: 'first', inputs: ['item'], rules: [ { id: 'home', when: ["== 'DE'"], set: { risk: "'low'" } } ],
        otherwise: { risk: "'high'" } }, { step: 'y', role: 'clerk' } ], max: 2, order: 'sequence', id: 'e' }
      """
    var run = try Self.run(table, ["FR", "DE"])
    #expect(run.state?.value(of: "risk") == "high")
    #expect(run.state?.field("risk")?.origin.trusted == false)
    try run.complete("y")
    #expect(run.state?.value(of: "risk") == "low")
    try run.checkLog()
  }
}
