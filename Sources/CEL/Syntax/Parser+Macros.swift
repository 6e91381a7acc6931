/// The macros: calls that take names and unevaluated expressions.
extension Parser {
  /// `has(e.f)`.
  mutating func expandMacro(_ name: String, _ arguments: [CELExpression], at offset: Int) throws(SyntaxError) -> CELExpression? {
    guard name == "has", arguments.count == 1 else { return nil }
    guard case .select(let operand, let field, let isOptional) = arguments[0].kind, !isOptional else {
      throw SyntaxError(offset: arguments[0].offset, message: "`has` takes a selection", hint: "write `has(x.field)`")
    }
    return try make(.has(operand, field: field), at: arguments[0].offset)
  }

  /// `x.all(e, p)` and the like; nil where the name or the number of arguments is no macro's.
  mutating func expandMemberMacro(
    _ name: String, on target: CELExpression, _ arguments: [CELExpression], at offset: Int
  ) throws(SyntaxError) -> CELExpression? {
    if name == "bind", arguments.count == 3, libraries.contains(.bindings), case .identifier("cel", _) = target.kind {
      let variable = try variableName(arguments[0], of: "cel.bind")
      return try make(.bind(name: variable, value: arguments[1], body: arguments[2]), at: offset)
    }
    guard let macro = Self.memberMacros.first(where: { $0.name == name && $0.arguments == arguments.count && isEnabled($0) }) else {
      return nil
    }
    var variables: [String] = []
    for argument in arguments.prefix(macro.variables) { variables.append(try variableName(argument, of: name)) }
    if variables.count == 2, variables[0] == variables[1] {
      throw SyntaxError(offset: arguments[1].offset, message: "`\(name)` needs two different variable names")
    }
    var rest = Array(arguments.dropFirst(macro.variables))
    let body = macro.form == .filter ? nil : rest.removeLast()
    let comprehension = CELExpression.Comprehension(
      form: macro.form, range: target, variables: variables, filter: rest.first, body: body)
    return try make(.comprehension(comprehension), at: offset)
  }

  private struct MemberMacro {
    let name: String
    let variables: Int
    let arguments: Int
    let form: CELExpression.Comprehension.Form
    let library: CELLibraries
  }

  private func isEnabled(_ macro: MemberMacro) -> Bool { macro.library.isSubset(of: libraries) }

  private static let memberMacros: [MemberMacro] = [
    MemberMacro(name: "all", variables: 1, arguments: 2, form: .all, library: []),
    MemberMacro(name: "exists", variables: 1, arguments: 2, form: .exists, library: []),
    MemberMacro(name: "exists_one", variables: 1, arguments: 2, form: .existsOne, library: []),
    MemberMacro(name: "existsOne", variables: 1, arguments: 2, form: .existsOne, library: []),
    MemberMacro(name: "map", variables: 1, arguments: 2, form: .map, library: []),
    MemberMacro(name: "map", variables: 1, arguments: 3, form: .map, library: []),
    MemberMacro(name: "filter", variables: 1, arguments: 2, form: .filter, library: []),
    MemberMacro(name: "all", variables: 2, arguments: 3, form: .all, library: .twoVariables),
    MemberMacro(name: "exists", variables: 2, arguments: 3, form: .exists, library: .twoVariables),
    MemberMacro(name: "exists_one", variables: 2, arguments: 3, form: .existsOne, library: .twoVariables),
    MemberMacro(name: "existsOne", variables: 2, arguments: 3, form: .existsOne, library: .twoVariables),
    MemberMacro(name: "transformList", variables: 2, arguments: 3, form: .map, library: .twoVariables),
    MemberMacro(name: "transformList", variables: 2, arguments: 4, form: .map, library: .twoVariables),
    MemberMacro(name: "transformMap", variables: 2, arguments: 3, form: .transformMap, library: .twoVariables),
    MemberMacro(name: "transformMap", variables: 2, arguments: 4, form: .transformMap, library: .twoVariables),
    MemberMacro(name: "transformMapEntry", variables: 2, arguments: 3, form: .transformMapEntry, library: .twoVariables),
    MemberMacro(name: "transformMapEntry", variables: 2, arguments: 4, form: .transformMapEntry, library: .twoVariables),
    MemberMacro(name: "optMap", variables: 1, arguments: 2, form: .optMap, library: .optionals),
    MemberMacro(name: "optFlatMap", variables: 1, arguments: 2, form: .optFlatMap, library: .optionals),
  ]

  /// The names of the macros, for the nearest name of an unknown function.
  static let macroNames: [String] = ["has"] + memberMacros.map(\.name)

  private func variableName(_ argument: CELExpression, of macro: String) throws(SyntaxError) -> String {
    guard case .identifier(let name, isAbsolute: false) = argument.kind else {
      throw SyntaxError(
        offset: argument.offset, message: "`\(macro)` takes the name of a variable first", hint: "write `list.\(macro)(item, …)`")
    }
    return name
  }
}
