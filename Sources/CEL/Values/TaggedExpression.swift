public import Core

/// An expression with the values of its variables, as one line of the language's conformance suite writes them:
/// `{"expr": "x + 1", "bindings": {"x": {"int": "1"}}}`.
///
/// The suite's other keys are understood as well: `container`, `type_env`, `disable_check` and `check_only`; what is not known is passed
/// over. A binding may also be wrapped, as the suite does: `{"value": {"int": "1"}}`.
public struct TaggedExpression: Sendable {
  /// What came of it.
  public enum Outcome: Sendable {
    /// Its value, and the type that the checker found for it.
    case value(CELValue, CELType)
    /// Its type, where it is only to be checked.
    case checked(CELType)
    /// Why it has no value.
    case error(String)

    /// The tagged value, the type of what is only checked, or `{"error": message}`.
    public var json: JSON {
      switch self {
      case .value(let value, _): value.tagged
      case .checked(let type): ["type": .string(type.description)]
      case .error(let message): ["error": .string(message)]
      }
    }
  }

  /// The text.
  public let source: String
  /// The variables that have values.
  public let bindings: [String: CELValue]
  /// Whether names and types that do not agree are errors although the operation does not matter to the value.
  ///
  /// By default where variables are declared (`type_env`) and `disable_check` is not set: bindings alone say nothing about types.
  public var isChecked: Bool
  private let isCheckOnly: Bool
  private let container: String
  private let declarations: [JSON]

  /// Reads one line.
  ///
  /// - Throws: ``CELBridgingError`` where there is no `expr`, or a binding is no tagged value.
  public init(json: JSON) throws(CELBridgingError) {
    guard let source = json["expr"]?.stringValue else {
      throw CELBridgingError(message: "an object with `expr`, a text, is needed")
    }
    let given = json["bindings"] ?? .null
    guard let named = given.isNull ? JSONObject() : given.objectValue else {
      throw CELBridgingError(message: "`bindings` is an object of tagged values")
    }
    var bindings: [String: CELValue] = [:]
    for (name, value) in named {
      do throws(CELBridgingError) {
        bindings[name] = try CELValue(tagged: value["value"] ?? value)
      } catch {
        throw CELBridgingError(message: "binding `\(visible(name))`: \(error.message)")
      }
    }
    self.source = source
    self.bindings = bindings
    isCheckOnly = json["check_only"]?.boolValue == true
    isChecked = (json["type_env"] != nil || isCheckOnly) && json["disable_check"]?.boolValue != true
    container = json["container"]?.stringValue ?? ""
    declarations = json["type_env"]?.arrayValue ?? []
  }

  /// Compiles and evaluates the expression; nothing is kept.
  ///
  /// - Parameters:
  ///   - limits: How much it may ask for.
  ///   - timeZone: Finds a time zone by its name.
  /// - Returns: What came of it; a text that does not parse is an error like any other.
  public func evaluate(limits: CELLimits = CELLimits(), timeZone: @escaping @Sendable (String) -> CELTimeZone? = { _ in nil }) -> Outcome {
    do {
      var environment = try environment(limits: limits)
      environment.timeZone = timeZone
      let program = try environment.compile(source)
      return isCheckOnly ? .checked(program.type) : .value(try program.evaluate(bindings), program.type)
    } catch let error as Diagnostics {
      return .error(error.all.map(\.message).joined(separator: "; "))
    } catch {
      return .error("\(error)")
    }
  }

  /// What the expression may name: the variables that have values, and what is declared.
  ///
  /// - Returns: The environment, without time zones.
  /// - Throws: ``CELBridgingError`` for a declaration of a type that is not known here.
  public func environment(limits: CELLimits = CELLimits()) throws(CELBridgingError) -> CELEnvironment {
    var environment = CELEnvironment(limits: limits)
    environment.container = container
    environment.isChecked = isChecked
    for name in bindings.keys { environment.declare(name, .dyn) }
    for declaration in declarations { try Self.declare(declaration, in: &environment) }
    return environment
  }

  private static func declare(_ declaration: JSON, in environment: inout CELEnvironment) throws(CELBridgingError) {
    guard let name = declaration["name"]?.stringValue else { return }
    if let type = declaration["ident"]?["type"] { environment.declare(name, try CELType(tagged: type)) }
    for overload in declaration["function"]?["overloads"]?.arrayValue ?? [] {
      let parameters = try (overload["params"]?.arrayValue ?? []).map { json throws(CELBridgingError) in try CELType(tagged: json) }
      let result: CELType = if let type = overload["result_type"] { try CELType(tagged: type) } else { .dyn }
      environment.declareFunction(name, parameters, returns: result) { _ throws(CELEvaluationError) in
        throw CELEvaluationError(.invalidArgument, "`\(name)` is declared for checking only")
      }
    }
  }
}
