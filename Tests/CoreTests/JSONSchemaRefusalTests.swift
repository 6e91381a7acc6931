import Core
import TestSupport
import Testing

@Suite("JSON Schema: schemas that are refused")
struct JSONSchemaRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var schema: String
    var code: String
    var message: String
    var hint: String?
    var testDescription: String { schema }
    init(_ schema: String, _ code: String, _ message: String, hint: String? = nil) {
      (self.schema, self.code, self.message, self.hint) = (schema, code, message, hint)
    }
  }

  static let keywords = [
    Case("3", "schema-keyword", "in the schema: a schema must be an object or a boolean, not a number"),
    Case(
      #"{"type":"strnig"}"#, "schema-keyword", "in the schema: `type` does not know `strnig`", hint: "did you mean `string`?"),
    Case(
      #"{"type":"float"}"#, "schema-keyword", "in the schema: `type` does not know `float`",
      hint: "the types are string, number, integer, boolean, array, object, null"),
    Case(#"{"type":[]}"#, "schema-keyword", "in the schema: `type` must be the name of a type or an array of them"),
    Case(
      #"{"properties":{"a":{"minLength":-1}}}"#, "schema-keyword",
      "in the schema at `/properties/a`: `minLength` must be a whole number ≥ 0, not -1"),
    Case(#"{"maxItems":1.5}"#, "schema-keyword", "in the schema: `maxItems` must be a whole number ≥ 0, not 1.5"),
    Case(#"{"minLength":"2"}"#, "schema-keyword", "in the schema: `minLength` must be a number, not a string"),
    Case(#"{"multipleOf":0}"#, "schema-keyword", "in the schema: `multipleOf` must be > 0, not 0"),
    Case(
      #"{"exclusiveMinimum":true}"#, "schema-keyword", "in the schema: `exclusiveMinimum` must be a number, not a boolean",
      hint: "since draft 6 it holds the limit itself"),
    Case(
      #"{"properties":{"a":{"required":true}}}"#, "schema-keyword",
      "in the schema at `/properties/a`: `required` must be an array of names, not a boolean",
      hint: "it stands beside `properties` and lists the names"),
    Case(#"{"required":["a","a"]}"#, "schema-keyword", "in the schema: `required` names `a` twice"),
    Case(#"{"required":[1]}"#, "schema-keyword", "in the schema: `required` must be an array of names, but holds a number"),
    Case(#"{"enum":"low"}"#, "schema-keyword", "in the schema: `enum` must be an array, not a string"),
    Case(#"{"anyOf":[]}"#, "schema-keyword", "in the schema: `anyOf` must hold at least one schema"),
    Case(#"{"properties":[]}"#, "schema-keyword", "in the schema: `properties` must be an object, not an array"),
    Case(
      #"{"properties":{"a/b":"x"}}"#, "schema-keyword",
      "in the schema at `/properties/a~1b`: a schema must be an object or a boolean, not a string"),
    Case(
      #"{"items":[{}]}"#, "schema-keyword", "in the schema: `items` must be a schema, not an array",
      hint: "a list of schemas, one for each place, is called `prefixItems`"),
    Case(#"{"uniqueItems":1}"#, "schema-keyword", "in the schema: `uniqueItems` must be a boolean, not a number"),
    Case(
      #"{"dependentRequired":{"a":"b"}}"#, "schema-keyword", "in the schema: `dependentRequired` must be an array of names, not a string"),
    Case(
      #"{"pattern":"(?=a)"}"#, "regex-lookaround",
      "in the schema: `pattern`: in the pattern at character 1: lookahead and lookbehind are not supported",
      hint: "state the condition in a second pattern, for example with `allOf` or `&&`"),
    Case(
      #"{"patternProperties":{"(":true}}"#, "regex-unclosed-group",
      "in the schema: `patternProperties`: in the pattern at character 1: `(` is never closed"),
    Case(#"{"$id":1}"#, "schema-keyword", "in the schema: `$id` must be a string, not a number"),
    Case(
      ##"{"$defs":{"a":{"$id":"#a"}}}"##, "schema-keyword", "in the schema at `/$defs/a`: `$id` must not have a fragment",
      hint: "name the place with `$anchor`"),
    Case(
      #"{"$anchor":"1"}"#, "schema-keyword", "in the schema: `1` cannot be an anchor",
      hint: "an anchor starts with a letter or `_`; letters, digits, `-`, `_` and `.` follow"),
  ]

  static let references = [
    Case(
      ##"{"$ref":"#/$defs/itme","$defs":{"item":true}}"##, "schema-reference",
      "in the schema: `#/$defs/itme` points to nothing: there is no `itme`", hint: "did you mean `item`?"),
    Case(
      ##"{"$ref":"#itme","$defs":{"a":{"$anchor":"item"}}}"##, "schema-reference",
      "in the schema: `#itme` names an anchor that does not exist",
      hint: "did you mean `#item`?"),
    Case(
      #"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#, "schema-remote-reference",
      "in the schema at `/properties/a`: `https://example.com/a.json` names a schema that is not at hand, and schemas are never fetched",
      hint: "embed it under `$defs` with that `$id`, or pass it along as a document"),
    Case(
      #"{"$ref":"file:///etc/passwd"}"#, "schema-remote-reference",
      "in the schema: `file:///etc/passwd` names a schema that is not at hand, and schemas are never fetched",
      hint: "embed it under `$defs` with that `$id`, or pass it along as a document"),
    Case(
      #"{"$ref":"adress","$defs":{"a":{"$id":"address"}}}"#, "schema-remote-reference",
      "in the schema: `adress` names a schema that is not at hand, and schemas are never fetched",
      hint: "did you mean `schema:///address`?"),
    Case(
      #"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, "schema-dialect",
      "in the schema: `http://json-schema.org/draft-04/schema#` is not a known version of JSON Schema",
      hint: "use `https://json-schema.org/draft/2020-12/schema`; drafts 2019-09, 7 and 6 are read too"),
    Case(
      #"{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}"#, "schema-duplicate-id",
      "in the schema at `/$defs/b`: `schema:///x` is also the identifier of the schema in the schema at `/$defs/a`"),
    Case(
      #"{"$anchor":"x","$defs":{"a":{"$anchor":"x"}}}"#, "schema-duplicate-anchor",
      "in the schema at `/$defs/a`: the anchor `x` also stands in the schema"),
    Case(##"{"$ref":"#%zz"}"##, "schema-reference", "in the schema: `#%zz` has a broken percent escape"),
  ]

  static let loops = [
    Case(
      ##"{"$ref":"#"}"##, "schema-loop", "in the schema: the schema applies itself to the same value: `#` → `#`",
      hint: "a schema may refer to itself only below `properties`, `items` and the like"),
    Case(
      ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
      "schema-loop",
      "in the schema at `/$defs/a`: the schema applies itself to the same value: `#/$defs/a` → `#/$defs/a/allOf/0` → `#/$defs/b` → "
        + "`#/$defs/b/anyOf/1` → `#/$defs/a`", hint: "a schema may refer to itself only below `properties`, `items` and the like"),
    Case(
      ##"{"dependentSchemas":{"a":{"not":{"$ref":"#"}}}}"##, "schema-loop",
      "in the schema: the schema applies itself to the same value: `#` → `#/dependentSchemas/a` → `#/dependentSchemas/a/not` → `#`",
      hint: "a schema may refer to itself only below `properties`, `items` and the like"),
  ]

  @Test(arguments: keywords + references + loops)
  func refuses(_ test: Case) throws {
    let json = try JSON.parse(test.schema)
    let error = try #require(throws: Diagnostic.self) { try JSONSchema(json) }
    #expect(error.code == test.code)
    #expect(error.message == test.message)
    #expect(error.hint == test.hint)
    #expect(error.position == nil)
  }

  @Test func anErrorInAFileNamesTheLine() throws {
    let text = """
      {
        properties: {
          amount: { type: "number", minimum: "0" }, // written by a person
        },
      }
      """
    let file = try PositionedJSON.parseJSON5(Array(text.utf8), file: "process.json5")
    let error = try #require(throws: Diagnostic.self) { try JSONSchema(file) }
    #expect(error.description == "process.json5:3:40: in the schema at `/properties/amount`: `minimum` must be a number, not a string")
  }

  @Test func slipsAreWarnings() throws {
    let text = #"{"type": "object", "properties": {"a": {"minLenght": 2, "x-minLength": 2, "colour": "red"}}}"#
    let schema = try JSONSchema(PositionedJSON.parseJSON5(Array(text.utf8), file: "a.json"))
    #expect(
      schema.warnings.map(\.description) == [
        "a.json:1:54: warning: in the schema at `/properties/a`: `minLenght` is not a keyword\nhint: did you mean `minLength`?"
      ])
    let format = try JSONSchema(["format": "datetime"], options: JSONSchema.Options(assertsFormats: true))
    #expect(format.warnings.map(\.code) == ["schema-unknown-format"])
    #expect(format.warnings.first?.hint == "did you mean `date-time`?")
  }

  @Test func aDocumentIsReadOnlyWhenSomethingRefersToIt() throws {
    let documents: [String: JSON] = ["good.json": ["type": "integer"], "bad.json": ["type": "nonsense"]]
    let good = try JSONSchema(["$ref": "good.json"], options: JSONSchema.Options(documents: documents))
    #expect(good.isValid(1))
    #expect(!good.isValid("1"))
    let error = try #require(throws: Diagnostic.self) {
      try JSONSchema(["$ref": "bad.json"], options: JSONSchema.Options(documents: documents))
    }
    #expect(error.message == "in the schema `schema:///bad.json`: `type` does not know `nonsense`")
  }

  @Test func unknownVocabulariesAreRefusedUnlessOptional() throws {
    func metaschema(required: Bool) -> [String: JSON] {
      [
        "https://example.com/meta": [
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$vocabulary": ["https://json-schema.org/draft/2020-12/vocab/validation": true, "https://example.com/units": .bool(required)],
        ]
      ]
    }
    let schema: JSON = ["$schema": "https://example.com/meta", "type": "integer"]
    #expect(try !JSONSchema(schema, options: JSONSchema.Options(documents: metaschema(required: false))).isValid("a"))
    let error = try #require(throws: Diagnostic.self) {
      try JSONSchema(schema, options: JSONSchema.Options(documents: metaschema(required: true)))
    }
    #expect(error.code == "schema-vocabulary")
  }
}
