/// Whom a rule is about: one principal (`agent:risk-analyst`), all of a kind (`agent:*`), everyone with a role (`role:finance`), or `*`.
public enum PrincipalPattern: Hashable, Sendable, CustomStringConvertible {
  /// The principal with exactly this id.
  case exact(String)
  /// Every principal of a kind.
  case kind(PrincipalKind)
  /// Every principal that has a role.
  case role(String)
  /// Everyone.
  case any

  /// Whether a principal fits.
  public func matches(_ principal: Request.Principal) -> Bool {
    switch self {
    case .exact(let id): id.utf8.elementsEqual(principal.id.utf8)
    case .kind(let kind): principal.kind == kind
    case .role(let role): principal.roles.contains { $0.utf8.elementsEqual(role.utf8) }
    case .any: true
    }
  }

  /// The pattern as it is written.
  public var description: String {
    switch self {
    case .exact(let id): id
    case .kind(let kind): "\(kind.rawValue):*"
    case .role(let role): "role:\(role)"
    case .any: "*"
    }
  }

  /// Reads a pattern; the error is a text for people.
  static func parse(_ text: String) throws(PatternProblem) -> PrincipalPattern {
    if text == "*" { return .any }
    let forms = "write `agent:*`, `agent:<name>`, `user:…`, `system:…`, `role:<name>` or `*`"
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw PatternProblem("`by` needs a kind of principal; \(forms)") }
    let kind = String(text[..<colon])
    let name = String(text[text.utf8.index(after: colon)...])
    guard kind == "role" || PrincipalKind(rawValue: kind) != nil else {
      throw PatternProblem("`\(kind)` is no kind of principal; \(forms)")
    }
    if name == "*" {
      guard let kind = PrincipalKind(rawValue: kind) else { throw PatternProblem("`role:*` says nothing; name the role") }
      return .kind(kind)
    }
    if name.isEmpty || name.utf8.count > 128 { throw PatternProblem("the name after `\(kind):` has 1 to 128 bytes") }
    if let scalar = name.unicodeScalars.first(where: { !isAllowed($0) }) {
      let code = String(scalar.value, radix: 16, uppercase: true)
      throw PatternProblem("the name after `\(kind):` has U+\(code) in it; only A-Z, a-z, 0-9, `_`, `.`, `@` and `-` can be used")
    }
    return kind == "role" ? .role(name) : .exact(text)
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "0"..."9", "_", ".", "-", "@": true
    default: false
    }
  }
}
