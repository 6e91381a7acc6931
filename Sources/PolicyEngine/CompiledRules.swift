internal import CEL
internal import Core

/// A rule set ready to decide: programs, the slots that they read, and the indexes.
final class CompiledRules: Sendable {
  let policy: String
  let now: Instant?
  let rules: [Rule]
  let warnings: [Diagnostic]
  let kind: PolicyEnvironment.Kind
  let programs: [CELProgram?]
  /// What each rule says when its condition holds, made once.
  let matches: [RuleMatch]
  let slots: [ValueSlot]
  /// From the names of tools that some rule names to a place in ``buckets``.
  let bucketOfTool: StringTable
  /// The rules that name a tool exactly.
  let buckets: [RuleBucket]
  /// From the ids of rules to their places.
  let places: StringTable
  /// The rules with patterns, whatever the tool.
  let wildcards: RuleBucket

  init(
    policy: String, now: Instant?, rules: [Rule], programs: [CELProgram?], references: CELReferenceTable,
    kind: PolicyEnvironment.Kind, warnings: [Diagnostic]
  ) {
    self.policy = policy
    self.now = now
    self.rules = rules
    self.programs = programs
    self.kind = kind
    self.warnings = warnings
    matches = rules.map { $0.match() }
    let conditions = programs.map { IndexedCondition(of: $0) }
    var ids = StringTable()
    for rule in rules { ids.insert(rule.id) }
    self.places = ids
    var names = StringTable()
    var places: [[Int]] = []
    var patterned: [Int] = []
    for (place, rule) in rules.enumerated() {
      for case .exact(let name) in rule.tools {
        let bucket = names.insert(name)
        if bucket == places.count { places.append([]) }
        places[bucket].append(place)
      }
      if rule.tools.contains(where: { if case .exact = $0 { false } else { true } }) { patterned.append(place) }
    }
    bucketOfTool = names
    let slots = references.all.map(ValueSlot.init)
    self.slots = slots
    buckets = places.map { RuleBucket(places: $0, rules: rules, conditions: conditions, slots: slots) }
    wildcards = RuleBucket(places: patterned, rules: rules, conditions: conditions, slots: slots)
  }
}

extension IndexedCondition {
  /// What the index understands of a rule's condition; a rule without one is complete.
  init(of program: CELProgram?) {
    guard let program else { return }
    let conjunction = Conjunction(of: program.expression) { path in program.references.contains { $0.path == path } }
    isComplete = conjunction.isComplete
    for (path, atom) in conjunction.atoms {
      guard let reference = program.references.first(where: { $0.path == path }) else { continue }
      atoms.append((reference.slot, atom))
    }
  }
}
