/// Who does a step: a role or a person, an agent, or a tool that the engine calls.
public enum Performer: Hashable, Sendable, CustomStringConvertible {
  /// Any person who holds the role.
  case role(String)
  /// One person, by account name.
  case user(String)
  /// One agent that the process declares.
  case agent(String)
  /// A tool step: the engine proposes one call of this tool.
  case tool(String)

  /// Reads `role:compliance`, `user:ana`, `agent:risk-analyst` or `tool:erp.activate_vendor`; `nil` for anything else.
  public init?(parsing text: String) {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let name = String(text[text.utf8.index(after: colon)...])
    guard !name.isEmpty else { return nil }
    switch text[..<colon] {
    case "role": self = .role(name)
    case "user": self = .user(name)
    case "agent": self = .agent(name)
    case "tool": self = .tool(name)
    default: return nil
    }
  }

  /// The name without its kind.
  public var name: String {
    switch self {
    case .role(let name), .user(let name), .agent(let name), .tool(let name): name
    }
  }

  /// True for a role and for one person.
  public var isPerson: Bool {
    switch self {
    case .role, .user: true
    case .agent, .tool: false
    }
  }

  /// Kind and name, such as `role:compliance`; ``init(parsing:)`` reads it back.
  public var description: String {
    switch self {
    case .role(let name): "role:\(name)"
    case .user(let name): "user:\(name)"
    case .agent(let name): "agent:\(name)"
    case .tool(let name): "tool:\(name)"
    }
  }
}
