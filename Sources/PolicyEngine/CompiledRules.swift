internal import CEL
internal import Core

/// A rule set ready to decide: programs, the slots that they read, and the indexes.
final class CompiledRules: Sendable {
  let policy: String
  let now: Instant?
  /// Who decides where a fact is missing.
  let missing: Rule.Approval?
  let rules: [Rule]
  let warnings: [Diagnostic]
  let kind: PolicyEnvironment.Kind
  let conditions: [RuleCondition?]
  /// Whether a rule permits only within an allowance.
  let hasEarned: Bool
  /// What each rule says when its condition holds, made once.
  let matches: [RuleMatch]
  let slots: [ValueSlot]
  /// From the names of tools that some rule names to a place in ``buckets``, in ``words``.
  private let bucketOfTool: TextIndex
  /// From the ids of rules to their places, in ``words``.
  private let placeOfRule: TextIndex
  private let words: [UInt64]
  /// The rules that name a tool exactly.
  let buckets: [RuleBucket]
  /// The rules with patterns, whatever the tool.
  let wildcards: RuleBucket
  /// The first members of the labels that conditions read; an empty name stands for all of them.
  let labelGroups: Set<String>

  init(
    policy: String, now: Instant?, missing: Rule.Approval? = nil, rules: [Rule], conditions: [RuleCondition?], environment: CELEnvironment,
    kind: PolicyEnvironment.Kind, warnings: [Diagnostic]
  ) {
    self.policy = policy
    self.now = now
    self.missing = missing
    self.rules = rules
    self.conditions = conditions
    self.kind = kind
    self.warnings = warnings
    matches = rules.map { $0.match() }
    hasEarned = rules.contains(where: \.isEarned)
    var tools: [ExactString: Int] = [:]
    var names: [String] = []
    var places: [[Int]] = []
    var patterned: [Int] = []
    for (place, rule) in rules.enumerated() {
      for case .exact(let name) in rule.tools {
        if let bucket = tools[ExactString(name)] {
          places[bucket].append(place)
        } else {
          tools[ExactString(name)] = places.count
          names.append(name)
          places.append([place])
        }
      }
      if rule.tools.contains(where: { if case .exact = $0 { false } else { true } }) { patterned.append(place) }
    }
    var words: [UInt64] = []
    bucketOfTool = TextIndex(names.enumerated().map { ($1, $0) }, in: &words)
    placeOfRule = TextIndex(rules.enumerated().map { ($1.id, $0) }, in: &words)
    self.words = words
    let slots = environment.references.all.map { ValueSlot($0, in: environment) }
    self.slots = slots
    labelGroups = Set(slots.compactMap(\.path).filter { $0.root == .labels }.map { $0.members.first?.string ?? "" })
    buckets = places.map { RuleBucket(places: $0, rules: rules, conditions: conditions, slots: slots) }
    wildcards = RuleBucket(places: patterned, rules: rules, conditions: conditions, slots: slots)
  }

  /// The rules that name a tool exactly, or nil.
  @inline(__always)
  func bucket(of tool: String) -> RuleBucket? {
    words.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.flatMap { bucketOfTool.value(of: tool, in: $0) }.map { buckets[$0] }
    }
  }

  /// The place of a rule in the set, or nil.
  func place(of id: String) -> Int? { placeOfRule.value(of: id, in: words) }
}
