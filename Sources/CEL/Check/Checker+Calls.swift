internal import Core

/// Calls: which function is meant, and which of its signatures.
extension Checker {
  mutating func infer(call name: String, _ target: CELExpression?, _ arguments: [CELExpression], _ expression: CELExpression) -> CELType {
    if name == "_&&_" || name == "_||_" {
      for argument in arguments { require(.bool, argument) }
      return .bool
    }
    if name == "_?_:_", arguments.count == 3 { return inferConditional(arguments, expression) }
    if let target, let function = namespacedFunction(name, target) {
      result.functions[expression.id] = function
      return infer(function, arguments.map { check($0) }, isMember: false, arguments, expression)
    }
    let function = function(name, isMember: target != nil)
    if function == nil, Parser.macroNames.contains(name) {
      // The arguments name variables that nothing declares, so only the call itself is to blame.
      report(unknownFunction(name, isMember: target != nil, at: expression.offset))
      return unknown
    }
    let all = (target.map { [$0] } ?? []) + arguments
    let types = all.map { check($0) }
    guard let function else {
      report(unknownFunction(name, isMember: target != nil, at: expression.offset))
      return unknown
    }
    result.functions[expression.id] = function
    return infer(function, types, isMember: target != nil, all, expression)
  }

  private mutating func inferConditional(_ arguments: [CELExpression], _ expression: CELExpression) -> CELType {
    require(.bool, arguments[0])
    let (yes, no) = (check(arguments[1]), check(arguments[2]))
    if let joined = substitution.join(yes, no) { return joined }
    report(
      "cel-type", expression.offset, "the two values of `?` are of different types, `\(shown(yes))` and `\(shown(no))`",
      hint: "wrap one in `dyn(…)` if that is meant")
    return .dyn
  }

  /// `math.abs` where the target is the name of a namespace, not of a variable.
  private func namespacedFunction(_ name: String, _ target: CELExpression) -> Function? {
    guard let (root, space, isAbsolute) = Self.qualifiedName(target), !isLocal(root) else { return nil }
    for candidate in environment.candidates("\(space).\(name)", isAbsolute: isAbsolute) {
      if let function = environment.functions[candidate] { return function }
    }
    return nil
  }

  private func function(_ name: String, isMember: Bool) -> Function? {
    let isAbsolute = name.utf8.first == UInt8(ascii: ".")
    let plain = isAbsolute ? String(name.dropFirst()) : name
    for candidate in isMember ? [plain] : environment.candidates(plain, isAbsolute: isAbsolute) {
      if let function = environment.functions[candidate], function.overloads.contains(where: { $0.isMember == isMember }) {
        return function
      }
    }
    return nil
  }

  private func unknownFunction(_ name: String, isMember: Bool, at offset: Int) -> Diagnostic {
    if let other = environment.functions[name] {
      let isOperator = name.utf8.first == UInt8(ascii: "_")
      let hint = isMember ? "write `\(name)(x)`" : "write `x.\(name)(…)`"
      if !isOperator, !other.overloads.isEmpty {
        return Diagnostic("unknown-function", at: place(offset), "`\(name)` is not called that way", hint: hint)
      }
    }
    if Parser.macroNames.contains(name) {
      return Diagnostic(
        "unknown-function", at: place(offset), "`\(name)` does not take these arguments",
        hint: name == "has" ? "write `has(x.field)`" : "write `list.\(name)(item, …)`")
    }
    let known = environment.functions.values.filter { function in
      function.overloads.contains { $0.isMember == isMember } && isNameStart(function.name.utf8.first ?? 0)
        && function.name.utf8.first != UInt8(ascii: "_")
    }
    var problem = Diagnostic.unknown("function", name, known: known.map(\.name) + Parser.macroNames, at: place(offset))
    if problem.hint?.utf8.starts(with: "known here".utf8) == true { problem.hint = nil }  // there are too many for a list to help
    return problem
  }

  /// Finds the signatures that the arguments fit.
  ///
  /// With arguments of type `dyn` several may; the result is then `dyn` where they differ in it.
  private mutating func infer(
    _ function: Function, _ types: [CELType], isMember: Bool, _ arguments: [CELExpression], _ expression: CELExpression
  ) -> CELType {
    var found: CELType?
    let types = types.map { if case .parameter = substitution.resolve($0) { CELType.dyn } else { $0 } }
    for overload in function.overloads where overload.isMember == isMember && overload.parameters.count == types.count {
      let (parameters, result) = substitution.instantiate(overload)
      guard substitution.assign(types, to: parameters) else { continue }
      let resolved = substitution.resolve(result)
      if let known = found, !known.isDynamic, resolved != known {
        found = .dyn
      } else if found == nil {
        found = resolved
      }
    }
    if let found { return found }
    report(noOverload(function, types, isMember: isMember, arguments, expression))
    return unknown
  }

  private func noOverload(
    _ function: Function, _ types: [CELType], isMember: Bool, _ arguments: [CELExpression], _ expression: CELExpression
  ) -> Diagnostic {
    let counts = Set(function.overloads.filter { $0.isMember == isMember }.map { $0.parameters.count - (isMember ? 1 : 0) }).sorted()
    let given = types.count - (isMember ? 1 : 0)
    if !counts.contains(given) {
      let wanted = counts.map(String.init).joined(separator: " or ")
      return Diagnostic(
        "cel-arguments", at: place(expression.offset),
        "`\(displayName(function.name))` takes \(wanted) argument\(wanted == "1" ? "" : "s"), found \(given)")
    }
    let listed = types.map { "`\(shown($0))`" }.joined(separator: " and ")
    return Diagnostic(
      "cel-no-overload", at: place(expression.offset), "`\(displayName(function.name))` cannot be applied to \(listed)",
      hint: numberHint(types, arguments) ?? nullHint(types, arguments))
  }

  /// Numbers of different types do not mix; a literal is easily written as the other type.
  private func numberHint(_ types: [CELType], _ arguments: [CELExpression]) -> String? {
    guard types.count == 2 else { return nil }
    for (index, argument) in arguments.enumerated() {
      guard case .literal(let literal) = argument.kind else { continue }
      switch (literal, shown(types[1 - index])) {
      case (.int(let value), .double): return "write `\(value).0`"
      case (.int(let value), .uint) where value >= 0: return "write `\(value)u`"
      case (.double(let value), .int):
        if let whole = Int64(exactly: value) { return "write `\(whole)`" }
        return "convert the other side: `double(…)`"
      default: continue
      }
    }
    let numbers: Set<CELType> = [.int, .uint, .double]
    let shownTypes = types.map { shown($0) }
    return shownTypes.allSatisfy(numbers.contains) && shownTypes[0] != shownTypes[1] ? "convert one side: `double(…)` or `int(…)`" : nil
  }

  private func nullHint(_ types: [CELType], _ arguments: [CELExpression]) -> String? {
    guard types.count == 2, let null = types.firstIndex(of: .null) else { return nil }
    guard let (_, name, _) = Self.qualifiedName(arguments[1 - null]), name.utf8.contains(UInt8(ascii: ".")) else { return nil }
    return "ask whether there is a value with `has(\(name))`"
  }
}
