internal import CEL
internal import Core

/// Variables of an expression that are JSON: only what the expression reads is converted.
final class JSONValues: CELActivation {
  private let references: CELReferenceTable
  private let variables: [(name: String, value: JSON)]

  init(_ variables: [(name: String, value: JSON)], references: CELReferenceTable) {
    self.variables = variables
    self.references = references
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    let reference = references[slot]
    guard var value = variables.first(where: { $0.name == reference.variable })?.value else { return nil }
    for field in reference.fields {
      guard let next = value[field] else { return nil }
      value = next
    }
    do throws(CELBridgingError) {
      return try CELValue(json: value, as: reference.type)
    } catch {
      throw CELEvaluationError(.invalidArgument, error.message)
    }
  }
}
