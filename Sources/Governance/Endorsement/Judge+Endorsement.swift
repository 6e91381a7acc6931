internal import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel

extension Judge {
  /// Refuses what makes no sense about an endorsement, before anybody is asked.
  func checkEndorsement(_ tool: BuiltinTool) throws(Refusal) {
    switch tool {
    case .endorse: try checkEndorsing()
    case .withdrawEndorsement:
      let entry = proposal.arguments["endorsement"]?.intValue ?? -1
      guard let endorsement = view.shared.endorsements.first(where: { $0.entry == entry }) else {
        throw Refusal(.endorsementUnknown, "no endorsement is named by entry \(entry)")
      }
      if endorsement.end != nil { throw Refusal(.changed, "the endorsement of entry \(entry) was withdrawn already") }
    default: return
    }
  }

  private func checkEndorsing() throws(Refusal) {
    func invalid(_ message: String) -> Refusal { Refusal(.argumentsInvalid, message) }
    guard let subject = Endorsement.Subject(.object(proposal.arguments)) else {
      throw invalid("an endorsement is of a `source`, or of a `value` with `as`, the arguments and fields as which it counts")
    }
    guard let scope = proposal.arguments["scope"]?.stringValue.flatMap({ Endorsement.Scope(parsing: $0) }) else {
      throw invalid("`scope` is `workspace`, `process:NAME` or `run:ID`")
    }
    if scope != .workspace, view.release == nil {
      throw Refusal(.releaseUnknown, "there is no run or released process `\(visible(scope.description))`")
    }
    let until = proposal.arguments["until"]?.intValue.map { Instant(milliseconds: $0) }
    if let until, until <= view.now { throw invalid("`until` is over already") }
    let live = view.shared.endorsements.filter { $0.status(at: view.now) == "live" }
    if live.count >= GateLimits.endorsements {
      throw Refusal(.rateLimit, "there are \(GateLimits.endorsements) endorsements that count, which is the limit")
    }
    if case .source(let label) = subject { try checkSource(label) }
  }

  /// A source is a tool or a form, and its name one that there is.
  private func checkSource(_ label: String) throws(Refusal) {
    let parts = label.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, parts[0] == "tool" || parts[0] == "form" else {
      throw Refusal(.argumentsInvalid, "a source is `tool:NAME` or `form:NAME`; what an agent writes is as good as what it has read")
    }
    guard let process = view.release?.process else { return }
    let known = parts[0] == "tool" ? process.tools.map(\.name) : process.triggers.map(\.name)
    guard known.contains(where: { bytesEqual($0, parts[1]) }) else {
      let hint = nearestName(to: parts[1], in: known).map { "; did you mean `\($0)`?" } ?? ""
      throw Refusal(.argumentsInvalid, "`\(process.id)` has no \(parts[0]) `\(visible(parts[1]))`\(hint)")
    }
    if let tool = process.tool(parts[1]), parts[0] == "tool", !tool.readsUntrusted {
      throw Refusal(.changed, "what `\(tool.name)` returns is taken at its word already")
    }
  }
}

extension EntryDrafting {
  /// What endorsing something means.
  static func addEndorsement(_ proposal: Proposal, to body: inout JSONObject, _ content: inout [Content]) throws {
    guard let subject = Endorsement.Subject(.object(proposal.arguments)) else { return }
    var terms: JSONObject = ["scope": proposal.arguments["scope"] ?? .null]
    terms["until"] = proposal.arguments["until"]
    body["endorsement"] = .object(terms)
    content.append(Content(ContentPart.values, try JSON.object(subject.json).canonicalBytes()))
  }
}
