internal import Core

/// Requests of which each choice is one of several: what one condition describes.
struct RequestCube {
  typealias Diagram = DecisionDiagrams.Diagram

  /// For each level the ways in which the choice is made; levels that are not there are open.
  private(set) var ways: [Int: Set<Int>] = [:]

  /// Cubes that together are all requests for which a function is 1, and none for which it is 0; where it is 2 does not matter.
  ///
  /// - Returns: The cubes, and whether these are all: no more than so many are made.
  static func cover(
    _ diagram: Diagram, _ space: RequestSpace, _ diagrams: DecisionDiagrams, maximum: Int
  ) throws(DecisionDiagrams.TooManyCases) -> (cubes: [RequestCube], isComplete: Bool) {
    var cubes: [RequestCube] = []
    var left = diagram
    while let path = path(in: left, diagrams, [:]) {
      if cubes.count == maximum { return (cubes, false) }
      var cube = RequestCube()
      for (node, child) in path {
        let children = diagrams[node].children
        cube.ways[diagrams[node].level] = Set(children.indices.filter { children[$0] == children[child] })
      }
      try cube.widen(within: diagram, space, diagrams)
      cubes.append(cube)
      left = try diagrams.combine(left, try cube.diagram(space, diagrams)) { left, isIn in left == 1 && isIn == 1 ? 0 : left }
    }
    return (cubes, true)
  }

  /// The nodes on a way to 1, each with the child that is taken; nil where there is none.
  static func path(
    in diagram: Diagram, _ diagrams: DecisionDiagrams, _ ways: [Int: Set<Int>]
  ) -> [(node: Diagram, child: Int)]? {
    var dead: Set<Diagram> = []
    func walk(_ diagram: Diagram) -> [(node: Diagram, child: Int)]? {
      if let answer = DecisionDiagrams.answer(of: diagram) { return answer == 1 ? [] : nil }
      if dead.contains(diagram) { return nil }
      let node = diagrams[diagram]
      for (place, child) in node.children.enumerated() where ways[node.level]?.contains(place) ?? true {
        if let rest = walk(child) { return [(diagram, place)] + rest }
      }
      dead.insert(diagram)
      return nil
    }
    return walk(diagram)
  }

