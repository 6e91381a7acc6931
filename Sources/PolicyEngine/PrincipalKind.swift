/// The three kinds of principal, as the part of an id before its colon says it: `user:ana`, `agent:risk-analyst`, `system:timer`.
public enum PrincipalKind: String, Hashable, Sendable, CaseIterable {
  /// A person.
  case user
  /// An agent.
  case agent
  /// A component of the service itself.
  case system

  /// The kind that an id names, or nil when the id has no known kind or nothing after the colon.
  public init?(of id: String) {
    let bytes = id.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes.index(after: colon) < bytes.endIndex,
      let kind = PrincipalKind(rawValue: String(id[..<colon]))
    else { return nil }
    self = kind
  }
}
