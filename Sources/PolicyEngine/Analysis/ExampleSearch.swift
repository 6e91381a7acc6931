internal import CEL
internal import Core

/// Looks for a request of a cube that the rules themselves decide as it was said.
struct ExampleSearch {
  /// The most requests that are tried.
  private static let maximumTries = 400

  private let space: RequestSpace
  private let choices: RequestSpace.Choices?
  private let cube: RequestCube

  /// Chooses what the cube leaves open, so that the function is 1.
  init(_ read: RuleDiagrams, _ cube: RequestCube, _ target: DecisionDiagrams.Diagram) {
    space = read.space
    self.cube = cube
    choices = RequestCube.path(in: target, read.diagrams, cube.ways).map { path in
      var choices: RequestSpace.Choices = Array(repeating: nil, count: read.space.dimensions.count)
      for (node, child) in path { choices[read.diagrams[node].level] = child }
      return read.space.filled(choices, within: cube.ways)
    }
  }

  /// A request of which the test is true; it is asked of no more than so many.
  func example(_ test: (_ request: Request, _ allowance: (Rule) -> AllowanceAnswer) -> Bool) -> Request? {
    guard let choices else { return nil }
    func allowance(_ rule: Rule) -> AllowanceAnswer {
      space.level(.allowance(ExactString(rule.id))).flatMap { choices[$0] } == 1 ? .covered : .uncovered(nil)
    }
    let plain = space.request(choices)
    if test(plain, allowance) { return plain }
    let open = openValues(choices)
    var places = open.map { _ in 0 }
    for _ in 0..<Self.maximumTries {
      var place = 0
      while place < places.count {
        places[place] += 1
        if places[place] < open[place].values.count { break }
        places[place] = 0
        place += 1
      }
      if place == places.count { return nil }
      let given = Dictionary(zip(open, places).map { ($0.path, $0.values[$1]) }, uniquingKeysWith: { first, _ in first })
      let request = space.request(choices, given: given)
      if test(request, allowance) { return request }
    }
    return nil
  }

  /// The values that parts read which are not understood, and what is tried for them.
  private func openValues(_ choices: RequestSpace.Choices) -> [(path: ExactPath, values: [JSON])] {
    var found: [(path: ExactPath, values: [JSON])] = []
    let asked = cube.ways.keys.sorted().map { space.dimensions[$0] }.filter { !$0.reads.isEmpty }
    let request = space.request(choices)
    let others = Set(asked.flatMap(\.reads)).compactMap { ValuePath($0.names) }.compactMap { request.value(at: $0) }
    for path in asked.flatMap(\.reads) where !found.contains(where: { $0.path == path }) {
      guard !space.isKnown(path, choices), let level = space.level(.value(path)), let chosen = choices[level],
        let domain = space.dimensions[level].domain
      else { continue }
      var values = (0..<3).compactMap { domain.example(chosen, $0) } + others.filter { domain.isIn(chosen, $0) }
      if domain.regions[chosen] == .rest || domain.regions[chosen] == .list {
        values += asked.filter { $0.reads.contains(path) }.flatMap(\.samples)
      }
      found.append((path, unique(values)))
    }
    return found
  }

  private func unique(_ values: [JSON]) -> [JSON] {
    var seen: Set<JSON> = []
    return values.filter { seen.insert($0).inserted }
  }
}

extension ValueDomain {
  /// Whether a value may be one of a region that is no point.
  fileprivate func isIn(_ region: Int, _ value: JSON) -> Bool {
    switch (regions[region], value) {
    case (.text, .string(let text)): !pointTexts.contains { bytesEqual($0, text) }
    case (.between(let lower, let upper), .number(let number)): number.double > lower ?? -.infinity && number.double < upper ?? .infinity
    case (.list, .array), (.object, .object): true
    case (.rest, _): kind == .open
    default: false
    }
  }
}

extension RequestSpace.Dimension {
  /// Lists and other values that could make a difference to an opaque part: of objects with the members that it reads.
  fileprivate var samples: [JSON] {
    var names: [String] = []
    if let expression = try? CELEnvironment().parse(text) {
      expression.forEach { part in
        if case .select(let operand, let name, _) = part.kind, operand.path?.count == 1, !names.contains(name) { names.append(name) }
      }
    }
    var objects: [JSON] = []
    for flag in [false, true] {
      objects.append(.object(JSONObject(names.map { ($0, JSON.bool(flag)) })))
      for odd in names { objects.append(.object(JSONObject(names.map { ($0, JSON.bool($0 == odd ? !flag : flag)) }))) }
    }
    return [[], ["x"], ["x", "y"], [1]] + objects.map { [$0] } + objects + ["x", 1, true, false]
  }
}

extension RequestSpace {
  /// The choices with what they leave open made so that they mean something: missing values stay missing.
  func filled(_ choices: Choices, within ways: [Int: Set<Int>]) -> Choices {
    var choices = choices
    for level in dimensions.indices.reversed() where choices[level] != nil || ways[level] != nil {
      for need in dimensions[level].needs where choices[need.level] == nil {
        choices[need.level] = need.regions.intersection(ways[need.level] ?? need.regions).min()
      }
    }
    for level in dimensions.indices where choices[level] == nil {
      switch dimensions[level].subject {
      // What is asked of a value follows from the value.
      case .same, .search: continue
      default: if !isMeaningful(level, choices) { continue }
      }
      choices[level] = ways[level]?.min() ?? 0
    }
    return choices
  }
}