  /// 1 for the requests of the cube.
  private func diagram(_ space: RequestSpace, _ diagrams: DecisionDiagrams) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    var all = DecisionDiagrams.leaf(1)
    for (level, ways) in ways.sorted(by: { $0.key > $1.key }) {
      all = try diagrams.node(level, (0..<space.dimensions[level].size).map { ways.contains($0) ? all : DecisionDiagrams.leaf(0) })
    }
    return all
  }

  // MARK: - Widening

  /// Leaves open what need not be asked, later choices first, and takes in as many ways as there can be.
  private mutating func widen(
    within diagram: Diagram, _ space: RequestSpace, _ diagrams: DecisionDiagrams
  ) throws(DecisionDiagrams.TooManyCases) {
    for level in ways.keys.sorted(by: >) {
      let own = ways[level]
      let allowed = allowed(level, space)
      if allowed == nil {
        ways[level] = nil
        if try isInside(diagram, diagrams) { continue }
        ways[level] = own
      }
      for way in 0..<space.dimensions[level].size where !(own?.contains(way) ?? true) && allowed?.contains(way) ?? true {
        ways[level]?.insert(way)
        if try !isInside(diagram, diagrams) { ways[level]?.remove(way) }
      }
    }
  }

  /// The ways that can be chosen so that what else is asked means something; nil for any.
  private func allowed(_ level: Int, _ space: RequestSpace) -> Set<Int>? {
    var allowed: Set<Int>?
    for (asked, own) in ways where asked != level {
      let dimension = space.dimensions[asked]
      for need in dimension.needs where need.level == level { allowed = allowed?.intersection(need.regions) ?? need.regions }
      if dimension.reads.contains(where: { space.levels(of: $0).contains(level) }), own.count < dimension.size {
        allowed = allowed?.intersection(ways[level] ?? []) ?? ways[level]
      }
    }
    return allowed
  }

  /// Whether a function is nowhere 0 in the cube.
  private func isInside(_ diagram: Diagram, _ diagrams: DecisionDiagrams) throws(DecisionDiagrams.TooManyCases) -> Bool {
    var known: Set<Diagram> = []
    func walk(_ diagram: Diagram) throws(DecisionDiagrams.TooManyCases) -> Bool {
      if let answer = DecisionDiagrams.answer(of: diagram) { return answer != 0 }
      if !known.insert(diagram).inserted { return true }
      try diagrams.count(diagrams[diagram].children.count)
      let node = diagrams[diagram]
      for (place, child) in node.children.enumerated() where ways[node.level]?.contains(place) ?? true {
        if try !walk(child) { return false }
      }
      return true
    }
    return try walk(diagram)
  }

  // MARK: - In words

  /// What is asked whose answers may be impossible.
  func opaqueParts(_ space: RequestSpace) -> [String] {
    ways.keys.sorted().map { space.dimensions[$0] }.filter(\.isOpaque).map(\.text)
  }

  /// Whether a flag is asked for; nil where it does not matter.
  func flag(_ subject: RequestSpace.Subject, _ space: RequestSpace) -> Bool? {
    guard let chosen = space.level(subject).flatMap({ ways[$0] }), chosen.count == 1 else { return nil }
    return chosen == [1]
  }

  /// The rules for which an allowance is needed, or the lack of one.
  func allowances(_ space: RequestSpace) -> [(rule: String, isLive: Bool)] {
    ways.sorted { $0.key < $1.key }.compactMap { level, chosen in
      guard case .allowance(let rule) = space.dimensions[level].subject, chosen.count == 1 else { return nil }
      return (rule.string, chosen == [1])
    }
  }

  /// A condition that is true of the requests, apart from flags that no condition reads.
  func condition(_ space: RequestSpace) -> String {
    var parts: [String] = []
    for (level, chosen) in ways.sorted(by: { $0.key < $1.key }) {
      if let part = condition(level, chosen, space), !parts.contains(part) { parts.append(part) }
    }
    if parts.isEmpty { return "true" }
    if parts.count == 1 { return parts[0] }
    return parts.map { $0.contains(" || ") || $0.contains(" ? ") ? "(\($0))" : $0 }.joined(separator: " && ")
  }

  private func condition(_ level: Int, _ chosen: Set<Int>, _ space: RequestSpace) -> String? {
    let dimension = space.dimensions[level]
    switch dimension.subject {
    case .implied, .allowance: return nil
    case .principal: return space.condition(principals: chosen)
    case .value:
      guard let domain = dimension.domain else { return nil }
      // What is asked of the value says that it is there already; of one that may be anything it does not say that it is a list.
      let isImplied = domain.kind != .open || chosen.allSatisfy { domain.regions[$0] != .list }
      return isImplied && allowed(level, space) == chosen ? nil : domain.condition(chosen)
    case .role, .member: return chosen == [1] ? dimension.text : "!(\(dimension.text))"
    case .search: return chosen == [1] ? dimension.text : "!\(dimension.text)"
    case .same(let a, let b): return chosen == [1] ? dimension.text : "\(a.text) != \(b.text)"
    case .opaque:
      if chosen == [2] { return "(\(dimension.text)) cannot be evaluated" }
      if chosen == [0, 1] { return "(\(dimension.text)) || !(\(dimension.text))" }
      return chosen.contains(1) ? dimension.text : "!(\(dimension.text))"
    }
  }
}

extension RequestSpace {
  /// A condition that the principal is one of these.
  fileprivate func condition(principals chosen: Set<Int>) -> String {
    var kinds: [String] = []
    var parts: [String] = []
    var ids: [String] = []
    for kind in PrincipalKind.allCases {
      let all = principals.indices.filter { principals[$0].kind == kind }
      let own = all.filter { chosen.contains($0) }
      func names(_ places: [Int]) -> [String] { places.map { ValueDomain.quoted(principals[$0].id) } }
      if own.isEmpty { continue }
      if own.count == all.count {
        kinds.append(ValueDomain.quoted(kind.rawValue))
      } else if own.contains(where: { $0 >= namedPrincipals }) {
        let others = names(all.filter { !chosen.contains($0) })
        let isKind = "principal.kind == \(ValueDomain.quoted(kind.rawValue))"
        parts.append("\(isKind) && \(ValueDomain.isOne("principal.id", of: others, isNot: true))")
      } else {
        ids += names(own)
      }
    }
    if !kinds.isEmpty { parts.insert(ValueDomain.isOne("principal.kind", of: kinds), at: 0) }
    if !ids.isEmpty { parts.append(ValueDomain.isOne("principal.id", of: ids)) }
    return parts.joined(separator: " || ")
  }
}
