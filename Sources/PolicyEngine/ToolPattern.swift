/// Which tools a rule is about: one by its exact name, all that begin with a prefix (`erp.*`), or all (`*`).
public enum ToolPattern: Hashable, Sendable, CustomStringConvertible {
  /// The tool with exactly this name.
  case exact(String)
  /// The tools whose names begin with this text, which ends with a dot; `erp.` for `erp.*`.
  case prefix(String)
  /// Every tool.
  case any

  /// Whether a tool's name fits, byte for byte.
  public func matches(_ name: String) -> Bool {
    switch self {
    case .exact(let own): own.utf8.elementsEqual(name.utf8)
    case .prefix(let prefix): name.utf8.count > prefix.utf8.count && name.utf8.starts(with: prefix.utf8)
    case .any: true
    }
  }

  /// The pattern as it is written.
  public var description: String {
    switch self {
    case .exact(let name): name
    case .prefix(let prefix): prefix + "*"
    case .any: "*"
    }
  }

  /// Reads a pattern; the error is a text for people.
  static func parse(_ text: String) throws(PatternProblem) -> ToolPattern {
    if text == "*" { return .any }
    if text.utf8.last == UInt8(ascii: "*") {
      let prefix = String(text.dropLast())
      guard prefix.utf8.last == UInt8(ascii: "."), prefix.utf8.count > 1 else {
        throw PatternProblem("`*` stands alone or after a dot, as in `erp.*`")
      }
      if let problem = ToolName.problem(with: prefix) { throw PatternProblem(problem) }
      return .prefix(prefix)
    }
    if let problem = ToolName.problem(with: text) { throw PatternProblem(problem) }
    return .exact(text)
  }
}

/// Why a pattern in a rule cannot be read, for people.
struct PatternProblem: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
