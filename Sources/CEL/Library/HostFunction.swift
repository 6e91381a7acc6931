/// A signature of a function that the host declared, with its body.
struct HostFunction: Sendable {
  let overload: Overload
  let body: @Sendable ([CELValue]) throws(CELEvaluationError) -> CELValue

  /// Whether the values are of the types that the signature wants.
  func accepts(_ arguments: [CELValue]) -> Bool {
    arguments.count == overload.parameters.count && zip(arguments, overload.parameters).allSatisfy { Self.accepts($0, $1) }
  }

  private static func accepts(_ value: CELValue, _ type: CELType) -> Bool {
    switch (value, type) {
    case (_, .dyn), (_, .error), (_, .parameter): true
    case (.list(let elements), .list(let element)): element.isDynamic || elements.allSatisfy { accepts($0, element) }
    case (.map(let map), .map(let key, let value)):
      map.entries.allSatisfy { accepts($0.key.value, key) && accepts($0.value, value) }
    case (.map, .object): true
    case (.optional(let wrapped), .optional(let type)): wrapped.map { accepts($0, type) } ?? true
    default: value.type == type
    }
  }
}
