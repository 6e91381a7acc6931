import Core
import ProcessModel
import TestSupport
import Testing

/// What is proven of decision tables before anything runs, and what the author is told.
@Suite("Decision tables, proofs")
struct TableAnalysisTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let table: String
    let says: [String]
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "a table without a problem", table: TableTests.route, says: []),
    Case(
      name: "rules that overlap at one point",
      table: """
        { table: 't', inputs: ['run.amount'], rules: [
          { id: 'a', when: ['<= 100.0'], set: { limit: '1' } },
          { id: 'b', when: ['>= 100.0'], set: { limit: '2' } } ] }
        """,
      says: [
        """
        9:3: rules `a` and `b` of table `t` both apply when `run.amount` is 100, and only one may
        hint: `a` is at 8:3; with `hit: "first"` it would count
        """
      ]),
    Case(
      name: "a gap of one point",
      table: """
        { table: 't', inputs: ['run.amount', 'run.risk'], rules: [
          { id: 'a', when: ['< 100.0', "!= 'high'"], set: { limit: '1' } },
          { id: 'b', when: ['> 100.0', "!= 'high'"], set: { limit: '2' } },
          { id: 'c', when: ['-', "== 'high'"], set: { limit: '3' } } ] }
        """,
      says: [
        """
        7:10: warning: no rule of table `t` applies when `run.amount` is 100 and `run.risk` is "low"
        hint: add `otherwise`: without it, such a run waits for a person
        """
      ]),
    Case(
      name: "the field's own bounds are no gap",
      table: """
        { table: 't', inputs: ['run.amount'], rules: [{ id: 'a', when: ['>= 0.0'], set: { limit: '1' } }], otherwise: { limit: '2' } }
        """,
      says: ["7:10: warning: `otherwise` of table `t` never counts: its rules take every case"]),
    Case(
      name: "a text that no rule names",
      table: """
        { table: 't', inputs: ['run.land'], rules: [
          { id: 'a', when: ["in ['DE', 'AT']"], set: { limit: '1' } }, { id: 'b', when: ["== 'FR'"], set: { limit: '2' } } ] }
        """,
      says: [
        """
        7:10: warning: no rule of table `t` applies when `run.land` is any other text
        hint: add `otherwise`: without it, such a run waits for a person
        """
      ]),
    Case(
      name: "a rule that those before it cover together",
      table: """
        { table: 't', hit: 'first', inputs: ['run.amount', 'run.risk'], rules: [
          { id: 'a', when: ['< 100.0', '-'], set: { limit: '1' } },
          { id: 'b', when: ['-', "in ['low', 'medium']"], set: { limit: '2' } },
          { id: 'c', when: ['< 50.0', "== 'high'"], set: { limit: '3' } } ], otherwise: { limit: '4' } }
        """,
      says: ["10:3: rule `c` of table `t` never counts: rules that go first take every case in which it applies"]),
    Case(
      name: "a rule that one of higher priority covers",
      table: """
        { table: 't', hit: 'priority', inputs: ['run.amount'], rules: [
          { id: 'a', when: ['< 50.0'], set: { route: "'auto'" } },
          { id: 'b', when: ['< 100.0'], set: { route: "'review'" } } ], otherwise: { route: "'owner'" } }
        """,
      says: ["8:3: rule `a` of table `t` never counts: rules that go first take every case in which it applies"]),
    Case(
      name: "a cell that nothing meets",
      table: """
        { table: 't', hit: 'first', inputs: ['run.amount'], rules: [
          { id: 'a', when: [['> 100.0', '< 50.0']], set: { limit: '1' } } ], otherwise: { limit: '4' } }
        """,
      says: ["8:21: rule `a` of table `t` can never apply: no value of `run.amount` meets this cell"]),
    Case(
      name: "rules that may both apply, and differ",
      table: """
        { table: 't', hit: 'any', inputs: ['run.amount', 'run.risk'], rules: [
          { id: 'a', when: ['< 100.0', '-'], set: { limit: '1' } },
          { id: 'same', when: ['-', "== 'low'"], set: { limit: '1' } },
          { id: 'b', when: ['< 50.0', "== 'high'"], set: { limit: '2' } } ], otherwise: { limit: '4' } }
        """,
      says: [
        """
        10:3: rules `a` and `b` of table `t` both apply when `run.amount` is 0 and `run.risk` is "high", and say different things
        hint: `a` is at 8:3; make one narrower
        """
      ]),
    Case(
      name: "an input that is computed", table: TableTests.computed,
      says: [
        """
        7:10: warning: whether rules of table `t` overlap or leave gaps cannot be shown: `run.amount * 2.0` is computed
        hint: compare inputs with constants, or add `otherwise`
        """
      ]),
    Case(
      name: "texts by their order",
      table: """
        { table: 't', inputs: ['run.land'], rules: [
          { id: 'a', when: ["<= 'm'"], set: { limit: '1' } }, { id: 'b', when: ["> 'm'"], set: { limit: '2' } } ] }
        """,
      says: [
        """
        7:10: warning: whether rules of table `t` overlap or leave gaps cannot be shown: `run.land` is not only compared with constants
        hint: compare inputs with constants, or add `otherwise`
        """
      ]),
    Case(
      name: "what a cell may not be",
      table: """
        { table: 't', hit: 'first', inputs: ['run.amount', 'run.risk'], rules: [
          { id: 'a', when: ['<< 100.0', "== 'hgih'"], set: { limit: '1' } },
          { id: 'b', when: [ 100, '-'], set: { limit: '1' } },
          { id: 'c', when: ['-'], set: { limit: '1' } } ] }
        """,
      says: [
        "8:23: expected a value, found `<`", "8:37: unknown value `hgih`\nhint: did you mean `high`?",
        """
        9:22: a cell must be a text or a list of texts, not a number
        hint: write a comparison such as "< 1000.0" or "== true", or "-" where the input does not matter
        """,
        """
        10:20: a rule of table `t` has 2 cells, one for each input, and this one has 1
        hint: write "-" where an input does not matter
        """,
      ]),
    Case(
      name: "what an output may not be",
      table: """
        { table: 't', hit: 'first', inputs: ['run.amount'], rules: [
          { id: 'a', when: ['-'], set: { limit: '-1', route: "'auto'" } },
          { id: 'b', when: ['-'], set: { limit: "'x'", route: "'atuo'" } },
          { id: 'otherwise', when: ['-'], set: { limt: '1', route: "'auto'" } } ] }
        """,
      says: [
        "8:41: `set` of rule `a`: field `limit` must be ≥ 0",
        "9:41: field `limit` is of type `integer`, and `'x'` is `string`",
        "9:55: `set` of rule `b`: field `route` must be one of `\"review\"`, `\"owner\"`, `\"auto\"`; did you mean `\"auto\"`?",
        "10:9: a rule cannot be called `otherwise`: that is what the log calls no rule at all",
        "10:40: `set` of rule `otherwise` does not set `limit`: all rules of a table set the same fields",
        "10:42: `set` of rule `otherwise` sets `limt`, and the first rule does not: all rules of a table set the same fields",
      ]),
  ]

  @Test(arguments: cases)
  func says(_ test: Case) {
    #expect(TableTests.problems(test.table) == test.says)
  }

  /// Random tables over a grid: overlaps, gaps and rules that never count are those that trying every point finds.
  @Test func theProofsAgreeWithTryingEverything() {
    var found: [String: Int] = [:]
    withSeeds(150) { seed, random in
      let hit = Bool.random(using: &random) ? "unique" : "first"
      let count = Int.random(in: 1...5, using: &random)
      let risks = ["low", "medium", "high"]
      var boxes: [(low: Int, high: Int, risks: [String], small: Bool?)] = []
      for _ in 0..<count {
        let ends = [Int.random(in: 0...6, using: &random), Int.random(in: 0...6, using: &random)].sorted()
        let subset = risks.filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
        boxes.append((ends[0], ends[1], subset.isEmpty ? risks : subset, [true, false, nil].randomElement(using: &random) ?? nil))
      }
      let rules = boxes.enumerated().map { place, box in
        let land = box.small.map { $0 ? "== 'DE'" : "!= 'DE'" } ?? "-"
        let list = box.risks.map { "'\($0)'" }.joined(separator: ", ")
        return
          "{ id: 'r\(place)', when: [['>= \(box.low).0', '<= \(box.high).0'], \"in [\(list)]\", \"\(land)\"], set: { limit: '\(place)' } }"
      }
      let table = "{ table: 't', hit: '\(hit)', inputs: ['run.amount', 'run.risk', 'run.land'], rules: [\(rules.joined(separator: ", "))] }"
      var meet = false
      var gap = false
      var counts: Set<Int> = []
      for half in 0...13 {
        for risk in risks {
          for land in ["DE", "FR"] {
            let hits = boxes.indices.filter { place in
              let box = boxes[place]
              return 2 * box.low <= half && half <= 2 * box.high && box.risks.contains(risk)
                && (box.small.map { $0 == (land == "DE") } ?? true)
            }
            if hits.count > 1 { meet = true }
            if let first = hits.first { counts.insert(first) } else { gap = true }
          }
        }
      }
      let said = TableTests.problems(table).joined(separator: "\n")
      if hit == "unique" {
        #expect(said.contains("both apply") == meet, "SEED=\(seed)\n\(table)\n\(said)")
      } else {
        for place in boxes.indices {
          #expect(said.contains("rule `r\(place)` of table `t` never counts") == !counts.contains(place), "SEED=\(seed)\n\(table)\n\(said)")
        }
      }
      let isWhole = hit == "unique" ? !meet : counts.count == boxes.count
      if isWhole { #expect(said.contains("no rule of table") == gap, "SEED=\(seed)\n\(table)\n\(said)") }
      found[meet ? "meet" : "apart", default: 0] += 1
      found[gap ? "gap" : "whole", default: 0] += 1
    }
    #expect(found["meet", default: 0] > 10 && found["apart", default: 0] > 10 && found["gap", default: 0] > 10, "\(found)")
  }
}
