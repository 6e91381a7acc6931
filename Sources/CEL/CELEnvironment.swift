public import Core

/// What expressions may name, and the limits on them: variables, the fields of objects, and functions.
///
/// Programs that are compiled with copies of one environment share its reference table.
public struct CELEnvironment: Sendable {
  /// The namespace in which names are looked up first: in `a.b`, `x` means `a.b.x`, else `a.x`, else `x`.
  public var container = ""
  /// How much an expression may ask for.
  public var limits: CELLimits
  /// Whether unknown names and types that do not agree are errors when an expression is compiled.
  ///
  /// Where false they are errors when it is evaluated, and only if the operation matters to the value. Text that does not parse is
  /// an error either way.
  public var isChecked = true
  /// Finds a time zone by its name, for `getHours('Europe/Berlin')`.
  ///
  /// Finds none unless set: fixed offsets and `UTC` need no data, and what is read from the machine can change between an
  /// evaluation and its replay.
  public var timeZone: @Sendable (_ name: String) -> CELTimeZone? = { _ in nil }
  /// The references of all programs that are compiled with this environment and its copies.
  public let references: CELReferenceTable

  let libraries: CELLibraries
  private(set) var variables: [String: CELType] = [:]
  private(set) var objects: [String: [(name: String, type: CELType)]] = [:]
  private(set) var functions: [String: Function]
  private var hostFunctions: [String: [HostFunction]] = [:]

  /// Makes an environment with the standard functions and no variables.
  ///
  /// - Parameters:
  ///   - libraries: The parts of the language beyond its standard definitions.
  ///   - limits: How much an expression may ask for.
  ///   - references: A table to share with other environments, so that one activation serves the programs of all.
  public init(libraries: CELLibraries = .all, limits: CELLimits = CELLimits(), references: CELReferenceTable = CELReferenceTable()) {
    self.libraries = libraries
    self.limits = limits
    self.references = references
    functions = StandardLibrary.functions(libraries)
  }

  /// Declares a variable.
  ///
  /// The name may have dots; a later declaration replaces an earlier one.
  public mutating func declare(_ name: String, _ type: CELType) { variables[name] = type }

  /// Declares a type of objects by its fields.
  ///
  /// Any other field of such an object is an error when an expression is compiled.
  public mutating func declareObject(_ name: String, fields: [(String, CELType)]) {
    objects[name] = fields.map { (name: $0.0, type: $0.1) }
  }

  /// Declares a function, or another signature of one; a standard function of the name is replaced.
  ///
  /// - Parameters:
  ///   - name: The name by which it is called; it may have dots.
  ///   - parameters: The types of the arguments. ``CELType/parameter(_:)`` stands for any one type.
  ///   - result: The type of the value.
  ///   - isMember: Whether it is called on its first argument: `x.f(y)`.
  ///   - body: Computes the value, from as many arguments as there are parameters, of these types. It must answer the same for
  ///     the same arguments, and its errors should show no values.
  public mutating func declareFunction(
    _ name: String, _ parameters: [CELType], returns result: CELType, isMember: Bool = false,
    body: @escaping @Sendable ([CELValue]) throws(CELEvaluationError) -> CELValue
  ) {
    hostFunctions[name, default: []].append(HostFunction(overload: Overload(parameters, result, isMember: isMember), body: body))
    let all = hostFunctions[name] ?? []
    functions[name] = Function(
      name, all.map(\.overload),
      .any { arguments, _ throws(Failure) in
        guard let function = all.first(where: { $0.accepts(arguments) }) else {
          throw Failure(.noSuchOverload, "`\(name)` cannot be applied to values of these types")
        }
        return try function.body(arguments)
      })
  }

  /// Parses, checks and compiles an expression.
  ///
  /// - Parameters:
  ///   - source: The text.
  ///   - expecting: The type that its value must have, if any will not do.
  ///   - position: Where in the user's file a byte offset of the text is. Without it, positions are within the text.
  /// - Returns: A program that can be evaluated any number of times.
  /// - Throws: Every problem that was found, with its place; at most one where the text does not parse.
  /// - Complexity: O(n) for n bytes, times the number of overloads of the functions it calls.
  public func compile(
    _ source: String, expecting: CELType? = nil, position: ((_ utf8Offset: Int) -> SourcePosition)? = nil
  ) throws(Diagnostics) -> CELProgram {
    let place = position ?? { SourcePosition(of: $0, in: source.utf8) }
    let expression: CELExpression
    do throws(SyntaxError) {
      expression = try Parser.parse(source, limits: limits, libraries: libraries)
    } catch {
      throw Diagnostics([Diagnostic(error.code, at: place(error.offset), error.message, hint: error.hint)])
    }
    return try compile(expression, of: source, expecting: expecting, position: place)
  }

  /// Checks and compiles an expression that was parsed already, or a part of one.
  ///
  /// - Parameters:
  ///   - expression: The expression. As a part of another it must not name the local variables of a macro around it.
  ///   - source: The text of which it is the whole or a part.
  ///   - expecting: The type that its value must have, if any will not do.
  ///   - position: Where in the user's file a byte offset of the text is. Without it, positions are within the text.
  /// - Throws: Every problem that was found, with its place.
  /// - Returns: A program; its errors have offsets in the whole text.
  public func compile(
    _ expression: CELExpression, of source: String, expecting: CELType? = nil, position: ((_ utf8Offset: Int) -> SourcePosition)? = nil
  ) throws(Diagnostics) -> CELProgram {
    let place = position ?? { SourcePosition(of: $0, in: source.utf8) }
    var checker = Checker(self, place)
    let type = checker.check(root: expression, expecting: expecting)
    if !checker.problems.isEmpty { throw Diagnostics(checker.problems) }
    var compiler = Compiler(self, checker.result, place)
    let root = compiler.node(expression)
    if !compiler.problems.isEmpty { throw Diagnostics(compiler.problems) }
    return CELProgram(
      source: source, type: type, references: compiler.references, expression: expression, root: root,
      localCount: checker.result.localCount,
      cost: compiler.cost, stepLimit: limits.steps, table: references)
  }

  /// Parses an expression without checking it.
  ///
  /// - Throws: The first place at which the text stops being an expression.
  public func parse(_ source: String, position: ((_ utf8Offset: Int) -> SourcePosition)? = nil) throws(Diagnostics) -> CELExpression {
    do throws(SyntaxError) {
      return try Parser.parse(source, limits: limits, libraries: libraries)
    } catch {
      let place = position?(error.offset) ?? SourcePosition(of: error.offset, in: source.utf8)
      throw Diagnostics([Diagnostic(error.code, at: place, error.message, hint: error.hint)])
    }
  }

  /// The fields of a declared object, or nil where there is none of that name.
  func fields(of object: String) -> [(name: String, type: CELType)]? { objects[object] }

  /// The full names that a name may stand for, best first.
  func candidates(_ name: String, isAbsolute: Bool) -> [String] {
    if isAbsolute || container.isEmpty { return [name] }
    var names: [String] = []
    var prefix = container[...]
    while true {
      names.append("\(prefix).\(name)")
      guard let dot = prefix.lastIndex(of: ".") else { break }
      prefix = prefix[..<dot]
    }
    return names + [name]
  }
}
