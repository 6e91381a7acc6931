/// One word of the language, with its place in the source.
struct Token {
  enum Kind: Equatable {
    case identifier(String)
    /// A field name between backticks.
    case quoted(String)
    /// The magnitude; the parser applies the sign.
    case int(UInt64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, CaseIterable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBracket = "["
    case rightBracket = "]"
    case leftBrace = "{"
    case rightBrace = "}"
    case dot = "."
    case comma = ","
    case colon = ":"
    case question = "?"
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
    case not = "!"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case and = "&&"
    case or = "||"
  }

  var kind: Kind
  /// In UTF-8 bytes.
  var start: Int
  var end: Int

  /// The token as an error names it.
  ///
  /// Literals are named by their kind.
  var name: String {
    switch kind {
    case .identifier(let name): "`\(name)`"
    case .quoted(let name): "`\(name)`"
    case .int, .uint, .double: "a number"
    case .string: "a string"
    case .bytes: "a byte string"
    case .symbol(let symbol): "`\(symbol.rawValue)`"
    case .end: "the end"
    }
  }
}

/// A place where a text stops being an expression.
struct SyntaxError: Error {
  var code = "cel-syntax"
  var offset: Int
  var message: String
  var hint: String?
}
