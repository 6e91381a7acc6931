internal import CEL

/// The condition of one rule, as a whole and taken apart for the index.
struct RuleCondition: Sendable {
  /// The whole condition.
  let program: CELProgram
  /// What the index understands of it.
  let atoms: [(slot: Int, atom: Atom)]
  /// What has to hold beside the atoms, each a program of its own.
  let rest: [CELProgram]
  /// What the condition may name.
  let environment: CELEnvironment

  /// Takes a condition apart.
  init(_ program: CELProgram, in environment: CELEnvironment) {
    self.program = program
    self.environment = environment
    let parts = Conjunction(of: program)
    if !parts.atoms.isEmpty, let rest = try? parts.rest.map({ try environment.compile($0, of: program.source, expecting: .bool) }) {
      atoms = parts.atoms
      self.rest = rest
    } else {
      atoms = []
      rest = [program]
    }
  }

  /// Whether the condition holds, for a request for which all atoms do.
  ///
  /// - Throws: The first error of the rest, unless a later part is false: that settles the condition, as in the whole.
  func restHolds(_ values: RequestValues) throws(CELEvaluationError) -> Bool {
    var failure: CELEvaluationError?
    for program in rest {
      do throws(CELEvaluationError) {
        if try !program.evaluateBool(values) { return false }
      } catch {
        if error.code == .limit { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return true
  }
}
