internal import Core
internal import PolicyEngine
internal import ProcessModel

// Who proposes.
extension Judge {
  func principal() throws(Refusal) -> Request.Principal {
    let id = proposal.principal
    if id.hasPrefix("user:") {
      guard let identity = proposal.identity, bytesEqual(identity.principal, id) else {
        throw Refusal(.principalUnknown, "`\(visible(id))` is not who gave the command")
      }
      if let problem = identity.problem(in: view.shared.directory) { throw Refusal(.principalUnknown, problem) }
      return try known(Request.Principal(id: id, roles: identity.roles(in: view.shared.directory)))
    }
    if id.hasPrefix("agent:") {
      guard let agent = view.release?.process.agent(String(id.dropFirst(6))) else {
        throw Refusal(.principalUnknown, "the process declares no agent `\(visible(String(id.dropFirst(6))))`")
      }
      return try known(Request.Principal(id: id, owner: agent.owner.description))
    }
    guard SystemPrincipal(rawValue: id) != nil else { throw Refusal(.principalUnknown, "there is no principal `\(visible(id))`") }
    return try known(Request.Principal(id: id))
  }

  func known(_ principal: Request.Principal?) throws(Refusal) -> Request.Principal {
    guard let principal else { throw Refusal(.principalUnknown, "`\(visible(proposal.principal))` is not a principal") }
    return principal
  }
}
