import Core
import TestSupport
import Testing

@Suite("JSON Schema: older drafts")
struct JSONSchemaDraftTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var schema: String
    var valid: [String]
    var invalid: [String]
    var testDescription: String { schema }
    init(_ schema: String, valid: [String], invalid: [String]) { (self.schema, self.valid, self.invalid) = (schema, valid, invalid) }
  }

  static let draft7 = #""$schema":"http://json-schema.org/draft-07/schema#""#
  static let draft2019 = #""$schema":"https://json-schema.org/draft/2019-09/schema""#

  static let cases = [
    Case(
      "{\(draft7),\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", valid: [#"["a"]"#, "[]"], invalid: ["[1]", #"["a","b"]"#]),
    Case("{\(draft7),\"items\":{\"type\":\"string\"},\"additionalItems\":false}", valid: [#"["a","b"]"#], invalid: ["[1]"]),
    Case(
      "{\(draft7),\"dependencies\":{\"a\":[\"b\"],\"c\":{\"required\":[\"d\"]}}}", valid: [#"{"a":1,"b":2}"#, #"{"c":1,"d":2}"#, "{}"],
      invalid: [#"{"a":1}"#, #"{"c":1}"#]),
    Case(
      "{\(draft7),\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"type\":\"string\"}},\"maxLength\":1}", valid: [#""long""#],
      invalid: ["1"]),
    Case(
      "{\(draft7),\"properties\":{\"x\":{\"$ref\":\"#a\"}},\"definitions\":{\"a\":{\"$id\":\"#a\",\"type\":\"string\"}}}",
      valid: [#"{"x":"s"}"#], invalid: [#"{"x":1}"#]),
    Case(
      "{\(draft7),\"prefixItems\":[{\"type\":\"string\"}],\"unevaluatedProperties\":false,\"dependentRequired\":{\"a\":[\"b\"]},\"minContains\":2,\"contains\":{\"const\":1}}",
      valid: ["[1]", #"{"a":1}"#], invalid: ["[]", "[2]"]),
    Case("{\(draft7),\"if\":{\"minimum\":1},\"then\":{\"maximum\":5}}", valid: ["0", "5"], invalid: ["6"]),
    Case("{\(draft2019),\"items\":[{\"type\":\"string\"}],\"unevaluatedItems\":false}", valid: [#"["a"]"#], invalid: [#"["a",1]"#]),
    Case("{\(draft2019),\"contains\":{\"const\":1},\"unevaluatedItems\":false}", valid: [], invalid: ["[1]"]),
    Case("{\(draft2019),\"prefixItems\":[{\"type\":\"string\"}]}", valid: ["[1]"], invalid: []),
    Case(
      "{\(draft2019),\"$id\":\"https://example.com/tree\",\"$recursiveAnchor\":true,\"$ref\":\"base\",\"required\":[\"n\"],\"$defs\":{\"base\":{\"$id\":\"base\",\"$recursiveAnchor\":true,\"properties\":{\"c\":{\"$recursiveRef\":\"#\"}}}}}",
      valid: [#"{"n":1,"c":{"n":2}}"#], invalid: [#"{"n":1,"c":{}}"#]),
    Case(
      "{\(draft2019),\"$id\":\"https://example.com/tree2\",\"$recursiveAnchor\":true,\"$ref\":\"base2\",\"required\":[\"n\"],\"$defs\":{\"base\":{\"$id\":\"base2\",\"properties\":{\"c\":{\"$recursiveRef\":\"#\"}}}}}",
      valid: [#"{"n":1,"c":{}}"#], invalid: ["{}"]),
    // A document keeps its own draft.
    Case(
      "{\"$defs\":{\"old\":{\"$id\":\"old\",\(draft7),\"items\":[{\"type\":\"string\"}]}},\"$ref\":\"old\",\"prefixItems\":[true,{\"type\":\"null\"}]}",
      valid: [#"["a",null]"#], invalid: [#"["a",1]"#, "[1]"]),
  ]

  @Test(arguments: cases)
  func follows(_ test: Case) throws {
    let schema = try JSONSchema(JSON.parse(test.schema))
    for value in test.valid { #expect(schema.validate(try JSON.parse(value)) == [], "\(value)") }
    for value in test.invalid { #expect(try !schema.isValid(JSON.parse(value)), "\(value)") }
  }
}
