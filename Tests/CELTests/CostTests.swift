import CEL
import TestSupport
import Testing

@Suite struct CostTests {
  /// An upper bound that a measured evaluation passes would let a costly rule through without a word.
  @Test func theEstimateCoversWhatIsMeasured() throws {
    var (bounded, unbounded) = (0, 0)
    withSeeds(3000) { seed, random in
      var writer = ExpressionWriter(random: random)
      let source = writer.bool(4)
      random = writer.random
      guard let program = try? PropertyTests.environment().compile(source) else { return }
      let cost = program.estimatedCost { path in
        var value = PropertyTests.values[path[0]]
        for field in path.dropFirst() { value = value?.mapValue?[.string(field)] }
        return value?.size ?? 1
      }
      let (_, steps) = program.measure(PropertyTests.values)
      #expect(cost.minimum <= steps, "SEED=\(seed) \(source)")
      if let maximum = cost.maximum {
        bounded += 1
        #expect(steps <= maximum, "SEED=\(seed) \(source)")
      } else {
        unbounded += 1
      }
    }
    #expect(bounded > 2000 && unbounded < 100, "\(bounded) bounded, \(unbounded) not")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var source: String
    var size: Int?
    var atMost: Int?
    var testDescription: String { source }
  }

  static let cases = [
    Case(source: "1 + 1 == 2", size: nil, atMost: 20),
    Case(source: "text == 'low'", size: nil, atMost: 20),
    Case(source: "text == other", size: nil, atMost: nil),
    Case(source: "text == other", size: 100, atMost: 250),
    Case(source: "list.all(x, x > 1)", size: nil, atMost: nil),
    Case(source: "list.all(x, x > 1)", size: 100, atMost: 3000),
    Case(source: "list.all(x, list.exists(y, x == y))", size: 100, atMost: 500_000),
    Case(source: "cel.bind(y, list + list, y.map(x, x))", size: 10, atMost: 800),
    Case(source: "text.matches('^a+$')", size: 100, atMost: 300),
    Case(source: "text.matches(other)", size: 10, atMost: 300_000),
    Case(source: "text.replace('a', other)", size: 10, atMost: 500),
    Case(source: "'%s'.format([text])", size: 10, atMost: nil),
    Case(source: "has(list.x) ? list.map(x, [x, x]) : []", size: 10, atMost: 300),
  ]

  @Test(arguments: cases) func bounds(_ test: Case) throws {
    var environment = CELEnvironment()
    for name in ["text", "other", "list"] { environment.declare(name, .dyn) }
    let cost = try environment.compile(test.source).estimatedCost { _ in test.size }
    switch (test.atMost, cost.maximum) {
    case (nil, let maximum): #expect(maximum == nil)
    case (let limit?, let maximum?): #expect(cost.minimum <= maximum && maximum <= limit, "\(maximum)")
    case (_?, nil): Issue.record("no bound was found")
    }
  }

  @Test func whatPassesTheLimitIsMeasuredAsTheLimit() throws {
    var environment = CELEnvironment(limits: CELLimits(steps: 50))
    environment.declare("list", .list(.int))
    let (outcome, steps) = try environment.compile("list.all(x, x > 0)").measure(["list": .list(Array(repeating: 1, count: 100))])
    #expect(steps == 50)
    guard case .failure(let error) = outcome else {
      Issue.record("the evaluation went on beyond its limit")
      return
    }
    #expect(error.code == .limit)
  }
}
