internal import Core
internal import PolicyEngine

// How entries state what a hold asks for.
extension ApprovalRequirement {
  var json: JSON {
    var object = JSONObject(capacity: 8)
    if !approvers.isEmpty { object["approvers"] = .array(approvers.map { .string($0) }) }
    if let glass = course.breakGlass {
      object["break_glass"] = [
        "review": .array(glass.reviewers.map { .string($0) }), "roles": .array(glass.roles.map { .string($0) }),
        "within": .string(glass.within.iso8601),
      ]
    }
    object["count"] = .int(count)
    if !course.escalation.isEmpty {
      object["escalate"] = .array(
        course.escalation.map { ["after": .string($0.after.iso8601), "to": .string($0.to.description)] })
    }
    if !not.isEmpty { object["not"] = .array(not.map { .string($0) }) }
    object["remind"] = course.remind.map { .string($0.iso8601) }
    if !roles.isEmpty { object["roles"] = .array(roles.map { .string($0) }) }
    object["rule"] = .string(rule)
    if isSigned { object["signed"] = true }
    if stage != 1 { object["stage"] = .int(stage) }
    object["within"] = course.within.map { .string($0.iso8601) }
    return .object(object)
  }

  /// Reads what ``json`` writes.
  init(json: JSON) throws {
    guard let object = json.objectValue, let count = object["count"]?.intValue else { throw GovernanceLedger.Misfit("not a requirement") }
    func duration(_ json: JSON?) -> Duration? { json?.stringValue.flatMap { Duration(iso8601: $0) } }
    let escalation = try (object["escalate"]?.arrayValue ?? []).map { rung in
      guard let after = duration(rung["after"]), let to = rung["to"]?.stringValue.flatMap({ ApprovalCourse.Escalation.Target(parsing: $0) })
      else { throw GovernanceLedger.Misfit("not a rung of an escalation") }
      return ApprovalCourse.Escalation(after: after, to: to)
    }
    let glass = try object["break_glass"].map { glass in
      guard let within = duration(glass["within"]) else { throw GovernanceLedger.Misfit("`break_glass` without a time for its review") }
      return ApprovalCourse.BreakGlass(roles: glass["roles"].strings, reviewers: glass["review"].strings, within: within)
    }
    self.init(
      rule: try object.text("rule"), stage: Int(object["stage"]?.intValue ?? 1), roles: object["roles"].strings,
      approvers: object["approvers"].strings, count: Int(count), not: object["not"].strings, isSigned: object["signed"]?.boolValue == true,
      course: ApprovalCourse(
        within: duration(object["within"]), remind: duration(object["remind"]), escalation: escalation, breakGlass: glass))
  }
}
