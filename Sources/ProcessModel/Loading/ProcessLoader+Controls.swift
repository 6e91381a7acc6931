internal import CEL
internal import Core

extension ProcessLoader {
  private static let controlKeys = ["id", "statement", "clause", "before", "when", "require"]
  /// Words that an approval's `not` may use besides principals.
  static let exclusions = ["requester", "proposer", "agent-owner", "preparer"]

  func loadControls(_ reader: ObjectReader, documents: [String]) -> [Control] {
    (reader.list("controls") ?? []).compactMap { loadControl($0, documents: documents) }
  }

  private func loadControl(_ item: PositionedJSON, documents: [String]) -> Control? {
    guard let reader = ObjectReader(item, "a control", keys: Self.controlKeys, sink), let id = reader.identifier("id") else { return nil }
    let isFirst = declare("control", id, at: reader["id"]?.position ?? item.position)
    let statement = reader.text("statement", isRequired: true)
    let clause = reader.text("clause")
    if let clause, let value = reader["clause"] { checkClause(clause, value, documents: documents) }
    let before = target(reader)
    var when: Condition?
    if let value = reader["when"] {
      when = condition(value, expecting: .bool)
      if let when, ReachabilityAnalysis(loader: self).outcome(of: when) == .never {
        sink.error("idle-control", at: value.position, "control `\(id)` never applies: `\(when.source)` is never true")
      }
    }
    guard let approval = approval(reader, control: id), let statement, let before, isFirst else { return nil }
    if reader.has("when"), when == nil { return nil }
    return Control(id: id, statement: statement, clause: clause, before: before, when: when, approval: approval)
  }

  private func target(_ reader: ObjectReader) -> Control.Target? {
    guard let text = reader.text("before", isRequired: true), let value = reader["before"] else { return nil }
    switch Performer(parsing: text) {
    case .tool(let name):
      if isPlainName(name), tools.contains(where: { $0.name == name }) { return .tool(name) }
      if !isPlainName(name) || declared["tool \(name)"] == nil {
        sink.unknown("tool", name, known: tools.map(\.name), at: value.position(inString: 5))
      }
    default:
      guard text.hasPrefix("step:") else {
        sink.error(
          "bad-target", at: value.position, "`before` must be a tool or a step, not `\(visible(text))`",
          hint: "write \"tool:erp.activate\" or \"step:activate\"")
        return nil
      }
      let name = String(text.dropFirst(5))
      if isPlainName(name), stepIDs.contains(name) { return .step(name) }
      sink.unknown("step", name, known: stepIDs.sorted(), at: value.position(inString: 5))
    }
    return nil
  }

  private func approval(_ reader: ObjectReader, control: String) -> Control.Approval? {
    guard let require = reader.required("require"),
      let outer = ObjectReader(require, "`require` of control `\(control)`", keys: ["approval"], sink),
      let inner = outer.required("approval"),
      let approval = ObjectReader(inner, "`approval` of control `\(control)`", keys: ["roles", "count", "not", "signed"], sink)
    else { return nil }
    let roles = approval.texts("roles").map { text, value in
      checkRole(text, at: value.position)
      return text
    }
    guard approval.required("roles") != nil else { return nil }
    if roles.isEmpty { sink.error("empty-list", at: approval["roles"]?.position, "`roles` of control `\(control)` names no role") }
    let count = approval.count("count", 1...100) ?? 1
    if let members = context.roles, roles.allSatisfy({ members[$0] != nil }) {
      let most = roles.reduce(0) { $0 + (members[$1] ?? 0) }
      if most < count, most > 0 {
        sink.error(
          "unsatisfiable-control", at: approval["count"]?.position ?? inner.position,
          "control `\(control)` needs \(count) people, and \(roles.map { "`\($0)`" }.joined(separator: ", ")) has \(most)")
      }
    }
    let not = approval.texts("not").compactMap { text, value -> String? in
      if Self.exclusions.contains(text) || Performer(parsing: text)?.isPerson == true { return text }
      if text.hasPrefix("step:") {
        let name = String(text.dropFirst(5))
        if isPlainName(name), stepIDs.contains(name) { return text }
        sink.unknown("step", name, known: stepIDs.sorted(), at: value.position(inString: 5))
        return nil
      }
      sink.unknown("exclusion", text, known: Self.exclusions, at: value.position)
      return nil
    }
    return Control.Approval(roles: roles, count: count, not: not, isSigned: approval.flag("signed") ?? false)
  }

  /// Reports a clause of a document that is not the process's own, or that the document does not have.
  func checkClause(_ clause: String, _ value: PositionedJSON, documents: [String]) {
    let parts = clause.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      return sink.error(
        "bad-clause", at: value.position, "`\(visible(clause))` is not a clause",
        hint: "write document and heading, as in \"policy.md#3.2\"")
    }
    guard documents.contains(where: { bytesEqual($0, parts[0]) }) else {
      if hasKnownKeys || !documents.isEmpty { sink.unknown("document", parts[0], known: documents, at: value.position) }
      return
    }
    guard let clauses = context.documents?[parts[0]], !clauses.contains(where: { bytesEqual($0, parts[1]) }) else { return }
    sink.unknown("clause", parts[1], known: clauses, at: value.position(inString: parts[0].utf8.count + 1))
  }
}
