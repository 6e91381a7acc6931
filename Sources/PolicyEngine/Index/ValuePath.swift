internal import CEL
internal import Core

/// A value of a request that conditions name: `run.amount`, `labels.args.to.origin`.
struct ValuePath: Hashable, Sendable, CustomStringConvertible {
  /// The names with which a path begins; the whole environment of a condition.
  enum Root: String, Sendable, CaseIterable {
    case run, step, args, tool, principal, requester, facts, labels, now
  }

  let root: Root
  let members: [ExactString]

  /// The path of a reference, nil when it does not begin with a name that a request has.
  init?(_ names: [String]) {
    guard let first = names.first, let root = Root(rawValue: first) else { return nil }
    self.root = root
    members = names.dropFirst().map { ExactString($0) }
  }

  /// The path with dots, as a condition names it.
  var description: String { ([root.rawValue] + members.map(\.string)).joined(separator: ".") }
}

extension Request {
  /// The value at a path, or nil where there is none.
  ///
  /// - Complexity: O(length of the path) for run, args, facts and labels.
  func value(at path: ValuePath) -> JSON? {
    switch path.root {
    case .run: descend(.object(run), path.members)
    case .args: descend(.object(arguments), path.members)
    case .facts: descend(.object(facts), path.members)
    case .labels: descend(.object(labels), path.members)
    case .now: path.members.isEmpty ? .string(now.iso8601) : nil
    case .step: step.flatMap { descend($0.json, path.members) }
    case .tool: descend(tool.json, path.members)
    case .principal: descend(principal.json, path.members)
    case .requester: requester.flatMap { descend($0.json, path.members) }
    }
  }

  private func descend(_ value: JSON, _ members: [ExactString]) -> JSON? {
    var value = value
    for member in members {
      guard let next = value[member.string] else { return nil }
      value = next
    }
    return value
  }
}

extension Request.Step {
  /// The step as conditions see it; members without a value are absent.
  var json: JSON {
    var object: JSONObject = ["id": .string(id), "iteration": .int(iteration)]
    if let risk { object["risk"] = .string(risk) }
    if let performer { object["performer"] = .string(performer) }
    return .object(object)
  }
}

extension Request.Tool {
  /// The tool as conditions see it.
  var json: JSON {
    [
      "name": .string(name), "effect": .string(effect.rawValue), "connector": .string(connector), "action": .string(action.rawValue),
      "consequential": .bool(isConsequential), "planned": .bool(isPlanned),
    ]
  }
}

extension Request.Principal {
  /// The principal as conditions see it; an owner that is not known is absent.
  ///
  /// Roles are sorted, so that their order never matters.
  var json: JSON {
    var object: JSONObject = ["id": .string(id), "kind": .string(kind.rawValue), "roles": .array(roles.sorted().map { .string($0) })]
    if let owner { object["owner"] = .string(owner) }
    return .object(object)
  }
}

extension Request.Requester {
  /// The requester as conditions see it.
  var json: JSON { ["id": .string(id), "roles": .array(roles.sorted().map { .string($0) })] }
}
