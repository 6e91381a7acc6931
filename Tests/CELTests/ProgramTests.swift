import CEL
import Core
import Testing

@Suite struct ProgramTests {
  static func environment() -> CELEnvironment {
    var environment = CELEnvironment()
    environment.declareObject("run", fields: [("amount", .double), ("risk", .string), ("iban", .string), ("items", .list(.int))])
    environment.declareObject("principal", fields: [("id", .string), ("roles", .list(.string))])
    environment.declareObject("step", fields: [("risk", .string)])
    environment.declare("run", .object("run"))
    environment.declare("principal", .object("principal"))
    environment.declare("step", .object("step"))
    environment.declare("args", .map(.string, .dyn))
    environment.declare("now", .timestamp)
    return environment
  }

  static let variables: [String: CELValue] = [
    "run": ["amount": 12000.0, "risk": "low", "iban": "DE00", "items": [1, 2, 3]],
    "principal": ["id": "user:ana", "roles": ["buyer", "owner"]],
    "step": ["risk": "low"], "args": ["to": "x@example.org", "count": 3, "nested": ["deep": true]],
    "now": CELTimestamp("2026-01-31T10:00:00Z").map(CELValue.timestamp) ?? .null,
  ]

  @Test func aPolicyConditionHoldsAndNamesWhatItReads() throws {
    let program = try Self.environment().compile("run.amount > 10000.0 && principal.id in ['user:ana'] && has(run.iban)", expecting: .bool)
    #expect(program.references.map(\.description) == ["run.amount", "principal.id", "run.iban"])
    #expect(program.type == .bool)
    #expect(try program.evaluate(Self.variables) == true)
  }
}
