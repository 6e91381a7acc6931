import CEL
import Core
import TestSupport
import Testing

@testable import PolicyEngine

/// Attacks on the gate that the rules have to withstand.
@Suite struct ThreatTests {
  // MARK: - Tools that were not granted

  @Test("T02 every tool by every agent: what no rule permits is refused")
  func onlyGrantedToolsArePermitted() throws {
    let tools = (0..<12).map { "\(["crm", "erp", "mail"][$0 % 3]).tool_\($0)" } + ["complete_step", "comment"]
    let agents = (0..<8).map { "agent-\($0)" }
    let steps = ["one", "two"]
    let environment = PolicyEnvironment(
      tools: tools.map { .init(Request.Tool(name: $0, effect: .external)) }, steps: steps.map { Request.Step(id: $0) }, agents: agents)
    let nothing = try Example.rules("", environment: environment)
    try withSeeds(20) { seed, random in
      var granted: Set<[String]> = []
      for agent in agents {
        for tool in tools { for step in steps where Int.random(in: 0..<4, using: &random) == 0 { granted.insert([agent, tool, step]) } }
      }
      let text = granted.sorted { $0.lexicographicallyPrecedes($1) }.enumerated().map {
        "{ id: 'r\($0)', permit: '\($1[1])', by: 'agent:\($1[0])', step: '\($1[2])' },"
      }
      let rules = try Example.rules(text.joined(separator: "\n"), environment: environment)
      for agent in agents + ["agent-9", "agent-", "AGENT-0"] {
        for tool in tools + ["crm.tool_", "crm.tool_00", "CRM.tool_0", "unknown", "crm.*", "*"] {
          for step in steps {
            let request = try Example.request(tool, by: "agent:\(agent)", step: Request.Step(id: step))
            let decision = rules.authorize(request)
            let isGranted = granted.contains([agent, tool, step])
            #expect(decision.outcome == (isGranted ? .permit : .forbid), "SEED=\(seed) \(agent) \(tool) \(step)")
            #expect(decision.isDefault == !isGranted)
            #expect(
              rules.couldPermit(tool: request.tool, principal: request.principal, step: request.step) == isGranted, "SEED=\(seed) \(tool)")
            #expect(nothing.authorize(request).isDefault)
            // The same ids as another kind of principal are other principals.
            #expect(rules.authorize(try Example.request(tool, by: "user:\(agent)", step: Request.Step(id: step))).isDefault)
          }
        }
      }
    }
  }

  // MARK: - Names that look alike

  /// Names that a reader takes for `send_money`, or that a careless comparison does.
  static let confusables = [
    "send_m\u{43E}ney", "\u{455}end_money", "send_mone\u{443}", "s\u{435}nd_money", "send\u{FF3F}money", "\u{FF53}end_money",
    "send\u{200B}_money", "send_money\u{200D}", "\u{FEFF}send_money", "send_money\u{AD}", "send_money\u{202E}",
    "\u{2066}send_money\u{2069}",
    "send_mone\u{79}\u{301}", "send_money\u{0}", "send_money ", " send_money", "send_money\n", "send\tmoney", "send_money\u{A0}",
    "send_mon\u{0435}y", "se\u{0578}d_money", "send_\u{1D5C6}oney", "send_money\u{E0001}", "send\u{2010}money", "send/money", "send:money",
    "send%5Fmoney", "send_money;", "'send_money'", "send_money\\u0000", "ſend_money", "send_money\u{034F}",
  ]

  @Test("T03 names that only look like a tool's are refused where they are written, with the character named", arguments: confusables)
  func confusableNamesAreRefused(_ name: String) throws {
    let problem = try #require(ToolName.problem(with: name))
    let scalar = try #require(
      name.unicodeScalars.first { !("A"..."Z" ~= $0 || "a"..."z" ~= $0 || "0"..."9" ~= $0 || "_.-".unicodeScalars.contains($0)) })
    let hex = String(scalar.value, radix: 16, uppercase: true)
    #expect(problem.contains("(U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex + ")"))
    #expect(problem.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })

    let environment = PolicyEnvironment()
    let quoted = JSON.string(name).text()
    let error = #expect(throws: Diagnostics.self) { try Example.rules("{ id: 'a', permit: \(quoted) }", environment: environment) }
    #expect(error?.all.map(\.code) == ["bad-tool-name"])
    let catalogue = PolicyEnvironment(tools: [.init(Request.Tool(name: name, effect: .external))])
    let registered = #expect(throws: Diagnostics.self) { try Example.rules("", environment: catalogue) }
    #expect(registered?.all.first?.code == "bad-tool-name")

    // Nor does a request with such a name get what the real tool, a pattern or a step permits.
    let rules = try Example.rules("{ id: 'a', permit: 'send_money' }, { id: 'b', permit: '*' }", environment: environment)
    #expect(rules.authorize(try Example.request("send_money")).outcome == .permit)
    let request = try Example.request(name, implied: [.implied("step:x")])
    for decision in [rules.authorize(request), rules.authorizeByEvaluatingAll(request)] {
      #expect(decision.outcome == .forbid && decision.matched.isEmpty && decision.errors.map(\.message) == [problem])
    }
    #expect(!rules.couldPermit(tool: request.tool, principal: request.principal))
  }

  @Test("T03 a name in other letter case, or one byte longer or shorter, is another tool")
  func casesAreNotFolded() throws {
    let rules = try Example.rules("{ id: 'a', permit: 'send_money' }, { id: 'b', permit: 'bank.*' }", environment: PolicyEnvironment())
    for name in [
      "Send_money", "SEND_MONEY", "send_Money", "send_mone", "send_moneyy", "send-money", "send.money", "bank", "bank.", "Bank.pay",
      "bankpay",
    ] {
      #expect(rules.authorize(try Example.request(name)).isDefault, "\(name)")
    }
    let longest = String(repeating: "a", count: 128)
    #expect(ToolName.problem(with: longest) == nil && ToolName.problem(with: longest + "a") != nil && ToolName.problem(with: "") != nil)
  }

  @Test("T03 two tools that look alike cannot both be registered")
  func lookAlikesCannotBothBeRegistered() throws {
    let pairs = [
      ("send_money", "send-money"), ("send_money", "Send_Money"), ("pay.l", "pay.1"), ("pay.I", "pay.l"), ("erp.form", "erp.forrn"),
      ("o.k", "0.k"), ("a.view", "a.vievv"),
    ]
    for (a, b) in pairs {
      #expect(ToolName.lookAlikes(in: [a, b]).count == 1, "\(a) \(b)")
      let environment = PolicyEnvironment(tools: [a, b].map { .init(Request.Tool(name: $0, effect: .read)) })
      let error = #expect(throws: Diagnostics.self) { try Example.rules("", environment: environment) }
      #expect(error?.all.map(\.code) == ["look-alike-tools"])
    }
    #expect(ToolName.lookAlikes(in: ["crm.lookup", "erp.activate_vendor", "complete_step", "comment"]).isEmpty)
  }

  // MARK: - Conditions that cannot be evaluated

  static let failing: [(name: String, condition: String)] = [
    ("missing field", "run.vendor == 'ACME'"),
    ("missing fact", "facts.score > 3"),
    ("missing step", "step.risk == 'low'"),
    ("missing requester", "requester.id != principal.id"),
    ("missing member of a label", "labels.args.to.origin == 'user'"),
    ("overflow of a sum", "run.count + 9223372036854775807 > 0"),
    ("overflow of a product", "run.count * 9223372036854775807 > 0"),
    ("overflow of a conversion", "int(run.amount * 1e300) > 0"),
    ("division by zero", "run.count / (run.count - run.count) == 1"),
    ("remainder by zero", "run.count % (run.count - run.count) == 1"),
    ("index out of range", "[1, 2][run.count + 5] == 1"),
    ("no such key", "{'a': 1}[run.risk] == 1"),
    ("no number", "int(run.risk) == 1"),
    ("no time", "timestamp(run.risk) < now"),
    ("a text compared with a number", "facts.text > 100"),
    ("a truth value that is none", "facts.text && true"),
    ("a pattern that is none", "run.risk.matches('(' + run.risk)"),
    (
      "more steps than allowed",
      "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, "
        + "[1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a + b + c + d + e + f > 0))))))"
    ),
    ("an error in one element", "[run.count, 0].exists(x, 10 / x > 100)"),
  ]

  @Test("T10 a rule that errs never permits, and counts where it holds or forbids", arguments: failing.map(\.condition))
  func errorsNeverPermit(_ condition: String) throws {
    let run: JSONObject = ["count": 2, "amount": 1e10, "risk": "high"]
    for (effect, expected) in [("permit", Outcome.forbid), ("hold", .hold), ("forbid", .forbid)] {
      let approval = effect == "hold" ? ", approval: { roles: ['finance'] }" : ""
      let rules = try Example.rules("{ id: 'r', \(effect): 'comment', when: \(JSON.string(condition).text())\(approval) }")
      let decision = rules.authorize(try Example.request("comment", run: run, facts: ["text": "100"]))
      #expect(decision.outcome == expected && decision.errors.map(\.rule) == ["r"])
      #expect(decision.matched.map(\.basis) == (effect == "permit" ? [] : [.error]))
      #expect(!decision.errors.contains { $0.message.contains("high") || $0.message.contains("100\"") }, "an error shows no values")
      // A permit beside it does not change that.
      let both = try Example.rules(
        "{ id: 'r', \(effect): 'comment', when: \(JSON.string(condition).text())\(approval) }, { id: 'p', permit: 'comment' }")
      #expect(
        both.authorize(try Example.request("comment", run: run, facts: ["text": "100"])).outcome
          == (effect == "permit" ? .permit : expected))
    }
  }

  @Test(
    "T10 expressions that the language's suite expects to fail never permit", .enabled(if: Conformance.isPresent, "\(Conformance.absent)"))
  func conformanceErrorsNeverPermit() throws {
    var (refused, erred) = (0, 0)
    for file in try Conformance.entries("cel") where file.hasSuffix(".jsonl") {
      for line in try Conformance.lines("cel/\(file)") {
        guard line["error"] != nil, line["needs_proto"] == false, line["bindings"]?.objectValue?.isEmpty ?? true,
          let expression = line["expr"]?.stringValue
        else { continue }
        let condition = JSON.string("[\(expression)].size() == 1").text()
        let name = "\(file) \(line["name"]?.stringValue ?? "")"
        do {
          let permit = try Example.rules("{ id: 'r', permit: 'comment', when: \(condition) }").authorize(try Example.request("comment"))
          #expect(permit.outcome == .forbid && permit.errors.count == 1, "\(name)")
          let forbid = try Example.rules("{ id: 'r', forbid: 'comment', when: \(condition) }").authorize(try Example.request("comment"))
          #expect(forbid.deciding.map(\.rule) == ["r"], "\(name)")
          erred += 1
        } catch is Diagnostics {
          refused += 1  // found when the rules are read, which is better still
        }
      }
    }
    #expect(erred > 60 && refused > 20, "\(erred) erred, \(refused) refused")
  }

  @Test(
    "T10 a pattern that a backtracking matcher chokes on is answered at once, or errs",
    arguments: ["^(a+)+$", "^(a|aa)+$", "(a*)*b.*c", "^(([a-z])+.)+[A-Z]([a-z])+$"])
  func patternsAreLinear(_ pattern: String) throws {
    let text = String(repeating: "a", count: 50_000) + "!"
    let rules = try Example.rules(
      "{ id: 'p', permit: 'comment', when: \"facts.text.matches('\(pattern)')\" }, { id: 'f', forbid: 'comment', when: \"facts.text.matches('\(pattern)')\" }"
    )
    let started = ContinuousClock.now
    let decision = rules.authorize(try Example.request("comment", facts: ["text": .string(text)]))
    #expect(decision.outcome == .forbid && !decision.matched.contains { $0.rule == "p" })
    // Generous for a busy machine; a backtracking matcher would take longer than the universe has existed.
    #expect(ContinuousClock.now - started < .seconds(60))
  }

  @Test("T10 nesting beyond the limit is refused when the rules are read")
  func deepConditionsAreRefused() throws {
    for depth in [300, 5000] {
      let condition = String(repeating: "(", count: depth) + "true" + String(repeating: ")", count: depth)
      let negated = String(repeating: "!", count: depth) + "true"
      for text in [condition, negated] {
        #expect(throws: Diagnostics.self) { try Example.rules("{ id: 'r', permit: 'comment', when: '\(text)' }") }
      }
    }
    let long = (0..<2000).map { "run.count != \($0)" }.joined(separator: " && ")
    let error = #expect(throws: Diagnostics.self) { try Example.rules("{ id: 'r', permit: 'comment', when: '\(long)' }") }
    #expect(error?.all.map(\.code) == ["too-long"])
    let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
    let nested = #expect(throws: Diagnostics.self) { try Example.rules("{ id: 'r', permit: \(deep) }") }
    #expect(nested?.all.map(\.code) == ["json-depth"])
  }

  @Test("T10 values nested as deeply as the parser allows are compared without harm")
  func deepValuesAreCompared() throws {
    func nested(_ depth: Int) -> JSON { (0..<depth).reduce(JSON.int(1)) { inner, _ in .array([inner]) } }
    let rules = try Example.rules("{ id: 'r', permit: 'comment', when: 'facts.a == facts.b' }")
    let same = try Example.request("comment", facts: ["a": nested(120), "b": nested(120)])
    let different = try Example.request("comment", facts: ["a": nested(120), "b": nested(119)])
    #expect(rules.authorize(same).outcome == .permit && rules.authorize(different).outcome == .forbid)
  }

  @Test("T10 a file of a megabyte is read, and one with too many rules is refused")
  func largeFiles() throws {
    let reason = String(repeating: "because ", count: 40)
    let text = (0..<2400).map {
      "{ id: 'r\($0)', permit: 'crm.lookup', by: 'agent:*', when: \"run.vendor == 'vendor-\($0)' && run.amount < \($0).5\", reason: '\(reason)' },"
    }.joined(separator: "\n")
    #expect(text.utf8.count > 1_000_000)
    let rules = try Example.rules(text)
    let decision = rules.authorize(try Example.request("crm.lookup", run: ["vendor": "vendor-2399", "amount": 2399.25]))
    #expect(decision.deciding.map(\.rule) == ["r2399"] && decision.matched.count == 1)
    let error = #expect(throws: Diagnostics.self) {
      try Example.rules((0...RuleSet.maximumRules).map { "{ id: 'r\($0)', permit: 'comment' }," }.joined())
    }
    #expect(error?.all.map(\.code) == ["too-many-rules"])
  }

  // MARK: - Numbers

  struct Limit: Sendable, CustomTestStringConvertible {
    var limit: String
    /// The number as it is in JSON, and whether it is more than the limit; nil where it cannot be said.
    var value: String
    var isMore: Bool?
    var testDescription: String { "\(value) > \(limit)" }
  }

  /// Around each limit: the limit itself, the doubles beside it, and decimals that a double would round to it.
  static let limits: [Limit] =
    [10_000.0, 0.3, 1.0, 100.0, 4_503_599_627_370_497.5, 9_007_199_254_740_992.0, 1e-300].flatMap { limit in
      [
        Limit(limit: "\(limit)", value: "\(limit.nextDown)", isMore: false), Limit(limit: "\(limit)", value: "\(limit)", isMore: false),
        Limit(limit: "\(limit)", value: "\(limit.nextUp)", isMore: true),
        Limit(limit: "\(limit)", value: "-\(limit.nextUp)", isMore: false),
      ]
    } + [
      Limit(limit: "0.3", value: "0.30000000000000004", isMore: true),  // what 0.1 + 0.2 is in doubles
      Limit(limit: "0.3", value: "0.3", isMore: false), Limit(limit: "0.3", value: "3e-1", isMore: false),
      Limit(limit: "10000.0", value: "10000.000000001", isMore: true), Limit(limit: "10000.0", value: "10000.000000000001819", isMore: nil),
      Limit(limit: "10000.0", value: "10000.0000000000000001", isMore: nil),
      Limit(limit: "10000.0", value: "9999.9999999999999999", isMore: nil),
      Limit(limit: "10000.0", value: "10000", isMore: false), Limit(limit: "10000.0", value: "1e4", isMore: false),
      Limit(limit: "10000.0", value: "10001", isMore: true), Limit(limit: "0.0", value: "-0", isMore: false),
      Limit(limit: "0.0", value: "5e-324", isMore: true),
      Limit(limit: "9007199254740992.0", value: "9007199254740993", isMore: nil), Limit(limit: "1.0", value: "1e308", isMore: true),
      Limit(limit: "10000.0", value: "\"10001\"", isMore: nil), Limit(limit: "10000.0", value: "\"100\"", isMore: nil),
      Limit(limit: "10000.0", value: "true", isMore: nil), Limit(limit: "10000.0", value: "[10001]", isMore: nil),
      Limit(limit: "10000.0", value: "{\"value\": 10001}", isMore: nil), Limit(limit: "10000.0", value: "null", isMore: nil),
    ]

  @Test("T22 limits compare exact decimals, and a value that cannot be compared is held", arguments: limits)
  func limitsAreExact(_ test: Limit) throws {
    let value = try JSON.parse(Array(test.value.utf8))
    let places: [(condition: String, tool: String, run: JSONObject, args: JSONObject, facts: JSONObject)] = [
      ("run.amount", "comment", ["amount": value], [:], [:]),
      ("args.amount", "crm.lookup", [:], ["amount": value], [:]),
    ]
    for place in places {
      let rules = try Example.rules(
        """
        { id: 'small', permit: '\(place.tool)', when: '\(place.condition) <= \(test.limit)' },
        { id: 'large', hold: '\(place.tool)', when: '\(place.condition) > \(test.limit)', approval: { roles: ['finance'] } },
        """)
      let request = try Example.request(place.tool, args: place.args, run: place.run, facts: place.facts)
      for decision in [rules.authorize(request), rules.authorizeByEvaluatingAll(request)] {
        #expect(decision.outcome == (test.isMore == false ? .permit : .hold), "\(place.condition): \(decision.explanation)")
        #expect(decision.errors.map(\.rule) == (test.isMore == nil ? ["small", "large"] : []))
      }
    }
  }

  @Test("T22 an untyped value is compared by its own type")
  func untypedValues() throws {
    let rules = try Example.rules(
      """
      { id: 'small', permit: 'comment', when: 'facts.amount <= 100' },
      { id: 'large', hold: 'comment', when: 'facts.amount > 100', approval: { roles: ['finance'] } },
      { id: 'exact', forbid: 'comment', when: 'facts.amount == 7' },
      """)
    let rows: [(String, Outcome, Int)] = [
      ("100", .permit, 0), ("100.0", .permit, 0), ("100.00000000000001", .hold, 0), ("99.99999999999999", .permit, 0), ("7.0", .forbid, 0),
      ("\"100\"", .hold, 2), ("\"7\"", .hold, 2), ("100.00000000000000001", .forbid, 3), ("9007199254740993", .hold, 0), ("true", .hold, 2),
    ]
    for (text, outcome, errors) in rows {
      let request = try Example.request("comment", facts: ["amount": try JSON.parse(Array(text.utf8))])
      for decision in [rules.authorize(request), rules.authorizeByEvaluatingAll(request)] {
        #expect(decision.outcome == outcome && decision.errors.count == errors, "\(text): \(decision.explanation)")
      }
    }
  }

  @Test("T22 integers are exact up to 64 bits, and larger ones err")
  func largeIntegers() throws {
    let rules = try Example.rules(
      "{ id: 'p', permit: 'comment', when: 'run.count < 9223372036854775807' }, { id: 'f', forbid: 'comment', when: 'run.count == 9007199254740993' }"
    )
    let rows: [(String, Outcome, Int)] = [
      ("9007199254740992", .permit, 0), ("9007199254740993", .forbid, 0), ("9007199254740994", .permit, 0),
      ("9223372036854775806", .permit, 0),
      ("9223372036854775807", .forbid, 0), ("9223372036854775808", .forbid, 2), ("-9223372036854775808", .permit, 0), ("1.5", .forbid, 2),
      ("1.0", .permit, 0),
      ("\"1\"", .forbid, 2),
    ]
    for (text, outcome, errors) in rows {
      let request = try Example.request("comment", run: ["count": try JSON.parse(Array(text.utf8))])
      for decision in [rules.authorize(request), rules.authorizeByEvaluatingAll(request)] {
        #expect(decision.outcome == outcome && decision.errors.count == errors, "\(text): \(decision.explanation)")
      }
    }
  }
}
