import Core
import TestSupport
import Testing

/// Recorded and broken calls of 118 tools, judged by another validator.
@Suite("JSON Schema on the arguments of real tools", .enabled(if: Conformance.isPresent))
struct JSONSchemaToolCaseTests {
  struct Tally: Equatable {
    var (agreed, valid, invalid) = (0, 0, 0)
  }

  @Test("T01 3277 of 3277 recorded and broken calls: 1994 accepted, 1283 refused, each at the right place")
  func calls() throws {
    var schemas: [String: JSONSchema] = [:]
    for tool in try Conformance.lines("schema_cases/tools.jsonl") {
      let name = try #require(tool["tool"]?.stringValue)
      schemas[name] = try JSONSchema(#require(tool["schema"]))
    }
    #expect(schemas.count == 118)

    var tally = Tally()
    for test in try Conformance.lines("schema_cases/cases.jsonl") {
      let name = try #require(test["tool"]?.stringValue)
      let schema = try #require(schemas[name])
      let arguments = try #require(test["args"])
      let expected = try #require(test["valid"]?.boolValue as Bool?)
      let violations = schema.validate(arguments)
      let place = "\(name) \(arguments.text(pretty: false)): \(violations)"
      if violations.isEmpty != expected {
        Issue.record("\(place)")
        continue
      }
      if expected { tally.valid += 1 } else { tally.invalid += 1 }
      tally.agreed += 1
      // The other validator also goes on after a wrong type, so it may report more about the same value.
      let theirs = (test["errors"]?.arrayValue ?? []).map { error in
        let at = error["at"]?.stringValue ?? ""
        return "\(at == "/" ? "" : at) \(error["keyword"]?.stringValue ?? "")"
      }
      for violation in violations {
        #expect(theirs.contains("\(violation.at) \(violation.keyword)"), "\(place)")
        #expect(!violation.message.isEmpty)
      }
      let places = Set(violations.map(\.at))
      for error in theirs { #expect(places.contains(String(error.prefix { $0 != " " })), "\(place)") }
    }
    #expect(tally == Tally(agreed: 3277, valid: 1994, invalid: 1283))
  }
}
