internal import Core

/// What each rule about one tool says, and all of them together, as functions of the request.
struct RuleSayings {
  typealias Diagram = DecisionDiagrams.Diagram

  /// What becomes of a rule.
  struct Effect {
    /// Whether its condition is true for some request.
    var matches: Bool
    /// Whether some request gets another verdict without it, or needs other approvals.
    var matters: Bool
    /// Whether that rests on a condition that is not understood.
    var isOpaque: Bool
    /// The rules that decide in its place where it does not matter.
    var by: [Int]
  }

  /// Stands for requests that there cannot be.
  static let impossible = 1 << 40

  let read: RuleDiagrams
  private let rules: [Rule]
  private(set) var verdicts = VerdictTable()
  private var diagrams: DecisionDiagrams { read.diagrams }

  init(_ read: RuleDiagrams, _ rules: [Rule]) {
    self.read = read
    self.rules = rules
  }

  // MARK: - Single rules

  /// What a rule says.
  mutating func saying(_ place: Int) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    let rule = rules[place]
    let answers = read.rules[place]
    switch rule.effect {
    case .forbid: return try diagrams.map(answers) { $0 == RuleDiagrams.Answer.no ? VerdictTable.nothing : VerdictTable.forbid }
    case .hold:
      let hold = verdicts.hold([PolicyVerdict.Need(rule.approval)])
      return try diagrams.map(answers) { $0 == RuleDiagrams.Answer.no ? VerdictTable.nothing : hold }
    case .permit:
      let isTrue = try diagrams.map(answers) { $0 == RuleDiagrams.Answer.yes ? VerdictTable.permit : VerdictTable.nothing }
      return rule.isEarned ? try earned(rule, isTrue) : isTrue
    }
  }

  /// An earned permit holds without an allowance, where there is somebody to ask.
  private mutating func earned(_ rule: Rule, _ isTrue: Diagram) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard let allowance = read.space.level(.allowance(ExactString(rule.id))) else { return isTrue }
    let hold = verdicts.hold([PolicyVerdict.Need(rule.approval)])
    var without = DecisionDiagrams.leaf(hold)
    if rule.approval?.asksOwner ?? true, let owner = read.space.level(.value(ExactPath(["principal", "owner"]))),
      let domain = read.space.dimensions[owner].domain
    {
      without = try diagrams.node(owner, domain.regions.map { DecisionDiagrams.leaf($0 == .missing ? VerdictTable.nothing : hold) })
    }
    let otherwise = try diagrams.node(allowance, [without, DecisionDiagrams.leaf(VerdictTable.permit)])
    return try diagrams.combine(isTrue, otherwise, deciding: VerdictTable.nothing) { isTrue, saying in
      isTrue == VerdictTable.nothing ? VerdictTable.nothing : saying
    }
  }

  // MARK: - All rules

  /// What step or trigger say beside the rules.
  private func implied() throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard let level = read.space.level(.implied) else { return DecisionDiagrams.leaf(VerdictTable.nothing) }
    return try diagrams.node(level, [VerdictTable.nothing, VerdictTable.permit].map { DecisionDiagrams.leaf($0) })
  }

  private mutating func together(_ a: Diagram, _ b: Diagram) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    var table = verdicts
    defer { verdicts = table }
    return try diagrams.combine(a, b, deciding: VerdictTable.forbid, neutral: VerdictTable.nothing) { table.together($0, $1) }
  }

  /// The verdict under some of the rules, and the permits that are implied.
  mutating func verdict(_ places: Range<Int>) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    var all = try implied()
    for place in places { all = try together(all, try saying(place)) }
    return try final(all)
  }

  private func final(_ all: Diagram) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    let final = try diagrams.map(all) { VerdictTable.final($0) }
    if read.possible == DecisionDiagrams.leaf(1) { return final }
    return try diagrams.combine(final, read.possible) { verdict, isPossible in isPossible == 1 ? verdict : Self.impossible }
  }

  /// What becomes of each rule.
  ///
  /// - Complexity: O(n) combinations for n rules, and O(n) more for each that does not matter.
  mutating func effects() throws(DecisionDiagrams.TooManyCases) -> [Effect] {
    var sayings: [Diagram] = []
    for place in rules.indices { sayings.append(try saying(place)) }
    // What the rules after each one say, to be put together with what those before it say.
    var after = [DecisionDiagrams.leaf(VerdictTable.nothing)]
    for saying in sayings.reversed() { after.append(try together(saying, after[after.count - 1])) }
    after.reverse()
    var before = try implied()
    let raw = try together(before, after[0])
    let whole = try final(raw)
    var effects: [Effect] = []
    for place in rules.indices {
      let without = try together(before, after[place + 1])
      before = try together(before, sayings[place])
      let matters = without == raw ? false : try final(without) != whole
      let isOpaque = diagrams.depends(read.rules[place]) { read.space.dimensions[$0].isOpaque }
      var effect = Effect(matches: try matches(place), matters: matters, isOpaque: isOpaque, by: [])
      if effect.matches, !effect.matters { effect.by = try others(instead: place, sayings) }
      effects.append(effect)
    }
    return effects
  }

  private func matches(_ place: Int) throws(DecisionDiagrams.TooManyCases) -> Bool {
    let found = try diagrams.combine(read.rules[place], read.possible) { $0 == RuleDiagrams.Answer.yes && $1 == 1 ? 1 : 0 }
    return found != DecisionDiagrams.leaf(0)
  }

  /// One rule in whose company this one says nothing more, else those that together decide where it counts.
  ///
  /// Empty for a forbidding rule that counts where no other rule forbids: then it does not matter because nothing is permitted there.
  private mutating func others(instead place: Int, _ sayings: [Diagram]) throws(DecisionDiagrams.TooManyCases) -> [Int] {
    let own = sayings[place]
    for other in rules.indices where other != place {
      let both = try together(own, sayings[other])
      if try possibly(both) == possibly(sayings[other]) { return [other] }
    }
    var some: [Int] = []
    var left = try diagrams.combine(own, read.possible) { own, isPossible in isPossible == 1 ? own : VerdictTable.nothing }
    for other in rules.indices where other != place {
      let next = try diagrams.combine(left, sayings[other]) { own, other in
        VerdictTable.isAsStrong(other, as: own) ? VerdictTable.nothing : own
      }
      if next != left { some.append(other) }
      left = next
    }
    return rules[place].effect == .forbid && left != DecisionDiagrams.leaf(VerdictTable.nothing) ? [] : some
  }

  private func possibly(_ saying: Diagram) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    try diagrams.combine(saying, read.possible) { saying, isPossible in isPossible == 1 ? saying : Self.impossible }
  }
}
