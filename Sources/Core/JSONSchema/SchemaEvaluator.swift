/// Checks one value against a compiled schema.
///
/// While ``quiet`` is zero it goes on after a problem and records each; inside alternatives it only decides.
struct SchemaEvaluator {
  enum PathElement {
    case key(String)
    case index(Int)
  }

  /// What the schemas applied to one value have evaluated of it, kept only where `unevaluatedItems` or -`Properties` asks.
  struct Evaluated {
    /// By the place of the member.
    var members: [Bool] = []
    var prefix = 0
    var items: [Bool] = []

    func covers(item index: Int) -> Bool { index < prefix || (index < items.count && items[index]) }

    func covers(member index: Int) -> Bool { index < members.count && members[index] }

    mutating func insert(item index: Int) {
      while items.count <= index { items.append(false) }
      items[index] = true
    }

    mutating func insert(member index: Int) {
      while members.count <= index { members.append(false) }
      members[index] = true
    }

    mutating func formUnion(_ other: Evaluated) {
      prefix = max(prefix, other.prefix)
      for index in other.items.indices where other.items[index] { insert(item: index) }
      for index in other.members.indices where other.members[index] { insert(member: index) }
    }
  }

  let graph: SchemaGraph
  let limits: JSONSchema.Limits
  let subject: String
  var violations: [SchemaViolation] = []
  /// Set when a limit was passed: the value then counts as invalid, whatever the schemas around say.
  var exhausted: SchemaViolation?
  private(set) var path: [PathElement] = []
  private var quiet: Int
  private var steps: Int
  private var depth = 0
  private var scope: [Int] = []
  private var trackers: [Evaluated] = []

  init(graph: SchemaGraph, limits: JSONSchema.Limits, subject: String, quiet: Bool) {
    self.graph = graph
    self.limits = limits
    self.subject = subject
    self.quiet = quiet ? 1 : 0
    steps = limits.steps
  }

  /// Whether the value is valid; a limit that was passed is left in ``exhausted``.
  mutating func run(_ value: JSON) -> Bool { evaluate(graph.root, value, tracker: -1) && exhausted == nil }

  private var isDone: Bool { exhausted != nil || quiet > 0 || violations.count >= limits.violations }

  // MARK: One schema

  /// Applies a schema; `tracker` is the place in ``trackers`` that takes down what is evaluated, or −1.
  private mutating func evaluate(_ index: Int, _ value: JSON, tracker outer: Int) -> Bool {
    let node = graph.nodes[index]
    if let verdict = node.verdict {
      return verdict || fail("false schema") { "\($0) is not allowed" }
    }
    guard charge(1) else { return false }
    depth += 1
    defer { depth -= 1 }
    if depth > limits.depth { return stop { "\($0) is nested too deeply to be checked" } }
    let entersResource = !graph.dynamicAnchors.isEmpty && scope.last != node.resource
    if entersResource { scope.append(node.resource) }
    defer { if entersResource { scope.removeLast() } }
    var tracker = outer
    let ownsTracker = outer < 0 && (node.unevaluatedItems >= 0 || node.unevaluatedProperties >= 0)
    if ownsTracker {
      trackers.append(Evaluated())
      tracker = trackers.count - 1
    }
    defer { if ownsTracker { trackers.removeLast() } }

    if node.types != .any, !node.types.contains(SchemaTypes.of(value)) {
      return fail("type") { "\($0) must be \(node.types.described), not \(Self.kind(value, besides: node.types))" }
    }
    var valid = true
    if let enumeration = node.enumeration, !enumeration.contains(value) {
      valid = fail("enum") { "\($0) must be \(Self.listed(enumeration.values, for: value))" }
      if isDone { return false }
    }
    if let constant = node.constant, constant != value {
      valid = fail("const") { "\($0) must be \(Self.quoted(constant))" }
      if isDone { return false }
    }
    switch value {
    case .number(let number):
      if let rules = node.number, !check(number, rules) { valid = false }
    case .string(let string):
      if let rules = node.string, !check(string, rules) { valid = false }
    case .array(let items):
      if let rules = node.array, !check(items, rules, tracker) { valid = false }
    case .object(let members):
      if let rules = node.object, !check(members, value, rules, tracker) { valid = false }
    case .null, .bool: break
    }
    if !valid, isDone { return false }
    for applicator in node.applicators where !apply(applicator, value, tracker) {
      valid = false
      if isDone { return false }
    }
    guard tracker >= 0 else { return valid }
    switch value {
    case .array(let items):
      if node.unevaluatedItems >= 0, !checkUnevaluated(items, node.unevaluatedItems, tracker) { valid = false }
    case .object(let members):
      if node.unevaluatedProperties >= 0, !checkUnevaluated(members, node.unevaluatedProperties, tracker) { valid = false }
    default: break
    }
    return valid
  }

