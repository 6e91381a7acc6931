import Core
import Governance
import LLM
internal import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import AgentRuntime

@Suite("What a model is told of a tool's outcome")
struct SensitivityTests {
  struct Case: Sendable {
    let name: String
    /// Members of the tool's definition.
    let tool: String
    let outcome: EffectOutcome
    let clearance: Sensitivity
    /// What the model sees and what it does not.
    let shown: [String]
    let withheld: [String]
  }

  static let facts = #"facts: { known: { type: "boolean" }, note: { type: "string", required: false, sensitivity: "confidential" } }"#
  static let result = EffectOutcome.finished(["known": true, "note": "N0TE", "other": ["deep": "D33P"], "K3Y": 1])

  static let cases = [
    Case(
      name: "private by default", tool: "", outcome: .finished(["secret": "S3CRET"]), clearance: .internal,
      shown: ["withheld (confidential)"], withheld: ["S3CRET", "secret"]),
    Case(
      name: "declared facts of a private tool", tool: facts, outcome: result, clearance: .internal, shown: [#""known": true"#, "note"],
      withheld: ["N0TE", "D33P", "K3Y"]),
    Case(
      name: "one strict fact withholds what is not declared", tool: "returns_private: false, \(facts)", outcome: result,
      clearance: .internal, shown: [#""known": true"#], withheld: ["N0TE", "D33P", "K3Y"]),
    Case(
      name: "within the clearance all is shown", tool: "returns_private: false, \(facts)", outcome: result, clearance: .confidential,
      shown: ["N0TE", "D33P", "K3Y"], withheld: ["withheld"]),
    Case(
      name: "nothing strict", tool: "returns_private: false", outcome: result, clearance: .internal, shown: ["N0TE", "D33P"],
      withheld: ["withheld"]),
    Case(
      name: "a result that is no object", tool: facts, outcome: .finished(["S3CRET", "T00"]), clearance: .internal, shown: ["withheld"],
      withheld: ["S3CRET"]),
    Case(
      name: "a failure of a private tool", tool: "", outcome: .failed("exit-3", "no such customer: S3CRET"), clearance: .internal,
      shown: ["failed (exit-3)", "withheld (confidential)"], withheld: ["S3CRET"]),
    Case(
      name: "a failure that anyone may see", tool: "returns_private: false", outcome: .failed("exit-3", "no such customer: ACME"),
      clearance: .internal, shown: ["failed (exit-3)", "ACME"], withheld: ["withheld"]),
    Case(
      name: "an endpoint for public values only", tool: "returns_private: false, facts: { known: { type: 'boolean' } }",
      outcome: .finished(["known": true]), clearance: .public, shown: ["withheld (internal)"], withheld: ["true"]),
  ]

  @Test(arguments: cases)
  func shown(_ test: Case) async throws {
    let process = Office.process.replacing(Office.lookup, with: test.tool)
    try await withTemporaryDirectory { folder in
      let connector = Acting { _, _ in test.outcome }
      let office = try await Office(folder, connector: connector, process: process, clearance: test.clearance) { request in
        request.messages.count == 1 ? .call("crm.lookup", ["who": "Acme"]) : .call("complete_step", ["fields": ["risk": "low"]])
      }
      _ = try await office.start()
      _ = try await office.loop.work()
      guard case .toolResults(let results)? = office.requests.withLock({ $0.last?.messages.last }) else {
        Issue.record("no result"); return
      }
      let told = try #require(results.first?.content)
      for text in test.shown { #expect(told.contains(text), "\(test.name): \(told)") }
      for text in test.withheld { #expect(!told.contains(text), "\(test.name): \(told)") }
    }
  }
}
