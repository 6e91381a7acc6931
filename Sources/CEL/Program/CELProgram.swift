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
    var frame = try frame(activation)
    return try root.value(&frame)
  }

  /// Evaluates a condition; faster than ``evaluate(_:)-(CELActivation)``, as no value is made.
  ///
  /// - Throws: The error that the expression evaluates to; `no-such-overload` where its value is not a truth value.
  public func evaluateBool(_ activation: some CELActivation) throws(CELEvaluationError) -> Bool {
    var frame = try frame(activation)
    return try root.bool(&frame)
  }

  /// Evaluates the expression over variables by name; objects are maps with text keys.
  ///
  /// - Throws: The error that the expression evaluates to.
  public func evaluate(_ variables: [String: CELValue]) throws(CELEvaluationError) -> CELValue {
    try evaluate(CELVariables(variables, references: table))
  }

  @inline(__always)
  private func frame(_ activation: some CELActivation) throws(CELEvaluationError) -> Frame {
    var meter = Meter(limit: stepLimit)
    try meter.spend(cost)
    return Frame(
      activation: activation, locals: localCount == 0 ? [] : Array(repeating: .null, count: localCount), meter: meter)
  }
}
