/// A compiled pattern: an automaton over classes of scalars that no part of the pattern tells apart.
///
/// Searching runs the transition table of a deterministic automaton when that table stayed small (``table``), and otherwise
/// simulates all threads of the non-deterministic one side by side. Neither ever looks at a scalar twice.
final class RegexProgram: Sendable {
  struct Instruction: Sendable {
    enum Operation: UInt8, Sendable { case scalar, split, jump, assertion, match }

    var operation: Operation
    /// Of the set for `scalar`, of ``RegexProgram/assertions`` for `assertion`.
    var operand: Int32 = 0
    /// Where to go on; for `split` the preferred way.
    var next: Int32 = 0
    /// The other way of `split`.
    var other: Int32 = 0
  }

  let instructions: [Instruction]
  let assertions: [RegexAssertion]
  let alphabet: RegexAlphabet
  /// Whether a match can only begin where the text begins.
  let isAnchored: Bool
  let table: RegexTable?

  init(_ node: RegexNode, dialect: LinearRegex.Dialect, position: SourcePosition?) throws(Diagnostic) {
    var emitter = Emitter(position: position)
    try emitter.emit(node)
    try emitter.append(Instruction(operation: .match))
    instructions = emitter.instructions
    assertions = emitter.assertions
    let newlines = assertions.contains { $0 == .lineStart || $0 == .lineEnd } ? dialect.newlines : nil
    let words = assertions.contains { $0 == .wordBoundary || $0 == .notWordBoundary } ? ScalarSet.asciiWord : nil
    alphabet = RegexAlphabet(emitter.sets, newlines: newlines, words: words)
    isAnchored = Self.isAnchored(instructions, assertions)
    table = RegexTable(instructions: instructions, assertions: assertions, alphabet: alphabet, isAnchored: isAnchored)
  }

  /// Whether every way from the start meets `textStart` before it consumes or matches.
  private static func isAnchored(_ instructions: [Instruction], _ assertions: [RegexAssertion]) -> Bool {
    var pending: [Int32] = [0]
    var seen = [Bool](repeating: false, count: instructions.count)
    while let pc = pending.popLast() {
      if seen[Int(pc)] { continue }
      seen[Int(pc)] = true
      let instruction = instructions[Int(pc)]
      switch instruction.operation {
      case .match, .scalar: return false
      case .jump: pending.append(instruction.next)
      case .split: pending += [instruction.other, instruction.next]
      case .assertion:
        if assertions[Int(instruction.operand)] != .textStart { pending.append(instruction.next) }
      }
    }
    return true
  }

  // MARK: Emission

  private struct Emitter {
    var instructions: [Instruction] = []
    var assertions: [RegexAssertion] = []
    var sets: [ScalarSet] = []
    private var setIndex: [ScalarSet: Int32] = [:]
    private let position: SourcePosition?

    init(position: SourcePosition?) { self.position = position }

    private var here: Int32 { Int32(instructions.count) }

    mutating func append(_ instruction: Instruction) throws(Diagnostic) {
      guard instructions.count < LinearRegex.maximumProgramSize else {
        throw Diagnostic(
          "regex-too-large", at: position, "the pattern needs more than \(LinearRegex.maximumProgramSize) instructions",
          hint: "a counted repetition counts once for each time that it repeats; use a smaller bound")
      }
      instructions.append(instruction)
    }

    mutating func emit(_ node: RegexNode) throws(Diagnostic) {
      switch node.kind {
      case .empty: break
      case .scalar(let set):
        if setIndex[set] == nil {
          setIndex[set] = Int32(sets.count)
          sets.append(set)
        }
        try append(Instruction(operation: .scalar, operand: setIndex[set, default: 0], next: here + 1))
      case .assertion(let assertion):
        let index = assertions.firstIndex(of: assertion) ?? assertions.count
        if index == assertions.count { assertions.append(assertion) }
        try append(Instruction(operation: .assertion, operand: Int32(index), next: here + 1))
      case .sequence(let nodes):
        for node in nodes { try emit(node) }
      case .alternatives(let nodes):
        var jumps: [Int] = []
        for node in nodes.dropLast() {
          let split = instructions.count
          try append(Instruction(operation: .split, next: here + 1))
          try emit(node)
          jumps.append(instructions.count)
          try append(Instruction(operation: .jump))
          instructions[split].other = here
        }
        if let last = nodes.last { try emit(last) }
        for jump in jumps { instructions[jump].next = here }
      case .repetition(let body, let minimum, let maximum, let greedy):
        try emit(body, minimum: minimum, maximum: maximum, greedy: greedy)
      }
    }

    private mutating func emit(_ body: RegexNode, minimum: Int, maximum: Int?, greedy: Bool) throws(Diagnostic) {
      let required = maximum == nil ? max(minimum - 1, 0) : minimum
      for _ in 0..<required {
        let start = here
        try emit(body)
        if here == start { return }  // an empty body stays empty, however often
      }
      guard let maximum else {
        if minimum == 0, body.canBeEmpty {
          // (x+)? keeps the order of preference where x can be empty; x* would not.
          let split = instructions.count
          try append(Instruction(operation: .split))
          try emitOneOrMore(body, greedy: greedy)
          setWays(of: split, inside: Int32(split + 1), outside: here, greedy: greedy)
        } else if minimum == 0 {
          let split = instructions.count
          try append(Instruction(operation: .split))
          try emit(body)
          try append(Instruction(operation: .jump, next: Int32(split)))
          setWays(of: split, inside: Int32(split + 1), outside: here, greedy: greedy)
        } else {
          try emitOneOrMore(body, greedy: greedy)
        }
        return
      }
      var splits: [Int] = []
      for _ in minimum..<maximum {
        let start = here
        splits.append(instructions.count)
        try append(Instruction(operation: .split))
        try emit(body)
        if here == start + 1 { break }
      }
      for split in splits { setWays(of: split, inside: Int32(split + 1), outside: here, greedy: greedy) }
    }

    private mutating func emitOneOrMore(_ body: RegexNode, greedy: Bool) throws(Diagnostic) {
      let start = here
      try emit(body)
      let split = instructions.count
      try append(Instruction(operation: .split))
      setWays(of: split, inside: start, outside: here, greedy: greedy)
    }

    private mutating func setWays(of split: Int, inside: Int32, outside: Int32, greedy: Bool) {
      instructions[split].next = greedy ? inside : outside
      instructions[split].other = greedy ? outside : inside
    }
  }
}
