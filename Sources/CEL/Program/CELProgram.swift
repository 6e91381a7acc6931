/// A checked and compiled expression: immutable, and safe to evaluate on several threads at once.
public struct CELProgram: Sendable {
  /// The text that was compiled.
  public let source: String
  /// The type of its value.
  public let type: CELType
  /// What it reads, in the order in which the text first names it.
  public let references: [CELReference]
  /// The parsed text, for analysis.
  public let expression: CELExpression

  let root: Node
  let localCount: Int
  /// The steps of evaluating each operation once.
  let cost: Int
  let stepLimit: Int
  let table: CELReferenceTable

  /// Evaluates the expression.
  ///
  /// - Parameter activation: Where the values of ``references`` come from.
  /// - Returns: The value, of ``type``.
  /// - Throws: The error that the expression evaluates to. Nothing else happens: expressions have no effects.
  /// - Complexity: Bounded by ``CELLimits/steps``.
  public func evaluate(_ activation: some CELActivation) throws(CELEvaluationError) -> CELValue {
    try run(activation, nil) { root, frame throws(Failure) in try root.value(&frame) }
  }

  /// Evaluates the expression, with values read in place where they have been looked up already.
  ///
  /// - Throws: The error that the expression evaluates to.
  public func evaluate(_ slots: CELSlots) throws(CELEvaluationError) -> CELValue {
    try run(slots, slots) { root, frame throws(Failure) in try root.value(&frame) }
  }

  /// Evaluates a condition, without making a value of the answer.
  ///
  /// - Throws: The error that the expression evaluates to; `no-such-overload` where its value is not a truth value.
  public func evaluateBool(_ activation: some CELActivation) throws(CELEvaluationError) -> Bool {
    try run(activation, nil) { root, frame throws(Failure) in try root.bool(&frame) }
  }

  /// Evaluates a condition, with values read in place where they have been looked up already.
  ///
  /// - Throws: The error that the expression evaluates to; `no-such-overload` where its value is not a truth value.
  public func evaluateBool(_ slots: CELSlots) throws(CELEvaluationError) -> Bool {
    try run(slots, slots) { root, frame throws(Failure) in try root.bool(&frame) }
  }

  /// Evaluates the expression over variables by name; objects are maps with text keys.
  ///
  /// - Throws: The error that the expression evaluates to.
  public func evaluate(_ variables: [String: CELValue]) throws(CELEvaluationError) -> CELValue {
    try evaluate(CELVariables(variables, references: table))
  }

  /// Evaluates the expression over variables by name, and counts.
  ///
  /// - Returns: The value or the error that it evaluates to, and the steps that it took; the limit where there were not enough.
  public func measure(_ variables: [String: CELValue]) -> (outcome: Result<CELValue, CELEvaluationError>, steps: Int) {
    do throws(CELEvaluationError) {
      return try run(CELVariables(variables, references: table), nil) { root, frame throws(Failure) in
        do throws(Failure) {
          return (.success(try root.value(&frame)), frame.meter.used)
        } catch {
          return (.failure(error), frame.meter.used)
        }
      }
    } catch {
      return (.failure(error), stepLimit)
    }
  }

  @inline(__always)
  private func run<R>(
    _ activation: some CELActivation, _ slots: CELSlots?, _ body: (Node, inout Frame) throws(Failure) -> R
  ) throws(Failure) -> R {
    if localCount > 0 { return try runWithLocals(activation, slots, body) }
    return try run(activation, slots, UnsafeMutableBufferPointer(start: nil, count: 0), body)
  }

  private func runWithLocals<R>(
    _ activation: some CELActivation, _ slots: CELSlots?, _ body: (Node, inout Frame) throws(Failure) -> R
  ) throws(Failure) -> R {
    let locals = UnsafeMutableBufferPointer<CELValue>.allocate(capacity: localCount)
    locals.initialize(repeating: .null)
    defer {
      locals.deinitialize()
      locals.deallocate()
    }
    return try run(activation, slots, locals, body)
  }

  @inline(__always)
  private func run<R>(
    _ activation: some CELActivation, _ slots: CELSlots?, _ locals: UnsafeMutableBufferPointer<CELValue>,
    _ body: (Node, inout Frame) throws(Failure) -> R
  ) throws(Failure) -> R {
    defer { withExtendedLifetime(activation) {} }
    var frame = Frame(
      slots: slots?.slots ?? UnsafeMutableBufferPointer(start: nil, count: 0), activation: activation, locals: locals,
      meter: Meter(limit: stepLimit))
    try frame.meter.spend(cost)
    return try body(root, &frame)
  }
}
