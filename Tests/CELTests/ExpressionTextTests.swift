import CEL
import Testing

@Suite struct ExpressionTextTests {
  @Test(
    arguments: [
      "a.b == \"x\" && c.size() > 5 || !(d in [1, 2.0, 3u])", "(a || b) && !c", "a - (b - c) - d", "-(a + 1) * 2 % 3", "a ? b : c ? d : e",
      "(a ? b : c) ? d : e",
      "has(a.b.c) ? a.b.c[0].d : {\"x\": [null, true], 1: b\"\\x00\\xff\"}",
      "a.exists(x, x.b > 1 && y.all(z, z != x))",
      "a.map(x, x > 1, x * 2).filter(y, y != 3)", "a.?b.orValue(1) + b[?c].value()", "timestamp(\"2026-01-01T00:00:00Z\") < now",
      "a.transformList(i, v, i + v)", "cel.bind(x, a + 1, x * x)", ".a.b.startsWith(\"\\\"\\\\\\n\")",
    ])
  func textParsesToTheSameExpression(_ source: String) throws {
    let environment = CELEnvironment()
    let text = try environment.parse(source).description
    #expect(text == source)
    #expect(try environment.parse(text).description == text)
  }

  @Test func parenthesesThatAreNotNeededAreLeftOut() throws {
    #expect(try CELEnvironment().parse("((a) && ((b) == (c))) || (d)").description == "a && b == c || d")
  }
}