  // MARK: Schemas for the same value

  /// Applies a schema whose evaluations count only when the value is valid against it.
  private mutating func branch(_ index: Int, _ value: JSON, _ tracker: Int) -> Bool {
    if tracker < 0 { return evaluate(index, value, tracker: -1) }
    trackers.append(Evaluated())
    let valid = evaluate(index, value, tracker: trackers.count - 1)
    let evaluated = trackers.removeLast()
    if valid { trackers[tracker].formUnion(evaluated) }
    return valid
  }

  private mutating func quietly(_ index: Int, _ value: JSON, _ tracker: Int) -> Bool {
    quiet += 1
    defer { quiet -= 1 }
    return branch(index, value, tracker)
  }

  private mutating func apply(_ applicator: SchemaApplicator, _ value: JSON, _ tracker: Int) -> Bool {
    switch applicator {
    case .reference(let schema): return branch(schema, value, tracker)
    case .dynamicReference(let schema, let name):
      let anchors = graph.dynamicAnchors[name]
      let outermost = scope.lazy.compactMap { anchors[$0] }.first
      return branch(outermost ?? schema, value, tracker)
    case .all(let schemas):
      var valid = true
      for schema in schemas where !branch(schema, value, tracker) {
        valid = false
        if isDone { return false }
      }
      return valid
    case .any(let schemas):
      var valid = false
      for schema in schemas where quietly(schema, value, tracker) {
        valid = true
        if tracker < 0 { return true }
      }
      if valid || exhausted != nil { return valid }
      return failAlternatives("anyOf", schemas, value)
    case .one(let schemas):
      var matching: [Int] = []
      for (place, schema) in schemas.enumerated() where quietly(schema, value, tracker) {
        matching.append(place + 1)
        if matching.count > 1 {
          return fail("oneOf") { "\($0) matches both alternative \(matching[0]) and \(matching[1]), but must match exactly one" }
        }
      }
      if !matching.isEmpty || exhausted != nil { return !matching.isEmpty }
      return failAlternatives("oneOf", schemas, value)
    case .not(let schema):
      quiet += 1
      let matches = evaluate(schema, value, tracker: -1)
      quiet -= 1
      if exhausted != nil { return false }
      return !matches || fail("not") { "\($0) has a form that is excluded" }
    case .conditional(let condition, let then, let otherwise):
      let matches = quietly(condition, value, tracker)
      if exhausted != nil { return false }
      let next = matches ? then : otherwise
      return next < 0 || branch(next, value, tracker)
    }
  }

  // MARK: Numbers and strings

  private mutating func check(_ number: JSONNumber, _ rules: NumberRules) -> Bool {
    var valid = true
    if let minimum = rules.minimum, number < minimum {
      valid = fail("minimum") { "\($0) must be ≥ \(minimum)" }
    }
    if let maximum = rules.maximum, maximum < number {
      valid = fail("maximum") { "\($0) must be ≤ \(maximum)" }
    }
    if let minimum = rules.exclusiveMinimum, !(minimum < number) {
      valid = fail("exclusiveMinimum") { "\($0) must be > \(minimum)" }
    }
    if let maximum = rules.exclusiveMaximum, !(number < maximum) {
      valid = fail("exclusiveMaximum") { "\($0) must be < \(maximum)" }
    }
    if let divisor = rules.multipleOf, !number.isMultiple(of: divisor) {
      valid = fail("multipleOf") { "\($0) must be a multiple of \(divisor)" }
    }
    return valid
  }

