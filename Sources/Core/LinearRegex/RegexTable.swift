/// The transition table of the deterministic automaton that answers whether a text has a match.
///
/// Built whole when the pattern is compiled, so that searching needs no lock and no memory; patterns whose table would pass a bound
/// have none.
struct RegexTable: Sendable {
  static let maximumCells = 1 << 16
  /// Instructions visited while building.
  static let maximumWork = 250_000
  static let dead: UInt16 = 0
  static let accepted: UInt16 = 1

  /// One row of ``stride`` cells a state: a cell a class, and a last one for the end of the text.
  let cells: [UInt16]
  let stride: Int
  let start: UInt16

  init?(instructions: [RegexProgram.Instruction], assertions: [RegexAssertion], alphabet: RegexAlphabet, isAnchored: Bool) {
    let stride = alphabet.count + 1
    guard 3 * stride <= Self.maximumCells else { return nil }
    let seesEdge = assertions.contains { $0 == .textStart || $0 == .lineStart }
    let kinds = RegexNeighbour.allCases.filter { $0 == .edge || alphabet.neighbours.contains($0) }

    // A state: sorted instructions to go on from, then what stands before.
    var known: [[Int32]: Int] = [:]
    var states: [[Int32]] = [[], []]
    func state(_ key: [Int32]) -> Int {
      if let index = known[key] { return index }
      known[key] = states.count
      states.append(key)
      return states.count - 1
    }
    _ = state([0, Int32((seesEdge ? RegexNeighbour.edge : .other).rawValue)])

    var cells = [UInt16](repeating: Self.dead, count: stride)
    cells += [UInt16](repeating: Self.accepted, count: stride)
    var closure = RegexClosure(count: instructions.count)
    var isNext = [Bool](repeating: false, count: instructions.count)
    var work = 0
    var current = 2
    while current < states.count {
      cells += [UInt16](repeating: Self.dead, count: stride)
      guard cells.count <= Self.maximumCells else { return nil }
      let row = current * stride
      let key = states[current]
      let previous = RegexNeighbour(rawValue: Int(key[key.count - 1])) ?? .other
      for kind in kinds {
        closure.begin()
        var matched = false
        for pc in key.dropLast() where !matched {
          matched = closure.add(pc, instructions, assertions, after: previous, before: kind)
        }
        work += closure.visited
        if kind == .edge {
          cells[row + stride - 1] = matched ? Self.accepted : Self.dead
          continue
        }
        for scalarClass in 0..<alphabet.count where alphabet.neighbours[scalarClass] == kind {
          if matched {
            cells[row + scalarClass] = Self.accepted
            continue
          }
          var next: [Int32] = isAnchored ? [] : [0]
          if !isAnchored { isNext[0] = true }
          for pc in closure.consuming {
            let instruction = instructions[Int(pc)]
            if alphabet.contains(instruction.operand, scalarClass), !isNext[Int(instruction.next)] {
              isNext[Int(instruction.next)] = true
              next.append(instruction.next)
            }
          }
          work += 1 + closure.consuming.count
          for pc in next { isNext[Int(pc)] = false }
          if next.isEmpty { continue }
          next.sort()
          next.append(Int32(kind.rawValue))
          cells[row + scalarClass] = UInt16(truncatingIfNeeded: state(next))
        }
        guard work <= Self.maximumWork else { return nil }
      }
      current += 1
    }
    self.cells = cells
    self.stride = stride
    self.start = 2
  }
}

/// Follows the instructions that consume nothing, each at most once.
struct RegexClosure {
  private var mark: [UInt32]
  private var generation: UInt32 = 0
  private var pending: [Int32] = []
  /// The instructions reached that consume a scalar, in order of preference.
  private(set) var consuming: [Int32] = []
  private(set) var visited = 0

  init(count: Int) { mark = [UInt32](repeating: 0, count: count) }

  mutating func begin() {
    generation &+= 1
    if generation == 0 {
      for index in mark.indices { mark[index] = 0 }
      generation = 1
    }
    consuming.removeAll(keepingCapacity: true)
    visited = 0
  }

  /// - Returns: Whether the match was reached; what is less preferred than it is left out then.
  mutating func add(
    _ start: Int32, _ instructions: [RegexProgram.Instruction], _ assertions: [RegexAssertion], after previous: RegexNeighbour,
    before next: RegexNeighbour
  ) -> Bool {
    pending.append(start)
    while let pc = pending.popLast() {
      if mark[Int(pc)] == generation { continue }
      mark[Int(pc)] = generation
      visited += 1
      let instruction = instructions[Int(pc)]
      switch instruction.operation {
      case .scalar: consuming.append(pc)
      case .jump: pending.append(instruction.next)
      case .split:
        pending.append(instruction.other)
        pending.append(instruction.next)
      case .assertion:
        if assertions[Int(instruction.operand)].holds(after: previous, before: next) { pending.append(instruction.next) }
      case .match:
        pending.removeAll(keepingCapacity: true)
        return true
      }
    }
    return false
  }
}
