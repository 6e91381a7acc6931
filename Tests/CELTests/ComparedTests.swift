import CEL
import Testing

/// What a comparison with another implementation found (`Tests/Oracles/cel_differential.py`).
@Suite struct ComparedTests {
  static let cases: [(source: String, value: CELValue?)] = [
    ("uint('-0')", nil), ("uint('0')", .uint(0)), ("1.0 / math.sign(-0.0)", .double(.infinity)), ("math.sign(0.0 / 0.0)", .double(.nan)),
    ("math.sign(-2.5)", -1.0), ("math.sign(-1.0 / 0.0)", -1.0),
  ]

  @Test(arguments: cases) func value(_ source: String, _ value: CELValue?) throws {
    let program = try CELEnvironment().compile(source)
    #expect((try? program.evaluate([:])) == value)
  }
}