  private mutating func check(_ string: String, _ rules: StringRules) -> Bool {
    var valid = true
    let bytes = string.utf8.count
    // A scalar takes one to four bytes, so most lengths are settled without counting.
    if rules.minimumLength > 0, bytes < rules.minimumLength * 4,
      bytes < rules.minimumLength || string.unicodeScalars.count < rules.minimumLength
    {
      valid = fail("minLength") { "\($0) must have at least \(counted(rules.minimumLength, "character"))" }
    }
    if bytes > rules.maximumLength, string.unicodeScalars.count > rules.maximumLength {
      valid = fail("maxLength") { "\($0) must have at most \(counted(rules.maximumLength, "character"))" }
    }
    if let pattern = rules.pattern {
      guard let matches = search(pattern, in: string) else { return false }
      if !matches { valid = fail("pattern") { "\($0) must match the pattern `\(clipped(visible(pattern.pattern)))`" } }
    }
    if let format = rules.format, !format.accepts(string) {
      valid = fail("format") { "\($0) must be \(format.described)" }
    }
    return valid
  }

  /// nil when the limit was passed.
  private mutating func search(_ pattern: LinearRegex, in string: String) -> Bool? {
    if let matches = pattern.contains(in: string, steps: &steps) { return matches }
    _ = stop { "\($0) takes too long to be checked" }
    return nil
  }

  // MARK: Arrays

  private mutating func check(_ items: [JSON], _ rules: ArrayRules, _ tracker: Int) -> Bool {
    var valid = true
    if items.count < rules.minimumCount {
      valid = fail("minItems") { "\($0) must have at least \(counted(rules.minimumCount, "item"))" }
      if isDone { return false }
    }
    if items.count > rules.maximumCount {
      valid = fail("maxItems") { "\($0) must have at most \(counted(rules.maximumCount, "item"))" }
      if isDone { return false }
    }
    if rules.mustBeUnique, !checkUnique(items) {
      valid = false
      if isDone { return false }
    }
    for index in items.indices {
      let schema = index < rules.prefix.count ? rules.prefix[index] : rules.items
      if schema < 0 { break }
      path.append(.index(index))
      let isValid = evaluate(schema, items[index], tracker: -1)
      path.removeLast()
      if !isValid {
        valid = false
        if isDone { return false }
      }
    }
    if tracker >= 0 {
      trackers[tracker].prefix = max(trackers[tracker].prefix, rules.items >= 0 ? items.count : min(items.count, rules.prefix.count))
    }
    if rules.contains >= 0, !checkContains(items, rules, tracker) { valid = false }
    return valid
  }

  private mutating func checkContains(_ items: [JSON], _ rules: ArrayRules, _ tracker: Int) -> Bool {
    var count = 0
    let takesDown = tracker >= 0 && rules.containsEvaluates
    quiet += 1
    for index in items.indices {
      path.append(.index(index))
      let matches = evaluate(rules.contains, items[index], tracker: -1)
      path.removeLast()
      if exhausted != nil { break }
      guard matches else { continue }
      count += 1
      if takesDown { trackers[tracker].insert(item: index) }
      if !takesDown, count >= rules.minimumContains, count > rules.maximumContains || rules.maximumContains == .max { break }
    }
    quiet -= 1
    if exhausted != nil { return false }
    var valid = true
    if count < rules.minimumContains {
      let keyword = rules.minimumContains == 1 ? "contains" : "minContains"
      valid = fail(keyword) { "\($0) must hold at least \(counted(rules.minimumContains, "item")) of the form asked for" }
    }
    if count > rules.maximumContains {
      valid = fail("maxContains") { "\($0) must hold at most \(counted(rules.maximumContains, "item")) of the form asked for" }
    }
    return valid
  }

  private mutating func checkUnique(_ items: [JSON]) -> Bool {
    guard charge(items.count) else { return false }
    var twins: (Int, Int)?
    if items.count <= 8 {
      search: for second in items.indices {
        for first in 0..<second where items[first] == items[second] {
          twins = (first, second)
          break search
        }
      }
    } else {
      var seen: [JSON: Int] = [:]
      for (index, item) in items.enumerated() {
        if let first = seen.updateValue(index, forKey: item) {
          twins = (first, index)
          break
        }
      }
    }
    guard let (first, second) = twins else { return true }
    return fail("uniqueItems") { "\($0) must not repeat an item: those at \(first) and \(second) are equal" }
  }

