import CEL
import Core
import Testing

/// What people are told about expressions that cannot be used.
@Suite struct DiagnosticTests {
  struct Case: CustomTestStringConvertible {
    let source: String
    let expected: String
    var testDescription: String { source }
  }

  static let cases: [Case] = [
    Case(source: "", expected: "1:1: the expression is empty"),
    Case(source: "1 +", expected: "1:4: expected a value, found the end"),
    Case(source: "run.amount > 10.0 and true", expected: "1:19: expected an operator or the end, found `and`\nhint: write `&&` for and"),
    Case(source: "run.risk = 'low'", expected: "1:10: unexpected character `=`\nhint: compare with `==`"),
    Case(source: "true & false", expected: "1:6: unexpected character `&`\nhint: write `&&` for and"),
    Case(source: "'abc", expected: "1:1: the string has no closing quote"),
    Case(source: "'a\nb'", expected: "1:1: the string has no closing quote on its line\nhint: use triple quotes for several lines"),
    Case(
      source: "'\\q'", expected: "1:2: unknown escape in a string\nhint: write `\\\\` for a backslash, or put `r` before the opening quote"),
    Case(source: "'\\ud800'", expected: "1:2: the escape is no Unicode character"),
    Case(source: "1x", expected: "1:2: unexpected `x` in a number"),
    Case(
      source: "9223372036854775808",
      expected: "1:1: the integer does not fit in 64 bits with a sign\nhint: append `u` for an unsigned integer"),
    Case(source: "18446744073709551616u", expected: "1:1: the integer does not fit in 64 bits"),
    Case(source: "1e999", expected: "1:1: the number is larger than any double"),
    Case(source: "0x", expected: "1:1: a hexadecimal number needs digits after `0x`"),
    Case(source: "while == 1", expected: "1:1: `while` is a reserved word"),
    Case(source: "(1", expected: "1:3: expected `)` to close the parenthesis, found the end"),
    Case(source: "[1, 2", expected: "1:6: expected `]` after the elements, found the end"),
    Case(source: "{'a' 1}", expected: "1:6: expected `:` between key and value, found a number"),
    Case(source: "true ? 1", expected: "1:9: expected `:` and the other value of `?`, found the end"),
    Case(
      source: "Vendor{name: 'x'}",
      expected: "1:7: objects such as `Vendor` cannot be made in an expression\nhint: write a map: `{'field': value}`"),
    Case(source: "has(run)", expected: "1:5: `has` takes a selection\nhint: write `has(x.field)`"),
    Case(
      source: "run.items.all(1, true)", expected: "1:15: `all` takes the name of a variable first\nhint: write `list.all(item, …)`"),
    Case(source: "run.items.all(x, x, true)", expected: "1:18: `all` needs two different variable names"),
    Case(source: "rum.amount > 1.0", expected: "1:1: unknown name `rum`\nhint: did you mean `run`?"),
    Case(source: "run.ammount > 1.0", expected: "1:5: unknown field `ammount` of `run`\nhint: did you mean `amount`?"),
    Case(source: "has(run.ammount)", expected: "1:9: unknown field `ammount` of `run`\nhint: did you mean `amount`?"),
    Case(source: "run.vendor.nam == 'x'", expected: "1:12: unknown field `nam` of `vendor`\nhint: did you mean `name`?"),
    Case(source: "run.amount > 10000", expected: "1:12: `>` cannot be applied to `double` and `int`\nhint: write `10000.0`"),
    Case(source: "run.count == 5.0", expected: "1:11: `==` cannot be applied to `int` and `double`\nhint: write `5`"),
    Case(
      source: "run.count == run.amount",
      expected: "1:11: `==` cannot be applied to `int` and `double`\nhint: convert one side: `double(…)` or `int(…)`"),
    Case(source: "run.amount > '10000'", expected: "1:12: `>` cannot be applied to `double` and `string`"),
    Case(
      source: "run.risk == null",
      expected: "1:10: `==` cannot be applied to `string` and `null_type`\nhint: ask whether there is a value with `has(run.risk)`"),
    Case(source: "run.risk && true", expected: "1:5: `bool` is needed here, found `string`"),
    Case(source: "run.risk.startWith('l')", expected: "1:10: unknown function `startWith`\nhint: did you mean `startsWith`?"),
    Case(source: "run.risk.startsWith()", expected: "1:10: `startsWith` takes 1 argument, found 0"),
    Case(source: "startsWith(run.risk, 'l')", expected: "1:1: `startsWith` is not called that way\nhint: write `x.startsWith(…)`"),
    Case(source: "run.items.all(x)", expected: "1:11: `all` does not take these arguments\nhint: write `list.all(item, …)`"),
    Case(source: "run.amount.all(x, true)", expected: "1:5: `all` needs a list or a map, found `double`"),
    Case(source: "run.items.exists(x, x + 1)", expected: "1:23: `bool` is needed here, found `int`"),
    Case(source: "run.items.exists(x, y == 1)", expected: "1:21: unknown name `y`\nhint: did you mean `x`?"),
    Case(source: "run.risk.length > 1", expected: "1:10: `string` has no fields, so it has no `length`"),
    Case(
      source: "true ? 1 : 'a'",
      expected: "1:6: the two values of `?` are of different types, `int` and `string`\nhint: wrap one in `dyn(…)` if that is meant"),
    Case(source: "{1.0: 2} == {}", expected: "1:2: a map key cannot be of type `double`\nhint: keys are bool, int, uint or string"),
    Case(source: "run.amount", expected: "1:5: the expression is of type `double`, but `bool` is needed here"),
    Case(source: "run.risk.matches('(')", expected: "1:18: in the pattern at character 1: `(` is never closed"),
    Case(
      source: "now.getHours('Mars/Base') > 1",
      expected:
        "1:14: unknown time zone `Mars/Base`\nhint: write an offset such as `+02:00`, `UTC`, or a name such as `Europe/Berlin` where zone data is available"
    ),
    Case(source: "rum.a == run.b", expected: "1:1: unknown name `rum`\nhint: did you mean `run`?\n1:14: unknown field `b` of `run`"),
    Case(source: "true &&\n  rum.x", expected: "2:3: unknown name `rum`\nhint: did you mean `run`?"),
    Case(source: "'ä' == rum", expected: "1:8: unknown name `rum`\nhint: did you mean `run`?"),
  ]

