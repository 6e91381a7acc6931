import Core
import ProcessModel
import Testing

@Suite("Forms and documents")
struct FormTests {
  @Test func aFormIsAClosedSchema() throws {
    let process = try load(RefusalTests.text)
    #expect(
      try process.fieldSchema(step: "a")
        == JSON.parse(
          #"""
          {"type":"object","properties":{"count":{"maximum":9,"type":"integer"},"until":{"type":"string","format":"date"}},
           "required":["count"],"additionalProperties":false}
          """#))
    #expect(process.fieldSchema(step: "b")?["required"] == ["iban"])
    #expect(process.fieldSchema(step: "c") == nil)
    #expect(process.fieldSchema(trigger: "small")?["required"] == ["vendor"])
    #expect(process.fieldSchema(trigger: "big")?["properties"] == [:])
    #expect(process.fieldSchema(trigger: nil) == nil, "two forms, none named")
    #expect(process.fieldSchema(trigger: "other") == nil)
  }

  @Test func theSchemaOfAFormAcceptsWhatTheStepAccepts() throws {
    let process = try load(RefusalTests.text)
    let schema = try JSONSchema(#require(process.fieldSchema(step: "a")), options: .init(assertsFormats: true))
    for (value, isValid) in [
      (["count": 1], true), (["count": 1, "until": "2026-01-31"], true), (["count": 10], false), ([:], false),
      (["count": 1, "x": 1], false),
      (["count": 1, "until": "soon"], false),
    ] as [(JSON, Bool)] {
      #expect(schema.isValid(value) == isValid, "\(value)")
    }
  }

  @Test func factsAreThePartOfAResultThatMeetsItsSchema() throws {
    let process = try load(RefusalTests.text)
    let good = process.facts(from: ["status": "ok", "other": 1], tool: "x.read")
    #expect(good.facts == ["status": "ok"])
    #expect(good.problems == [])
    let bad = process.facts(from: ["status": 5], tool: "x.read")
    #expect(bad.facts == [:])
    #expect(bad.problems.count == 1)
    #expect(process.facts(from: [1], tool: "x.read").facts == [:])
  }

  @Test func clausesGoByNumberElseBySlug() {
    let text = """
      # Policy

      Preface.

      ## 3 Risk
      ### 3.2. High risk ##
      Approved by compliance.

      ```sh
      # no heading
      ```
      #nospace
      ####### too deep
      ## Who answers for it?
      The head.\r
      ## 3 Again
      """
    let document = DocumentClauses(markdown: text)
    #expect(document.ids == ["policy", "3", "3.2", "who-answers-for-it"])
    #expect(document["3.2"]?.title == "High risk")
    #expect(document["3.2"]?.text == "Approved by compliance.\n\n```sh\n# no heading\n```\n#nospace\n####### too deep")
    #expect(document["who-answers-for-it"]?.text == "The head.")
    #expect(document["3"]?.text.hasPrefix("### 3.2. High risk") == true)
    #expect(document["4"] == nil)
  }

  @Test func controlsApplyWhenTheirConditionHolds() throws {
    let (process, _) = try ExampleTests.loadExample("vendor-onboarding")
    var run = try TestRun(process, fields: ExampleTests.request)
    let controls = process.controls(beforeTool: "erp.activate_vendor")
    #expect(controls.map(\.id) == ["C1", "C2"])
    #expect(process.controls(beforeStep: "classify").isEmpty)
    var state = try #require(run.state)
    #expect(try controls[0].applies(to: state, now: start) == true)
    #expect(throws: ConditionFailure.self) { try controls[1].applies(to: state, now: start) }
    try run.send(.setFields(step: nil, by: "user:ana", fields: ["risk": "medium", "amount": 10_000], origin: nil))
    state = try #require(run.state)
    #expect(try controls.map { try $0.applies(to: state, now: start) } == [false, false])
  }
}
