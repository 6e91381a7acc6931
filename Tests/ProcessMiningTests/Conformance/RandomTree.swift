import Core
import ProcessMining

/// Small trees and traces over few letters, so that they meet often.
enum RandomTree {
  static let letters = ["a", "b", "c", "d"]

  static func tree(_ random: inout SeededGenerator, depth: Int) -> ProcessTree {
    build(&random, depth) { letters.randomElement(using: &$0) ?? "a" }
  }

  /// A tree that shows each activity in one place only.
  static func distinct(_ random: inout SeededGenerator, depth: Int) -> ProcessTree {
    var next = 0
    return build(&random, depth) { _ in
      next += 1
      return "t\(next)"
    }
  }

  static func trace(_ random: inout SeededGenerator) -> [String] {
    (0..<Int.random(in: 0...6, using: &random)).map { _ in (letters + ["x"]).randomElement(using: &random) ?? "x" }
  }

  private static func build(_ random: inout SeededGenerator, _ depth: Int, _ name: (inout SeededGenerator) -> String) -> ProcessTree {
    let kind = Int.random(in: 0..<8, using: &random)
    if depth == 0 || kind < 2 { return kind == 0 ? .silent : .activity(name(&random)) }
    let children = (0..<Int.random(in: 1...3, using: &random)).map { _ in build(&random, depth - 1, name) }
    return switch kind {
    case 2, 3: .sequence(children)
    case 4, 5: .choice(children)
    case 6: .parallel(children)
    default: .loop(body: children[0], redo: children.count > 1 ? Array(children.dropFirst()) : [.silent])
    }
  }

  /// One way through a tree, by the meaning of its blocks alone.
  static func play(_ tree: ProcessTree, _ random: inout SeededGenerator) -> [String] {
    switch tree {
    case .silent: return []
    case .activity(let name): return [name]
    case .sequence(let children): return children.flatMap { play($0, &random) }
    case .choice(let children): return children.randomElement(using: &random).map { play($0, &random) } ?? []
    case .parallel(let children):
      var queues = children.map { play($0, &random)[...] }.filter { !$0.isEmpty }
      var merged: [String] = []
      while let index = queues.indices.randomElement(using: &random) {
        merged.append(queues[index].removeFirst())
        if queues[index].isEmpty { queues.remove(at: index) }
      }
      return merged
    case .loop(let body, let redo):
      var played = play(body, &random)
      while !redo.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
        played += (redo.randomElement(using: &random).map { play($0, &random) } ?? []) + play(body, &random)
      }
      return played
    }
  }
}

/// The least cost to make a trace one of a tree's, found without a net: every way through the tree is rewritten step by step.
///
/// A tree that has begun is a tree again, so a state is what is left of the tree and of the trace; costs settle in order (Dijkstra).
enum ExhaustiveAlignment {
  private struct State: Hashable {
    let rest: ProcessTree
    let position: Int
  }

  static func cost(_ tree: ProcessTree, _ trace: [String]) -> Int {
    var settled: Set<State> = []
    var level: [State] = [State(rest: tree, position: 0)]
    var cost = 0
    while !level.isEmpty {
      var next: [State] = []
      while let state = level.popLast() {
        guard settled.insert(state).inserted else { continue }
        if state.position == trace.count && canEnd(state.rest) { return cost }
        let event = state.position < trace.count ? trace[state.position] : nil
        if event != nil { next.append(State(rest: state.rest, position: state.position + 1)) }
        for (name, rest) in firsts(state.rest) {
          if name == event { level.append(State(rest: rest, position: state.position + 1)) }
          next.append(State(rest: rest, position: state.position))
        }
      }
      level = next
      cost += 1
    }
    preconditionFailure("every tree has a way through")
  }

  /// Whether nothing more has to be shown.
  private static func canEnd(_ tree: ProcessTree) -> Bool {
    switch tree {
    case .silent: true
    case .activity: false
    case .sequence(let children), .parallel(let children): children.allSatisfy(canEnd)
    case .choice(let children): children.isEmpty || children.contains(where: canEnd)
    case .loop(let body, _): canEnd(body)
    }
  }

  /// Each activity that can be shown next, and the tree that is left (derivatives: Brzozowski, 1964, doi:10.1145/321239.321249).
  private static func firsts(_ tree: ProcessTree) -> [(String, ProcessTree)] {
    switch tree {
    case .silent: return []
    case .activity(let name): return [(name, .silent)]
    case .choice(let children): return children.flatMap(firsts)
    case .sequence(let children):
      var all: [(String, ProcessTree)] = []
      for (index, child) in children.enumerated() {
        all += firsts(child).map { ($0, joined($1, Array(children[(index + 1)...]))) }
        if !canEnd(child) { break }
      }
      return all
    case .parallel(let children):
      return children.indices.flatMap { index in
        firsts(children[index]).map { name, rest in
          var left = children
          left[index] = rest
          return (name, .parallel(left))
        }
      }
    case .loop(let body, let redo):
      let again = ProcessTree.choice([.silent, .sequence([.choice(redo), tree])])
      var all = firsts(body).map { ($0, joined($1, [again])) }
      if canEnd(body) && !redo.isEmpty {
        all += redo.flatMap { firsts($0) }.map { ($0, joined($1, [tree])) }
      }
      return all
    }
  }

  private static func joined(_ first: ProcessTree, _ rest: [ProcessTree]) -> ProcessTree {
    first == .silent ? (rest.count == 1 ? rest[0] : .sequence(rest)) : .sequence([first] + rest)
  }
}