  static func environment() -> CELEnvironment {
    var environment = CELEnvironment()
    environment.declareObject(
      "run",
      fields: [
        ("amount", .double), ("count", .int), ("risk", .string), ("items", .list(.int)), ("vendor", .object("vendor")),
      ])
    environment.declareObject("vendor", fields: [("name", .string), ("country", .string)])
    environment.declare("run", .object("run"))
    environment.declare("now", .timestamp)
    return environment
  }

  @Test(arguments: cases)
  func says(_ test: Case) throws {
    let error = #expect(throws: Diagnostics.self) { try Self.environment().compile(test.source, expecting: .bool) }
    let lines = (error?.description ?? "").split(separator: "\n").filter { !$0.hasPrefix("hint: known here") }
    #expect(lines.joined(separator: "\n") == test.expected)
  }

  @Test func positionsGoThroughTheCallersMap() throws {
    let file = Array("{ when: \"run.risk == 'low' && \\u0072um.x\" }".utf8)
    let parsed = try PositionedJSON.parseJSON5(file, file: "rules.json5")
    guard case .object(let members) = parsed.value, let when = members.first?.value, let source = when.json.stringValue else {
      Issue.record("the file was to hold a condition")
      return
    }
    let error = #expect(throws: Diagnostics.self) {
      try Self.environment().compile(source, expecting: .bool) { when.position(inString: $0) }
    }
    #expect(error?.description == "rules.json5:1:31: unknown name `rum`\nhint: did you mean `run`?")
  }

  @Test func evaluationErrorsCarryTheirPlace() throws {
    let program = try Self.environment().compile("1 + 2 > 0 && run.count / (run.count - run.count) > 1")
    let error = #expect(throws: CELEvaluationError.self) { try program.evaluate(["run": ["count": 3]]) }
    #expect(error == CELEvaluationError(.divisionByZero, "division by zero", offset: 23))
  }
}
