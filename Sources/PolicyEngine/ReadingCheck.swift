internal import CEL
internal import Core

/// What a condition reads of facts and labels, which are open maps when it is evaluated: a misspelt name would only be found then.
///
/// Where a condition uses one of them as a whole (`facts.exists(…)`, `labels[key]`), its names are not known and not checked.
struct ReadingCheck {
  /// What a label of a field or fact says.
  private static let ofValue = ["origin", "trusted", "sensitivity", "endorsement"]
  /// What the label of an argument says.
  private static let ofArgument = ["origin", "trusted", "vouched", "by", "endorsement"]
  /// What is known of a call as a whole.
  private static let ofContext = ["clean", "complete", "disguised", "repeated"]
  /// The kinds of labels.
  private static let groups = ["args", "context", "facts", "payload", "run", "sinks"]

  /// The fields of a run; nil where they are not known.
  let fields: [String]?
  /// The facts that the tools can teach.
  let facts: [String]
  /// The arguments of the tools that the rule is about; nil where they are not known.
  let arguments: [String]?

  /// The names that nothing has, with where they stand.
  func problems(in expression: CELExpression, at position: (Int) -> SourcePosition?) -> [Diagnostic] {
    if let path = expression.anyPath {
      guard path.names.first == "labels" else { return [] }
      return problem(with: path.names).map { kind, name, known in [.unknown(kind, name, known: known, at: position(path.offset))] } ?? []
    }
    return expression.children.flatMap { problems(in: $0, at: position) }
  }

  /// What is wrong with a path into the labels: what kind of name, the name, and those that there are.
  private func problem(with path: [String]) -> (kind: String, name: String, known: [String])? {
    func look(_ kind: String, _ place: Int, _ known: [String]?) -> (String, String, [String])? {
      guard let known, place < path.count, !known.contains(where: { bytesEqual($0, path[place]) }) else { return nil }
      return (kind, path[place], known)
    }
    if let problem = look("kind of label", 1, Self.groups) { return problem }
    guard path.count > 1 else { return nil }
    switch path[1] {
    case "run": return look("field", 2, fields) ?? look("member of a label", 3, Self.ofValue)
    case "facts": return look("fact", 2, facts) ?? look("member of a label", 3, Self.ofValue)
    case "args": return look("argument", 2, arguments) ?? look("member of a label", 3, Self.ofArgument)
    case "context": return look("member of the context", 2, Self.ofContext)
    default: return nil
    }
  }
}

extension CELExpression {
  /// The names of a path of fields, also of one that is only asked whether it is there, and where it begins; nil for anything else.
  fileprivate var anyPath: (names: [String], offset: Int)? {
    switch kind {
    case .identifier(let name, _): ([name], offset)
    case .select(let operand, let field, _), .has(let operand, let field): operand.anyPath.map { ($0.names + [field], $0.offset) }
    default: nil
    }
  }

  /// Whether a name is read, and only member by member.
  func readsMembers(of name: String) -> Bool {
    var (whole, members) = (0, 0)
    forEach { expression in
      switch expression.kind {
      case .identifier(name, _): whole += 1
      case .select(let operand, _, _), .has(let operand, _):
        if case .identifier(name, _) = operand.kind { members += 1 }
      default: break
      }
    }
    return members > 0 && whole == members
  }
}
