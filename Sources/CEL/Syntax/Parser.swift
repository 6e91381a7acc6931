internal import Core

/// A recursive-descent parser with a bound on its depth; macros are expanded as they are met.
///
/// - SeeAlso: the grammar in the language definition, https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
struct Parser {
  var lexer: Lexer
  var token: Token
  let limits: CELLimits
  let libraries: CELLibraries
  var lastID = 0
  var nesting = 0

  /// Parses a whole source.
  ///
  /// - Throws: The first place at which the text stops being an expression, or the limit that it passes.
  static func parse(_ source: String, limits: CELLimits, libraries: CELLibraries) throws(SyntaxError) -> CELExpression {
    let bytes = Array(source.utf8)
    guard bytes.count <= limits.sourceBytes else {
      throw SyntaxError(code: "cel-limit", offset: 0, message: "the expression is longer than \(limits.sourceBytes) bytes")
    }
    var lexer = Lexer(bytes)
    let first = try lexer.next()
    var parser = Parser(lexer: lexer, token: first, limits: limits, libraries: libraries)
    if case .end = first.kind { throw SyntaxError(offset: 0, message: "the expression is empty") }
    let expression = try parser.expression()
    guard case .end = parser.token.kind else { throw parser.unexpected("an operator or the end") }
    return expression
  }

  // MARK: - Tokens

  mutating func advance() throws(SyntaxError) { token = try lexer.next() }

  func sees(_ symbol: Token.Symbol) -> Bool { token.kind == .symbol(symbol) }

  mutating func take(_ symbol: Token.Symbol) throws(SyntaxError) -> Bool {
    guard sees(symbol) else { return false }
    try advance()
    return true
  }

  mutating func expect(_ symbol: Token.Symbol, _ purpose: String) throws(SyntaxError) {
    if try !take(symbol) { throw unexpected("`\(symbol.rawValue)` \(purpose)") }
  }

  func unexpected(_ wanted: String) -> SyntaxError {
    let hint: String? =
      switch token.kind {
      case .identifier("and"), .identifier("AND"): "write `&&` for and"
      case .identifier("or"), .identifier("OR"): "write `||` for or"
      case .identifier("not"), .identifier("NOT"): "write `!` for not"
      default: nil
      }
    return SyntaxError(offset: token.start, message: "expected \(wanted), found \(token.name)", hint: hint)
  }

  // MARK: - Nodes

  mutating func make(_ kind: CELExpression.Kind, at offset: Int) throws(SyntaxError) -> CELExpression {
    lastID += 1
    let children = CELExpression(id: 0, offset: 0, kind: kind, depth: 0).children
    let depth = 1 + (children.map(\.depth).max() ?? 0)
    if depth > limits.depth { throw tooDeep(offset) }
    return CELExpression(id: lastID, offset: offset, kind: kind, depth: depth)
  }

  mutating func call(_ name: String, _ arguments: [CELExpression], at offset: Int) throws(SyntaxError) -> CELExpression {
    try make(.call(name, target: nil, arguments: arguments), at: offset)
  }

  private func tooDeep(_ offset: Int) -> SyntaxError {
    SyntaxError(code: "cel-limit", offset: offset, message: "the expression is nested deeper than \(limits.depth) levels")
  }

  // MARK: - Grammar

  /// A whole expression: `Expr = ConditionalOr ["?" ConditionalOr ":" Expr]`.
  mutating func expression() throws(SyntaxError) -> CELExpression {
    nesting += 1
    defer { nesting -= 1 }
    if nesting > limits.depth { throw tooDeep(token.start) }
    let condition = try chain(.or)
    let offset = token.start
    guard try take(.question) else { return condition }
    let yes = try chain(.or)
    try expect(.colon, "and the other value of `?`")
    let no = try expression()
    return try call("_?_:_", [condition, yes, no], at: offset)
  }

  /// A chain of `||`, or of `&&`, as one node.
  private mutating func chain(_ symbol: Token.Symbol) throws(SyntaxError) -> CELExpression {
    func operand(_ parser: inout Parser) throws(SyntaxError) -> CELExpression {
      symbol == .or ? try parser.chain(.and) : try parser.relation()
    }
    var operands = [try operand(&self)]
    let offset = token.start
    while try take(symbol) { operands.append(try operand(&self)) }
    return operands.count == 1 ? operands[0] : try call(symbol == .or ? "_||_" : "_&&_", operands, at: offset)
  }

