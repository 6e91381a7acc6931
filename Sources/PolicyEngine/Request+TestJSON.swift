public import Core

extension Request {
  /// The request as a test in `rules.tests.json5` writes it.
  public var testJSON: JSON {
    var object: JSONObject = ["tool": .string(tool.name), "principal": .string(principal.id)]
    if !principal.roles.isEmpty { object["roles"] = .array(principal.roles.map { .string($0) }) }
    object["owner"] = principal.owner.map { .string($0) }
    object["step"] = step.map { step in
      step.iteration == 1 ? .string(step.id) : ["id": .string(step.id), "iteration": .int(step.iteration)]
    }
    object["requester"] = requester.map { ["id": .string($0.id), "roles": .array($0.roles.map { .string($0) })] }
    for (name, values) in [("args", arguments), ("run", run), ("facts", facts), ("labels", labels)] where !values.isEmpty {
      object[name] = .object(values)
    }
    if now != RuleTests.defaultNow { object["now"] = .string(now.iso8601) }
    if !implied.isEmpty { object["implied"] = .array(implied.map { .string($0.rule) }) }
    return .object(object)
  }
}
