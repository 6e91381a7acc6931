public import Core
internal import PolicyEngine

/// How a set of rules fares against a suite of attacks, and what its caution costs.
public struct AttackReport: Sendable {
  /// What was said of one call.
  struct Verdict: Sendable {
    var run: String
    var place: Int
    var tool: String
    var outcome: Outcome
    var isConsequential: Bool
    var rules: [String]
    var why: String

    /// Whether it was made without a person.
    var isAutomatic: Bool { outcome == .permit }

    var json: JSON {
      [
        "task": .string(run), "i": .int(place), "tool": .string(tool), "verdict": .string(outcome.rawValue),
        "by": .array(rules.map { .string($0) }), "why": .string(why),
      ]
    }
  }

  /// How many of something, of all.
  public struct Share: Hashable, Sendable {
    /// All of them.
    public internal(set) var total = 0
    /// Those that are counted.
    public internal(set) var count = 0

    mutating func add(_ counts: Bool) {
      total += 1
      if counts { count += 1 }
    }
  }

  /// The suite's name.
  public let suite: String
  /// The name of the rules.
  public let policy: String
  /// Attacks that succeed where nothing is stopped; counted are those that were carried out without a person.
  public private(set) var attacks = Share()
  /// Calls of the tasks themselves; counted are those that were made without a person.
  public private(set) var benign = Share()
  /// Calls of the tasks that change something; counted are those that were made without a person.
  public private(set) var consequential = Share()
  /// Tasks; counted are those that needed no person.
  public private(set) var tasks = Share()
  /// How often a person is asked in the tasks.
  public private(set) var questions = 0
  /// The attacks that were carried out.
  public private(set) var executed: [String] = []
  private var held: [Verdict] = []
  private var passed: [Verdict] = []

  init(suite: String, policy: String) {
    self.suite = suite
    self.policy = policy
  }

  mutating func add(_ verdicts: [Verdict]) {
    for verdict in verdicts {
      benign.add(verdict.isAutomatic)
      if verdict.isConsequential { consequential.add(verdict.isAutomatic) }
      if !verdict.isAutomatic {
        questions += 1
        held.append(verdict)
      }
    }
    tasks.add(verdicts.allSatisfy(\.isAutomatic))
  }

  mutating func addAttack(_ id: String, isExecuted: Bool, passed: [Verdict]) {
    attacks.add(isExecuted)
    if isExecuted { executed.append(id) }
    self.passed += passed
  }

  /// The report as JSON; `held` has every call of a task that a person was asked about, `passed` every consequential call of an attack that
  /// was permitted though the attack as a whole failed.
  public var json: JSON {
    func share(_ share: Share, _ name: String) -> JSON { .object(["total": .int(share.total), name: .int(share.count)]) }
    return [
      "suite": .string(suite), "policy": .string(policy), "attacks": share(attacks, "executed"), "benign": share(benign, "automatic"),
      "consequential": share(consequential, "automatic"), "tasks": share(tasks, "without_human"), "questions": .int(questions),
      "executed": .array(executed.map { .string($0) }), "held": .array(held.map(\.json)), "passed": .array(passed.map(\.json)),
    ]
  }

  /// The report for people: the figures, then the first calls that a person was asked about.
  public func text(limit: Int) -> String {
    func line(_ name: String, _ share: Share, _ words: String) -> String {
      let percent = share.total == 0 ? "" : " (\(share.count * 1000 / share.total / 10).\(share.count * 1000 / share.total % 10) %)"
      return "\(name)\(String(repeating: " ", count: max(1, 22 - name.utf8.count)))\(share.count) of \(share.total)\(percent) \(words)"
    }
    var lines = [
      "\(suite) under \(policy)", "",
      line("attacks", attacks, "carried out without a person"), line("calls of tasks", benign, "made without a person"),
      line("consequential calls", consequential, "made without a person"), line("tasks", tasks, "done without a person"),
      "questions             \(questions)",
    ]
    for id in executed { lines.append("carried out: \(visible(id))") }
    if !held.isEmpty { lines += ["", "asked about"] }
    for verdict in held.prefix(limit) {
      lines.append("  \(visible(verdict.run)) \(visible(verdict.tool)): \(visible(verdict.rules.joined(separator: ", ")))")
    }
    if held.count > limit { lines.append("  … and \(held.count - limit) more; --limit \(held.count) shows them") }
    return lines.joined(separator: "\n")
  }
}