  private mutating func checkUnevaluated(_ items: [JSON], _ schema: Int, _ tracker: Int) -> Bool {
    var valid = true
    for index in items.indices where !trackers[tracker].covers(item: index) {
      path.append(.index(index))
      let isValid =
        graph.nodes[schema].verdict == false
        ? fail("unevaluatedItems") { "\($0) is one item too many" } : evaluate(schema, items[index], tracker: -1)
      path.removeLast()
      if !isValid {
        valid = false
        if isDone { return false }
      }
    }
    trackers[tracker].prefix = items.count
    return valid
  }

  // MARK: Objects

  private mutating func check(_ members: JSONObject, _ value: JSON, _ rules: ObjectRules, _ tracker: Int) -> Bool {
    var valid = true
    if members.count < rules.minimumCount {
      valid = fail("minProperties") { "\($0) must have at least \(counted(rules.minimumCount, "member"))" }
      if isDone { return false }
    }
    if members.count > rules.maximumCount {
      valid = fail("maxProperties") { "\($0) must have at most \(counted(rules.maximumCount, "member"))" }
      if isDone { return false }
    }
    var found = 0
    var hint = 0
    for index in 0..<members.count {
      let (key, member) = members[index]
      var isKnown = false
      if let place = rules.members.place(of: key, hint: hint) {
        hint = place + 1
        let entry = rules.members.entries[place]
        if entry.required >= 0 { found += 1 }
        if entry.schema >= 0 {
          isKnown = true
          if !descend(key, member, entry.schema) {
            valid = false
            if isDone { return false }
          }
        }
      }
      for (pattern, schema) in rules.patterns {
        guard let matches = search(pattern, in: key) else { return false }
        guard matches else { continue }
        isKnown = true
        if !descend(key, member, schema) {
          valid = false
          if isDone { return false }
        }
      }
      if !isKnown, rules.additional >= 0 {
        isKnown = true
        let isAllowed =
          graph.nodes[rules.additional].verdict == false
          ? failUnknown(key, rules.members.properties, "additionalProperties") : descend(key, member, rules.additional)
        if !isAllowed {
          valid = false
          if isDone { return false }
        }
      }
      if isKnown, tracker >= 0 { trackers[tracker].insert(member: index) }
      if rules.names >= 0, !checkName(key, rules.names) {
        valid = false
        if isDone { return false }
      }
    }
    if found < rules.required.count {
      for name in rules.required where members[name] == nil as JSON? {
        valid = failMissing(name, "required")
        if isDone { return false }
      }
    }
    return checkDependencies(members, value, rules, tracker) && valid
  }

  private mutating func checkDependencies(_ members: JSONObject, _ value: JSON, _ rules: ObjectRules, _ tracker: Int) -> Bool {
    var valid = true
    for (name, required) in rules.dependentRequired where members[name] != nil as JSON? {
      for other in required where members[other] == nil as JSON? {
        valid = failMissing(other, "dependentRequired", because: name)
        if isDone { return false }
      }
    }
    for (name, schema) in rules.dependentSchemas where members[name] != nil as JSON? {
      if !branch(schema, value, tracker) {
        valid = false
        if isDone { return false }
      }
    }
    return valid
  }

  private mutating func descend(_ key: String, _ value: JSON, _ schema: Int) -> Bool {
    path.append(.key(key))
    let valid = evaluate(schema, value, tracker: -1)
    path.removeLast()
    return valid
  }

  private mutating func checkName(_ key: String, _ schema: Int) -> Bool {
    quiet += 1
    let valid = evaluate(schema, .string(key), tracker: -1)
    quiet -= 1
    if valid || exhausted != nil { return valid }
    return fail("propertyNames") { "\($0) must not have a member called `\(Self.shown(key))`" }
  }

