import CEL
import Core
import TestSupport
import Testing

/// Writes random expressions that are well typed over the variables of ``PropertyTests``.
struct ExpressionWriter {
  var random: SeededGenerator
  /// The variables of the macros around the expression, all of type `int`.
  var locals: [String] = []

  mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }
  mutating func flip(_ n: Int = 2) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

  mutating func bool(_ depth: Int) -> String {
    if depth == 0 { return pick(["true", "false", "flag", "has(run.amount)", "has(run.missing)"]) }
    let d = depth - 1
    switch Int.random(in: 0..<14, using: &random) {
    case 0: return "(\(bool(d)) && \(bool(d)))"
    case 1: return "(\(bool(d)) || \(bool(d)))"
    case 2: return "!\(bool(d))"
    case 3: return "(\(int(d)) \(pick(["<", "<=", ">", ">=", "==", "!="])) \(int(d)))"
    case 4: return "(\(double(d)) \(pick(["<", "<=", ">", ">=", "==", "!="])) \(double(d)))"
    case 5: return "(\(string(d)) \(pick(["<", ">=", "==", "!="])) \(string(d)))"
    case 6: return "(\(int(d)) in \(list(d)))"
    case 7: return "(\(string(d)) in ['a', 'low', \(flip() ? "'é'" : string(d))])"
    case 8:
      let name = "v\(locals.count)"
      let range = list(d)
      locals.append(name)
      defer { locals.removeLast() }
      return "\(range).\(pick(["all", "exists", "exists_one"]))(\(name), \(bool(d)))"
    case 9: return "\(string(d)).\(pick(["startsWith", "endsWith", "contains"]))(\(string(d)))"
    case 10: return "(\(bool(d)) ? \(bool(d)) : \(bool(d)))"
    case 11: return "(\(bool(d)) && \(bool(d)) && \(bool(d)))"
    case 12: return "(\(list(d)) == \(list(d)))"
    default: return bool(0)
    }
  }

  mutating func int(_ depth: Int) -> String {
    if depth == 0 { return pick(["0", "1", "-7", "9223372036854775807", "count", "run.count"] + locals) }
    let d = depth - 1
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: return "(\(int(d)) \(pick(["+", "-", "*", "/", "%"])) \(int(d)))"
    case 2: return "-(\(int(d)))"
    case 3: return "size(\(flip() ? string(d) : list(d)))"
    case 4: return "\(list(d))[\(int(0))]"
    case 5: return "(\(bool(d)) ? \(int(d)) : \(int(d)))"
    default: return "int(\(double(d)))"
    }
  }

  mutating func double(_ depth: Int) -> String {
    if depth == 0 { return pick(["0.0", "1.5", "-2.25", "1e300", "run.amount", "run.missing", "ratio"]) }
    let d = depth - 1
    switch Int.random(in: 0..<4, using: &random) {
    case 0, 1: return "(\(double(d)) \(pick(["+", "-", "*", "/"])) \(double(d)))"
    case 2: return "double(\(int(d)))"
    default: return "(\(bool(d)) ? \(double(d)) : \(double(d)))"
    }
  }

  mutating func string(_ depth: Int) -> String {
    if depth == 0 { return pick(["''", "'a'", "'low'", "'é'", "'e\\u0301'", "run.risk", "word"]) }
    let d = depth - 1
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return "(\(string(d)) + \(string(d)))"
    case 1: return "string(\(int(d)))"
    case 2: return "(\(bool(d)) ? \(string(d)) : \(string(d)))"
    default: return "\(string(d)).\(pick(["lowerAscii()", "trim()", "reverse()", "charAt(0)"]))"
    }
  }

  mutating func list(_ depth: Int) -> String {
    if depth == 0 { return pick(["[]", "[1, 2, 3]", "run.items"]) }
    let d = depth - 1
    let name = "v\(locals.count)"
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return "[\(int(d)), \(int(d))]"
    case 1: return "(\(list(d)) + \(list(d)))"
    case 2:
      let range = list(d)
      locals.append(name)
      defer { locals.removeLast() }
      return "\(range).filter(\(name), \(bool(d)))"
    default:
      let range = list(d)
      locals.append(name)
      defer { locals.removeLast() }
      return "\(range).map(\(name), \(int(d)))"
    }
  }
}

@Suite struct PropertyTests {
  static let types: [(String, CELType)] = [
    ("flag", .bool), ("count", .int), ("ratio", .double), ("word", .string), ("run", .object("run")),
  ]
  static let fields: [(String, CELType)] = [
    ("amount", .double), ("missing", .double), ("count", .int), ("risk", .string), ("items", .list(.int)),
  ]
  static let values: [String: CELValue] = [
    "flag": true, "count": 3, "ratio": 0.5, "word": "lowé", "run": ["amount": 12.5, "count": 2, "risk": "low", "items": [3, 1, 2]],
  ]

  static func environment(dynamic: Bool = false) -> CELEnvironment {
    var environment = CELEnvironment(limits: CELLimits(steps: 200_000))
    environment.declareObject("run", fields: fields.map { ($0.0, dynamic ? .dyn : $0.1) })
    for (name, type) in types {
      if case .object = type { environment.declare(name, type) } else { environment.declare(name, dynamic ? .dyn : type) }
    }
    return environment
  }

