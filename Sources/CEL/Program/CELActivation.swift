/// What an evaluation reads values from.
///
/// It is a class, so that it can keep what it has looked up: an evaluation asks once for each time that the expression names
/// the reference. One activation serves one thread at a time.
public protocol CELActivation: AnyObject {
  /// The value in a slot of the environment's reference table.
  ///
  /// - Returns: The value, of the reference's declared type; nil where there is none, so that `has()` is false and reading is an error.
  /// - Throws: An error to report instead, such as ``CELEvaluationError/Code/unknown``.
  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue?
}

/// An activation over variables by name; objects are maps with text keys.
public final class CELVariables: CELActivation {
  private let references: CELReferenceTable
  private let variables: [String: CELValue]

  /// Makes an activation for programs that were compiled with the table.
  public init(_ variables: [String: CELValue], references: CELReferenceTable) {
    self.variables = variables
    self.references = references
  }

  /// The value in a slot, found by walking its path.
  public func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    let reference = references[slot]
    guard var value = variables[reference.variable] else { return nil }
    for field in reference.fields {
      guard let next = try selectField(field, of: value) else { return nil }
      value = next
    }
    return value
  }
}

/// An activation without values, for constants.
final class NoVariables: CELActivation {
  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? { nil }
}