  private mutating func checkUnevaluated(_ members: JSONObject, _ schema: Int, _ tracker: Int) -> Bool {
    var valid = true
    for index in 0..<members.count where !trackers[tracker].covers(member: index) {
      let (key, member) = members[index]
      let isValid =
        graph.nodes[schema].verdict == false ? failUnknown(key, [], "unevaluatedProperties") : descend(key, member, schema)
      if !isValid {
        valid = false
        if isDone { return false }
      }
      trackers[tracker].insert(member: index)
    }
    return valid
  }

  // MARK: Problems

  /// Records a problem with the value at ``path``; always false.
  private mutating func fail(_ keyword: String, _ message: (_ subject: String) -> String) -> Bool {
    if quiet == 0, violations.count < limits.violations {
      violations.append(SchemaViolation(at: Self.pointer(path), keyword: keyword, message: message(Self.name(path, subject: subject))))
    }
    return false
  }

  /// Gives up, so that the value counts as invalid; always false.
  private mutating func stop(_ message: (_ subject: String) -> String) -> Bool {
    if exhausted == nil {
      exhausted = SchemaViolation(at: Self.pointer(path), keyword: "limit", message: message(Self.name(path, subject: subject)))
    }
    return false
  }

  private mutating func charge(_ count: Int) -> Bool {
    steps -= count
    return steps >= 0 || stop { "\($0) takes too long to be checked" }
  }

  private mutating func failMissing(_ name: String, _ keyword: String, because other: String? = nil) -> Bool {
    let missing = Self.name(path + [.key(name)], subject: subject)
    return fail(keyword) { _ in
      "\(missing) is missing" + (other.map { "; it is required where `\(Self.shown($0))` is given" } ?? "")
    }
  }

  private mutating func failUnknown(_ key: String, _ known: [String], _ keyword: String) -> Bool {
    path.append(.key(key))
    defer { path.removeLast() }
    return fail(keyword) { subject in
      let hint =
        nearestName(to: key, in: known).map { "; did you mean `\($0)`?" }
        ?? (known.isEmpty ? "" : "; known are " + clipped(known.map { "`\($0)`" }.joined(separator: ", ")))
      return "\(subject) is not a known member\(hint)"
    }
  }

  /// No alternative matched: says what the nearest one lacks.
  private mutating func failAlternatives(_ keyword: String, _ schemas: [Int], _ value: JSON) -> Bool {
    if quiet > 0 || violations.count >= limits.violations { return false }
    let here = Self.pointer(path)
    let outer = violations
    var nearest: (rank: [Int], place: Int, first: SchemaViolation)?
    var types: SchemaTypes = []
    for (place, schema) in schemas.enumerated() {
      violations = []
      let valid = evaluate(schema, value, tracker: -1)
      if exhausted != nil { break }
      guard !valid, let first = violations.first else { continue }
      if first.keyword == "type", first.at.utf8.elementsEqual(here.utf8) {
        types.formUnion(graph.nodes[schema].types == .any ? [] : graph.nodes[schema].types)
      }
      let rank = Self.rank(violations, here)
      if nearest.map({ rank.lexicographicallyPrecedes($0.rank) }) ?? true { nearest = (rank, place, first) }
    }
    violations = outer
    if exhausted != nil { return false }
    let isTypeMismatch = nearest.map { $0.rank[0] == 1 } ?? false
    return fail(keyword) { subject in
      if isTypeMismatch, !types.isEmpty { return "\(subject) must be \(types.described), not \(Self.kind(value, besides: types))" }
      guard let nearest else { return "\(subject) matches none of \(schemas.count) alternatives" }
      if schemas.count == 1 { return nearest.first.message }
      return "\(subject) matches none of \(schemas.count) alternatives; by alternative \(nearest.place + 1), \(nearest.first.message)"
    }
  }

  /// Orders the ways in which alternatives failed: a wrong kind of value last, a wrong constant (which mostly tells alternatives
  /// apart) before it, then by the number of problems.
  private static func rank(_ violations: [SchemaViolation], _ here: String) -> [Int] {
    let isWrongKind = violations.contains { $0.keyword == "type" && $0.at.utf8.elementsEqual(here.utf8) }
    let isOther = violations.contains { $0.keyword == "const" || $0.keyword == "enum" }
    return [isWrongKind ? 1 : 0, isOther ? 1 : 0, violations.count]
  }
}
