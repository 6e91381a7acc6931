import Core
import TestSupport
import Testing

@Suite("JSON Schema: what is said about values")
struct JSONSchemaViolationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var schema: String
    var value: String
    /// `at keyword: message` each; none for a valid value.
    var violations: [String]
    var testDescription: String { "\(value) against \(schema)" }
    init(_ schema: String, _ value: String, _ violations: String...) {
      (self.schema, self.value, self.violations) = (schema, value, violations)
    }
  }

  static let payment = #"""
    {"type":"object","properties":{"recipient":{"type":"string","minLength":2},"amount":{"type":"number","minimum":0,"maximum":100},
    "risk":{"enum":["low","medium","high"]},"tags":{"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":2}},
    "required":["recipient","amount"],"additionalProperties":false}
    """#

  static let cases = [
    Case(payment, #"{"recipient":"ana","amount":100}"#),
    Case(payment, #"{"recipient":"ana","amount":100.0000000000000000000001}"#, "/amount maximum: `amount` must be ≤ 100"),
    Case(payment, #"{"recipient":"ana","amount":"100"}"#, "/amount type: `amount` must be a number, not a string"),
    Case(payment, #"[]"#, " type: the value must be an object, not an array"),
    Case(
      payment, #"{"recipient":"","amuont":1}"#, "/recipient minLength: `recipient` must have at least 2 characters",
      "/amuont additionalProperties: `amuont` is not a known member; did you mean `amount`?", " required: `amount` is missing"),
    Case(
      payment, #"{"recipient":"ana","amount":1,"iban":"x"}"#,
      "/iban additionalProperties: `iban` is not a known member; known are `recipient`, `amount`, `risk`, `tags`"),
    Case(
      payment, #"{"recipient":"ana","amount":1,"risk":"hihg"}"#,
      #"/risk enum: `risk` must be one of `"low"`, `"medium"`, `"high"`; did you mean `"high"`?"#),
    Case(
      payment, #"{"recipient":"ana","amount":1,"tags":["a",1,"a"]}"#, "/tags maxItems: `tags` must have at most 2 items",
      "/tags uniqueItems: `tags` must not repeat an item: those at 0 and 2 are equal",
      "/tags/1 type: `tags[1]` must be a string, not a number"),
    Case(#"{"type":"integer"}"#, "1.0"),
    Case(#"{"type":"integer"}"#, "1.5", " type: the value must be an integer, not a number with a fraction"),
    Case(#"{"type":["string","null"]}"#, "1", " type: the value must be a string or null, not a number"),
    Case(#"{"multipleOf":0.01}"#, "0.07"), Case(#"{"multipleOf":0.01}"#, "0.071", " multipleOf: the value must be a multiple of 0.01"),
    Case(#"{"exclusiveMinimum":0}"#, "0", " exclusiveMinimum: the value must be > 0"),
    Case(#"{"const":{"a":1}}"#, #"{"a":1.0}"#), Case(#"{"const":{"a":1}}"#, "1", #" const: the value must be `{"a": 1}`"#),
    Case(#"{"const":"\u00e9"}"#, #""e\u0301""#, " const: the value must be `\"\u{E9}\"`"),
    Case(#"{"maxLength":1}"#, #""🐲""#), Case(#"{"maxLength":1}"#, #""e\u0301""#, " maxLength: the value must have at most 1 character"),
    Case(#"{"pattern":"^[a-z]+$"}"#, #""A""#, " pattern: the value must match the pattern `^[a-z]+$`"),
    Case(#"{"contains":{"const":1}}"#, "[2]", " contains: the value must hold at least 1 item of the form asked for"),
    Case(#"{"contains":{"const":1},"minContains":2}"#, "[1]", " minContains: the value must hold at least 2 items of the form asked for"),
    Case(#"{"minProperties":1}"#, "{}", " minProperties: the value must have at least 1 member"),
    Case(#"{"propertyNames":{"maxLength":2}}"#, #"{"abc":1}"#, " propertyNames: the value must not have a member called `abc`"),
    Case(
      #"{"properties":{"a":{"required":["b"],"dependentRequired":{"c":["d"]}}}}"#, #"{"a":{"c":1}}"#, "/a required: `a.b` is missing",
      "/a dependentRequired: `a.d` is missing; it is required where `c` is given"),
    Case(#"{"not":{"type":"null"}}"#, "null", " not: the value has a form that is excluded"),
    Case(#"{"properties":{"a":false}}"#, #"{"a":1}"#, "/a false schema: `a` is not allowed"),
    Case(#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1", " anyOf: the value must be a string or null, not a number"),
    Case(
      #"{"oneOf":[{"properties":{"kind":{"const":"a"},"n":{"minimum":1}},"required":["kind"]},{"properties":{"kind":{"const":"b"},"n":{"minimum":5}},"required":["kind"]}]}"#,
      #"{"kind":"b","n":3}"#, " oneOf: the value matches none of 2 alternatives; by alternative 2, `n` must be ≥ 5"),
    Case(
      #"{"oneOf":[{"type":"number"},{"minimum":1}]}"#, "2",
      " oneOf: the value matches both alternative 1 and 2, but must match exactly one"),
    Case(#"{"if":{"minimum":1},"then":{"maximum":5},"else":{"minimum":-5}}"#, "9", " maximum: the value must be ≤ 5"),
    Case(
      #"{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}"#, #"{"a":1,"b":2}"#,
      "/b unevaluatedProperties: `b` is not a known member"),
    Case(#"{"prefixItems":[true],"unevaluatedItems":false}"#, "[1,2]", "/1 unevaluatedItems: `[1]` is one item too many"),
    Case(#"{"additionalProperties":{"type":"null"}}"#, #"{"a b":1}"#, #"/a b type: `["a b"]` must be null, not a number"#),
    Case(#"{"additionalProperties":{"type":"null"}}"#, #"{"a/~b":1}"#, #"/a~1~0b type: `["a/~b"]` must be null, not a number"#),
    Case(
      #"{"additionalProperties":{"additionalProperties":{"type":"null"}}}"#, #"{"a":{"\u001b[2J":1}}"#,
      "/a/\u{1B}[2J type: `a[\"\\u{1B}[2J\"]` must be null, not a number"),
  ]

  @Test("T01 each problem is named with its place", arguments: cases)
  func says(_ test: Case) throws {
    let schema = try JSONSchema(JSON.parse(test.schema))
    let value = try JSON.parse(test.value)
    let violations = schema.validate(value)
    #expect(violations.map { "\($0.at) \($0.keyword): \($0.message)" } == test.violations)
    #expect(schema.isValid(value) == test.violations.isEmpty)
  }

  @Test func theSubjectIsNamedByTheCaller() throws {
    let schema = try JSONSchema(["type": "object"])
    #expect(schema.validate(1, subject: "the arguments").map(\.message) == ["the arguments must be an object, not a number"])
  }

  @Test func noPartOfAValueIsRepeated() throws {
    let schema = try JSONSchema(JSON.parse(Self.payment))
    let secret = "hunter2hunter2"
    let value: JSON = ["recipient": 1, "amount": .string(secret), "risk": .string(secret), "tags": [.string(secret), .string(secret)]]
    let violations = schema.validate(value)
    #expect(violations.count == 4)
    for violation in violations { #expect(!violation.message.contains(secret)) }
  }

  // MARK: T01, hostile values

  @Test("T01 strings of 100 kB and strings with NUL are values like others, and names are cut in the report")
  func longAndOddStrings() throws {
    let schema = try JSONSchema(JSON.parse(Self.payment))
    let long = String(repeating: "x", count: 100_000)
    #expect(schema.isValid(["recipient": .string(long), "amount": 1]))
    let bounded = try JSONSchema(["maxLength": 64, "pattern": "^[^\\u0000]*$"])
    #expect(bounded.validate(.string(long)).map(\.keyword) == ["maxLength"])
    #expect(bounded.validate("a\u{0}b").map(\.keyword) == ["pattern"])
    let violations = schema.validate(["recipient": "ana", "amount": 1, long + "y": 1] as JSON)
    #expect(violations.map(\.keyword) == ["additionalProperties"])
    #expect(violations.allSatisfy { $0.at.utf8.count < 200 && $0.message.utf8.count < 400 })
  }

  @Test("T01 names that only look alike are different")
  func lookAlikes() throws {
    let schema = try JSONSchema([
      "properties": ["caf\u{E9}": ["type": "integer"]], "required": ["caf\u{E9}"], "additionalProperties": false,
    ])
    #expect(schema.isValid(["caf\u{E9}": 1]))
    #expect(schema.validate(["cafe\u{301}": 1]).map(\.keyword) == ["additionalProperties", "required"])
  }

  @Test func theReportIsBounded() throws {
    let schema = try JSONSchema(["items": ["type": "string"]])
    let value = JSON.array(Array(repeating: 1, count: 1000))
    #expect(schema.validate(value).count == 20)
    #expect(schema.validate(value, limits: JSONSchema.Limits(violations: 3)).map(\.at) == ["/0", "/1", "/2"])
  }

  @Test("T01 work that multiplies is stopped, and what is stopped is invalid")
  func stepLimit() throws {
    // Each level asks the same question twice: 2^60 applications without a limit.
    var value: JSON = "x"
    for _ in 0..<60 { value = ["a": value] }
    let twice: JSON = ["type": "object", "properties": ["a": ["$ref": "#/$defs/t"]], "required": ["a"]]
    let definitions: JSON = ["t": ["anyOf": [twice, twice]]]
    let limits = JSONSchema.Limits(steps: 20_000)
    let schema = try JSONSchema(["$defs": definitions, "$ref": "#/$defs/t"])
    let violations = schema.validate(value, limits: limits)
    #expect(violations.map(\.keyword) == ["limit"])
    #expect(violations.first?.message.hasSuffix("takes too long to be checked") ?? false)
    #expect(!schema.isValid(value, limits: limits))
    // Not even where failing would make the whole valid.
    let negated = try JSONSchema(["$defs": definitions, "not": ["$ref": "#/$defs/t"]])
    #expect(negated.validate(value, limits: limits).map(\.keyword) == ["limit"])
    #expect(!negated.isValid(value, limits: limits))
    let pattern = try JSONSchema(["not": ["pattern": "b"]])
    #expect(pattern.validate(.string(String(repeating: "a", count: 30_000)), limits: limits).map(\.keyword) == ["limit"])
    #expect(pattern.isValid("aaa", limits: limits))
  }

  @Test func depthLimit() throws {
    let schema = try JSONSchema(["items": ["$ref": "#"]])
    var value: JSON = []
    for _ in 0..<100 { value = [value] }
    #expect(schema.isValid(value))
    #expect(schema.validate(value, limits: JSONSchema.Limits(depth: 50)).map(\.keyword) == ["limit"])
    var deep: JSON = []
    for _ in 0..<1000 { deep = [deep] }
    #expect(schema.validate(deep).map(\.keyword) == ["limit"])
  }

  @Test("a loop through a dynamic reference is stopped at the depth limit")
  func dynamicLoop() throws {
    let schema = try JSONSchema([
      "$id": "https://example.com/a", "$dynamicAnchor": "n", "$ref": "b",
      "$defs": ["b": ["$id": "b", "$dynamicRef": "c#n"], "c": ["$id": "c", "$dynamicAnchor": "n"]],
    ])
    #expect(schema.validate([:]).map(\.keyword) == ["limit"])
  }

  @Test("absent members are not null")
  func absence() throws {
    let object: JSONObject = ["a": nil]
    #expect(object["a"] != nil)
    #expect(object["b"] == nil)
    #expect(try JSONSchema(["const": nil]).isValid(.null))
    #expect(try !JSONSchema(["const": nil]).isValid(1))
    #expect(try JSONSchema(["required": ["a"]]).isValid(["a": nil]))
    #expect(try !JSONSchema(["required": ["b"]]).isValid(["a": nil]))
  }
}
