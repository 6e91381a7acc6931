import CEL
import Core
import Testing

@Suite struct ProgramTests {
  static func environment() -> CELEnvironment {
    var environment = CELEnvironment()
    environment.declareObject(
      "run", fields: [("amount", .double), ("risk", .string), ("iban", .string), ("items", .list(.int)), ("vendor", .object("vendor"))])
    environment.declareObject("vendor", fields: [("name", .string)])
    environment.declareObject("principal", fields: [("id", .string), ("roles", .list(.string))])
    environment.declareObject("step", fields: [("risk", .string)])
    for name in ["run", "principal", "step"] { environment.declare(name, .object(name)) }
    environment.declare("args", .map(.string, .dyn))
    environment.declare("now", .timestamp)
    return environment
  }

  static let variables: [String: CELValue] = [
    "run": ["amount": 12000.0, "risk": "low", "iban": "DE00", "items": [1, 2, 3]],
    "principal": ["id": "user:ana", "roles": ["buyer", "owner"]],
    "step": ["risk": "low"], "args": ["to": "x@example.org", "count": 3, "nested": ["deep": true]],
    "now": CELTimestamp("2026-01-31T10:00:00Z").map { .timestamp($0) } ?? .null,
  ]

  @Test func aPolicyConditionHoldsAndNamesWhatItReads() throws {
    let program = try Self.environment().compile("run.amount > 10000.0 && principal.id in ['user:ana'] && has(run.iban)", expecting: .bool)
    #expect(program.references.map(\.description) == ["run.amount", "principal.id", "run.iban"])
    #expect(program.references.map(\.type) == [.double, .string, .string])
    #expect(program.type == .bool)
    #expect(program.source == "run.amount > 10000.0 && principal.id in ['user:ana'] && has(run.iban)")
    #expect(try program.evaluate(Self.variables) == true)
  }

  static let conditions: [(String, Bool?)] = [
    ("args.to.endsWith('@example.org') && args.count == 3 && args.nested.deep", true),
    ("has(args.nested.deep) && !has(args.nested.shallow) && !has(args.cc)", true),
    ("has(run.vendor)", false), ("has(run.vendor.name)", nil), ("run.vendor.name == 'x'", nil), ("run.vendor.name == 'x' || true", true),
    ("has(args.cc.first)", nil), ("has(args.to.first)", nil), ("args.?cc.orValue('none') == 'none'", true),
    ("run.?iban.orValue('none') == 'DE00'", true), ("run.?vendor.name.orValue('none') == 'none'", true),
    ("'buyer' in principal.roles && !('admin' in principal.roles)", true), ("principal.roles.exists(r, r.startsWith('own'))", true),
    ("now < timestamp('2026-02-01T00:00:00Z') && now.getMonth() == 0", true),
    ("now - timestamp('2026-01-30T10:00:00Z') == duration('24h')", true),
    ("run.risk in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'low']", true),
    ("run.risk in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'lo']", false),
    ("args.count in ['a', 'b']", false), ("args.count in [1, 2, 3]", true), ("args.count in [1.0, 3.0]", true),
    ("run.items[0] in [1, 2]", true),
    ("args.count > 2.5 && args.count < 4u", true), ("args.to > 3", nil), ("run.items == [1.0, 2.0, 3.0].map(x, int(x))", true),
    ("dyn(run.items) == [1u, 2u, 3u]", true), ("run.risk.matches('^l[aeiou]w$')", true), ("run.items.map(x, x > 1, x * x) == [4, 9]", true),
    ("{'low': 1.0, 'high': 2.0}[run.risk] < 1.5", true), ("[run.amount, 1.0].exists_one(x, x > 2.0)", true),
    ("run.items.all(x, run.items.exists(y, y == x)) && run.items.filter(x, x > 5) == []", true), ("1 / 0 == 1 || run.risk == 'low'", true),
    ("1 / 0 == 1 && run.risk == 'high'", false), ("1 / 0 == 1 && run.risk == 'low'", nil), ("args.undeclared.thing == 1", nil),
    ("'é' == 'e\\u0301' || 'é' < 'e\\u0301'", false), ("run.items.transformMap(i, v, v * 10)[2] == 30", true),
    ("cel.bind(total, run.items[0] + run.items[1], total == 3 && total * 2 == 6)", true),
  ]