  enum Outcome: Equatable, CustomStringConvertible {
    case value(CELValue)
    case error(CELEvaluationError.Code)
    var description: String {
      switch self {
      case .value(let value): "\(value)"
      case .error(let code): "error \(code)"
      }
    }
  }

  static func outcome(_ program: CELProgram) -> Outcome {
    do throws(CELEvaluationError) { return .value(try program.evaluate(values)) } catch { return .error(error.code) }
  }

  /// What is well typed never errs for its types, and gives a value of the type that was inferred.
  @Test func checkedExpressionsKeepTheirTypes() throws {
    let environment = Self.environment()
    var values = 0
    var errors: [String: Int] = [:]
    try withSeeds(400) { seed, random in
      var writer = ExpressionWriter(random: random)
      let (source, type): (String, CELType) =
        switch seed % 4 {
        case 0: (writer.int(4), .int)
        case 1: (writer.string(4), .string)
        case 2: (writer.list(4), .list(.int))
        default: (writer.bool(5), .bool)
        }
      let program = try environment.compile(source)
      #expect([type, .dyn, .list(.dyn)].contains(program.type), "SEED=\(seed) `\(source)`")
      switch Self.outcome(program) {
      case .value(let value):
        values += 1
        #expect(value.type == (seed % 4 == 2 ? .list(.dyn) : type), "SEED=\(seed) `\(source)`")
      case .error(let code):
        errors[code.rawValue, default: 0] += 1
        #expect(code != .noSuchOverload && code != .undeclared, "SEED=\(seed) `\(source)`")
      }
    }
    print("cel properties: \(values) values, errors \(errors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })")
  }

  /// Nodes for known types do the same as those for types that are known only at evaluation.
  @Test func typesChangeTheSpeedAndNotTheValue() throws {
    let (typed, dynamic) = (Self.environment(), Self.environment(dynamic: true))
    try withSeeds(400) { seed, random in
      var writer = ExpressionWriter(random: random)
      let source = writer.bool(5)
      let outcomes = (Self.outcome(try typed.compile(source)), Self.outcome(try dynamic.compile(source)))
      #expect(outcomes.0 == outcomes.1, "SEED=\(seed) `\(source)`")
    }
  }

  /// `&&` and `||` do not care which side comes first, also where one errs.
  @Test func theLogicalOperatorsAreCommutative() throws {
    let environment = Self.environment()
    try withSeeds(400) { seed, random in
      var writer = ExpressionWriter(random: random)
      let (a, b, c) = (writer.bool(3), writer.bool(3), writer.bool(3))
      for symbol in ["&&", "||"] {
        let orders = ["\(a) \(symbol) \(b) \(symbol) \(c)", "\(c) \(symbol) \(b) \(symbol) \(a)", "(\(b) \(symbol) \(a)) \(symbol) \(c)"]
        let outcomes = try orders.map { Self.isTrue(Self.outcome(try environment.compile($0))) }
        #expect(Set(outcomes).count == 1, "SEED=\(seed) `\(orders[0])`")
      }
      let (left, right) = ("!(\(a) && \(b))", "!\(a) || !\(b)")
      #expect(
        Self.isTrue(Self.outcome(try environment.compile(left))) == Self.isTrue(Self.outcome(try environment.compile(right))),
        "SEED=\(seed) `\(left)`")
    }
  }

  /// Nil for an error.
  private static func isTrue(_ outcome: Outcome) -> Bool? {
    if case .value(.bool(let value)) = outcome { value } else { nil }
  }

  /// Whatever the text is, it is refused with a place inside it, or compiled and evaluated within the limits.
  @Test func noTextBreaksTheParser() {
    let words = [
      "run", ".", "amount", "(", ")", "[", "]", "{", "}", "?", ":", ",", "+", "-", "*", "/", "%", "!", "&&", "||", "==", "<", "in", "true",
      "null", "1", "2u", "0.5", "'a'", "b'x'", "\"\"\"", "r'\\'", "`x`", "has", "all", "map", "x", "//", "\n", " ", "é", "\\", "0x", "1e",
      "size", ".?", "[?", "cel.bind", "1.", "..", "\u{0}", "'\\x4'", "matches", "'('",
    ]
    let environment = Self.environment()
    var compiled = 0
    withSeeds(3_000) { seed, random in
      let count = Int.random(in: 1...12, using: &random)
      let source = (0..<count).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }.joined(
        separator: seed % 2 == 0 ? " " : "")
      do throws(Diagnostics) {
        let program = try environment.compile(source)
        compiled += 1
        _ = Self.outcome(program)
      } catch {
        #expect(!error.all.isEmpty, "SEED=\(seed)")
        for problem in error.all {
          #expect((0...source.utf8.count).contains(problem.position?.offset ?? -1), "SEED=\(seed) `\(source)`: \(problem)")
        }
      }
    }
    print("cel properties: \(compiled) of 3000 random texts were expressions")
    #expect(compiled > 30)
  }
}