  private static let relations: [Token.Symbol: String] = [
    .less: "_<_", .lessOrEqual: "_<=_", .greater: "_>_", .greaterOrEqual: "_>=_", .equal: "_==_", .notEqual: "_!=_",
  ]

  private mutating func relation() throws(SyntaxError) -> CELExpression {
    var left = try sum()
    while true {
      let offset = token.start
      let name: String
      if case .symbol(let symbol) = token.kind, let operation = Self.relations[symbol] {
        name = operation
      } else if token.kind == .identifier("in") {
        name = "@in"
      } else {
        return left
      }
      try advance()
      left = try call(name, [left, try sum()], at: offset)
    }
  }

  private mutating func sum() throws(SyntaxError) -> CELExpression {
    var left = try product()
    while sees(.plus) || sees(.minus) {
      let (name, offset) = (sees(.plus) ? "_+_" : "_-_", token.start)
      try advance()
      left = try call(name, [left, try product()], at: offset)
    }
    return left
  }

  private mutating func product() throws(SyntaxError) -> CELExpression {
    var left = try unary()
    while sees(.star) || sees(.slash) || sees(.percent) {
      let (name, offset) = (sees(.star) ? "_*_" : sees(.slash) ? "_/_" : "_%_", token.start)
      try advance()
      left = try call(name, [left, try unary()], at: offset)
    }
    return left
  }

  private mutating func unary() throws(SyntaxError) -> CELExpression {
    let offset = token.start
    if sees(.not) || sees(.minus) {
      let isNot = sees(.not)
      try advance()
      if !isNot, let literal = try negativeLiteral(at: offset) { return try member(of: literal) }
      nesting += 1
      defer { nesting -= 1 }
      if nesting > limits.depth { throw tooDeep(offset) }
      return try call(isNot ? "!_" : "-_", [try unary()], at: offset)
    }
    return try member(of: try primary())
  }

  /// A number right after a minus is one literal, so that the least integer can be written.
  private mutating func negativeLiteral(at offset: Int) throws(SyntaxError) -> CELExpression? {
    switch token.kind {
    case .int(let magnitude):
      guard magnitude <= UInt64(Int64.max) + 1 else { throw tooLarge() }
      try advance()
      return try make(.literal(.int(Int64(truncatingIfNeeded: 0 &- magnitude))), at: offset)
    case .double(let value):
      try advance()
      return try make(.literal(.double(-value)), at: offset)
    default: return nil
    }
  }

  private func tooLarge() -> SyntaxError {
    SyntaxError(offset: token.start, message: "the integer does not fit in 64 bits with a sign", hint: "append `u` for an unsigned integer")
  }

  /// Selections, calls and indices after an operand.
  private mutating func member(of operand: CELExpression) throws(SyntaxError) -> CELExpression {
    var operand = operand
    while true {
      let offset = token.start
      if try take(.dot) {
        let isOptional = try takeOptionalMark()
        let nameOffset = token.start
        let isQuoted: Bool
        let name: String
        switch token.kind {
        case .identifier(let word) where !Self.keywords.contains(word): (name, isQuoted) = (word, false)
        case .quoted(let word): (name, isQuoted) = (word, true)
        default: throw unexpected("a field or function name after `.`")
        }
        try advance()
        if !isQuoted, !isOptional, sees(.leftParenthesis) {
          operand = try memberCall(name, on: operand, at: nameOffset)
        } else {
          operand = try make(.select(operand, field: name, isOptional: isOptional), at: nameOffset)
        }
      } else if try take(.leftBracket) {
        let isOptional = try takeOptionalMark()
        let index = try expression()
        try expect(.rightBracket, "after the index")
        operand = try call(isOptional ? "_[?_]" : "_[_]", [operand, index], at: offset)
      } else if sees(.leftBrace), let name = Self.messageName(operand) {
        throw SyntaxError(
          offset: offset, message: "objects such as `\(name)` cannot be made in an expression", hint: "write a map: `{'field': value}`")
      } else {
        return operand
      }
    }
  }