  @Test(arguments: conditions)
  func conditionsOverARun(_ source: String, _ expected: Bool?) throws {
    let environment = Self.environment()
    let program = try environment.compile(source, expecting: .bool)
    let slots = CELSlots(CELVariables(Self.variables, references: environment.references), references: environment.references)
    guard let expected else {
      #expect(throws: CELEvaluationError.self) { try program.evaluate(Self.variables) }
      #expect(throws: CELEvaluationError.self) { try program.evaluateBool(slots) }
      return
    }
    #expect(try program.evaluate(Self.variables) == .bool(expected))
    #expect(try program.evaluateBool(slots) == expected)
    #expect(try program.evaluateBool(slots) == expected, "and again, with the slots filled")
  }

  /// Counts how often it is asked for each slot.
  final class Counting: CELActivation {
    let variables: CELVariables
    var asked: [Int: Int] = [:]
    init(_ variables: CELVariables) { self.variables = variables }
    func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
      asked[slot, default: 0] += 1
      return try variables.value(slot)
    }
  }

  @Test func manyProgramsShareSlotsThatAreFilledOnce() throws {
    let environment = Self.environment()
    var copy = environment
    copy.declare("extra", .int)
    var programs: [CELProgram] = []
    for limit in 0..<100 {
      programs.append(try (limit % 2 == 0 ? environment : copy).compile("run.amount > \(limit).0 && step.risk == 'low'"))
    }
    let absent = try environment.compile("has(run.vendor) || run.amount < 0.0")
    #expect(environment.references.count == 3)
    #expect(environment.references.all.map(\.description) == ["run.amount", "step.risk", "run.vendor"])
    let counting = Counting(CELVariables(Self.variables, references: environment.references))
    let slots = CELSlots(counting, references: environment.references)
    for program in programs { #expect(try program.evaluateBool(slots)) }
    for _ in 0..<3 { #expect(try !absent.evaluateBool(slots)) }
    #expect(counting.asked == [0: 1, 1: 1, 2: 1])
    #expect(slots.read.map(\.slot) == [0, 1])
    #expect(slots.read.map(\.value) == [12000.0, "low"])
    // What is not looked at is not asked for.
    let lazy = Counting(CELVariables(Self.variables, references: environment.references))
    _ = try environment.compile("step.risk == 'high' && run.amount > 1.0").evaluateBool(CELSlots(lazy, references: environment.references))
    #expect(lazy.asked == [1: 1])
  }

  @Test func aProgramThatWasCompiledAfterTheSlotsWereMadeIsEvaluatedToo() throws {
    let environment = Self.environment()
    let slots = CELSlots(CELVariables(Self.variables, references: environment.references), references: environment.references)
    #expect(try environment.compile("run.amount > 1.0 && size(run.items) == 3").evaluateBool(slots))
  }

  /// Answers that it does not know yet.
  final class Unknowing: CELActivation {
    let known: [Int: CELValue]
    init(_ known: [Int: CELValue]) { self.known = known }
    func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
      guard let value = known[slot] else { throw CELEvaluationError(.unknown, "not known yet") }
      return value
    }
  }

  @Test(
    arguments: [
      ("run.amount > 1.0 && step.risk == 'low'", nil), ("run.amount < 1.0 && step.risk == 'low'", false),
      ("step.risk == 'low' && run.amount < 1.0", false), ("step.risk == 'low' || run.amount > 1.0", true),
      ("(1 / 0 > 0 || step.risk == 'low') && true", nil), ("[step.risk, 'x'].exists(r, r == 'x')", nil),
      ("['x', 'y'].exists(r, r == step.risk || r == 'y')", true),
    ] as [(String, Bool?)])
  func whatIsUnknownMattersOnlyWhereItDecides(_ source: String, _ expected: Bool?) throws {
    let environment = Self.environment()
    let program = try environment.compile(source)
    let amount = program.references.first { $0.description == "run.amount" }?.slot
    let activation = Unknowing(amount.map { [$0: 5.0] } ?? [:])
    do {
      let value = try program.evaluateBool(activation)
      #expect(value == expected)
    } catch {
      #expect(expected == nil)
      #expect(error.code == .unknown, "an unknown goes before other errors")
    }
  }

  @Test func anActivationThatBreaksItsDeclarationIsAnErrorAndNoCrash() throws {
    let environment = Self.environment()
    for (source, value) in [
      ("run.amount > 1.0", "text"), ("run.risk == 'low'", 1), ("run.items.exists(x, x > 1)", "no list"), ("run.amount + 1.0 > 2.0", true),
    ]
      as [(String, CELValue)]
    {
      let program = try environment.compile(source)
      let activation = Unknowing([program.references[0].slot: value])
      let error = #expect(throws: CELEvaluationError.self) { try program.evaluateBool(activation) }
      #expect(error?.code == .noSuchOverload, "\(source)")
    }
  }

  @Test func hostFunctionsAreCheckedAndCalled() throws {
    var environment = Self.environment()
    environment.declareFunction("inList", [.string, .list(.string)], returns: .bool) { values throws(CELEvaluationError) in
      .bool(values[1].listValue?.contains(values[0]) ?? false)
    }
    environment.declareFunction("money.rounded", [.double], returns: .int) { values throws(CELEvaluationError) in
      .int(Int64((values[0].doubleValue ?? 0).rounded()))
    }
    environment.declareFunction("money.rounded", [.int], returns: .int) { values throws(CELEvaluationError) in values[0] }
    environment.declareFunction("first", [.list(.parameter("T"))], returns: .parameter("T"), isMember: true) {
      values throws(CELEvaluationError) in
      guard let first = values[0].listValue?.first else { throw CELEvaluationError(.noSuchKey, "the list is empty") }
      return first
    }
    let source = "inList('buyer', principal.roles) && money.rounded(run.amount) == money.rounded(12000) && run.items.first() + 1 == 2"
    #expect(try environment.compile(source, expecting: .bool).evaluate(Self.variables) == true)
    #expect(throws: Diagnostics.self) { try environment.compile("run.items.first() == 'a'") }
    let error = #expect(throws: CELEvaluationError.self) { try environment.compile("1 + [].first() > 0").evaluate([:]) }
    #expect(error == CELEvaluationError(.noSuchKey, "the list is empty", offset: 7))
    #expect(throws: CELEvaluationError.self) { try environment.compile("money.rounded(dyn('x')) == 1").evaluate([:]) }
  }

  @Test func theTreeCanBeInspected() throws {
    let tree = try Self.environment().parse("run.amount > 1.0 && has(run.iban) && run.items.all(x, x in [1, 2])")
    var calls: [String] = []
    var names: Set<String> = []
    tree.forEach { expression in
      switch expression.kind {
      case .call(let name, _, _): calls.append(name)
      case .identifier(let name, _): names.insert(name)
      default: break
      }
    }
    #expect(calls == ["_&&_", "_>_", "@in"])
    #expect(names == ["run", "x"])
    #expect(tree.children.map(\.offset) == [11, 28, 47])
  }

  @Test func librariesCanBeLeftOut() {
    let bare = CELEnvironment(libraries: [])
    for source in [
      "'a'.trim()", "math.abs(1)", "optional.none()", "{}.?a", "[1].all(i, v, true)", "cel.bind(x, 1, x)", "base64.encode(b'')",
    ] {
      #expect(throws: Diagnostics.self, "\(source)") { try bare.compile(source) }
      #expect(throws: Never.self, "\(source)") { try CELEnvironment().compile(source) }
    }
  }
}