  private mutating func takeOptionalMark() throws(SyntaxError) -> Bool {
    guard libraries.contains(.optionals) else { return false }
    return try take(.question)
  }

  private static func messageName(_ operand: CELExpression) -> String? {
    switch operand.kind {
    case .identifier(let name, _): name
    case .select(let inner, let field, false): messageName(inner).map { "\($0).\(field)" }
    default: nil
    }
  }

  private mutating func memberCall(_ name: String, on target: CELExpression, at offset: Int) throws(SyntaxError) -> CELExpression {
    let arguments = try callArguments()
    if let expanded = try expandMemberMacro(name, on: target, arguments, at: offset) { return expanded }
    return try make(.call(name, target: target, arguments: arguments), at: offset)
  }

  private mutating func callArguments() throws(SyntaxError) -> [CELExpression] {
    try expect(.leftParenthesis, "before the arguments")
    var arguments: [CELExpression] = []
    if try take(.rightParenthesis) { return arguments }
    repeat { arguments.append(try expression()) } while try take(.comma)
    try expect(.rightParenthesis, "after the arguments")
    return arguments
  }

  static let keywords: Set<String> = ["in", "true", "false", "null"]
  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
    "void", "while",
  ]

  private mutating func primary() throws(SyntaxError) -> CELExpression {
    switch token.kind {
    case .int(let magnitude):
      guard let value = Int64(exactly: magnitude) else { throw tooLarge() }
      return try constant(.int(value))
    case .uint(let value): return try constant(.uint(value))
    case .double(let value): return try constant(.double(value))
    case .string(let value): return try constant(.string(value))
    case .bytes(let value): return try constant(.bytes(value))
    case .identifier("true"): return try constant(.bool(true))
    case .identifier("false"): return try constant(.bool(false))
    case .identifier("null"): return try constant(.null)
    case .identifier: return try name(isAbsolute: false)
    case .symbol(.dot):
      try advance()
      return try name(isAbsolute: true)
    case .symbol(.leftParenthesis):
      try advance()
      let inner = try expression()
      try expect(.rightParenthesis, "to close the parenthesis")
      return inner
    case .symbol(.leftBracket): return try list()
    case .symbol(.leftBrace): return try map()
    default: throw unexpected("a value")
    }
  }

  private mutating func constant(_ value: CELValue) throws(SyntaxError) -> CELExpression {
    let offset = token.start
    try advance()
    return try make(.literal(value), at: offset)
  }

  private mutating func name(isAbsolute: Bool) throws(SyntaxError) -> CELExpression {
    guard case .identifier(let name) = token.kind, !Self.keywords.contains(name) else { throw unexpected("a name") }
    let offset = token.start
    if Self.reserved.contains(name) {
      throw SyntaxError(offset: offset, message: "`\(name)` is a reserved word")
    }
    try advance()
    guard sees(.leftParenthesis) else { return try make(.identifier(name, isAbsolute: isAbsolute), at: offset) }
    let arguments = try callArguments()
    if !isAbsolute, let expanded = try expandMacro(name, arguments, at: offset) { return expanded }
    return try make(.call(isAbsolute ? ".\(name)" : name, target: nil, arguments: arguments), at: offset)
  }

  private mutating func list() throws(SyntaxError) -> CELExpression {
    let offset = token.start
    try advance()
    var elements: [CELExpression] = []
    var optional: Set<Int> = []
    while !sees(.rightBracket) {
      if try takeOptionalMark() { optional.insert(elements.count) }
      elements.append(try expression())
      if try !take(.comma) { break }
    }
    try expect(.rightBracket, "after the elements")
    return try make(.list(elements, optional: optional), at: offset)
  }

  private mutating func map() throws(SyntaxError) -> CELExpression {
    let offset = token.start
    try advance()
    var entries: [CELExpression.Entry] = []
    while !sees(.rightBrace) {
      let isOptional = try takeOptionalMark()
      let key = try expression()
      try expect(.colon, "between key and value")
      entries.append(CELExpression.Entry(key: key, value: try expression(), isOptional: isOptional))
      if try !take(.comma) { break }
    }
    try expect(.rightBrace, "after the entries")
    return try make(.map(entries), at: offset)
  }
}
