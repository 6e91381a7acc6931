internal import Core

// What a rule says about approvals: one group of people, or stages of them, and what happens while they do not decide.
extension RuleLoader {
  private static let needKeys = ["roles", "count", "not", "signed"]
  private static let courseKeys = ["within", "remind", "escalate", "break_glass"]
  /// What is shorter nobody can act on, and each reminder is an entry of the log.
  private static let shortest = Duration.seconds(60)
  /// The most stages, and the most groups of people in one.
  private static let maximumStages = 10

  mutating func approval(_ reader: ObjectReader, _ effect: Outcome, isEarned: Bool) -> Rule.Approval? {
    guard let value = reader["approval"] else {
      if effect == .hold {
        problems.add(
          "hold-without-approval", at: reader.keyPosition("hold"), "a hold needs `approval`, or nobody could ever release it",
          hint: "for example approval: { roles: [\"finance\"] }")
      }
      return nil
    }
    if effect == .forbid || (effect == .permit && !isEarned) {
      problems.add(
        "unused-approval", at: reader.keyPosition("approval"),
        "`approval` belongs to a hold or to an earned permit, this rule says `\(effect.rawValue)`")
    }
    return self.approval(value, needsRoles: effect == .hold)
  }

  mutating func approval(_ value: PositionedJSON, needsRoles: Bool) -> Rule.Approval? {
    guard let approval = ObjectReader(value, "`approval`", keys: Self.needKeys + ["stages"] + Self.courseKeys, &problems) else {
      return nil
    }
    let course = self.course(approval)
    if let stages = approval["stages"] { return Rule.Approval(needs: self.stages(stages, of: approval), course: course) }
    return Rule.Approval(needs: [need(approval, stage: 1, needsRoles: needsRoles)], course: course)
  }

  private mutating func stages(_ value: PositionedJSON, of approval: ObjectReader) -> [Rule.Approval.Need] {
    for key in Self.needKeys where approval[key] != nil {
      problems.add(
        "misplaced-key", at: approval.keyPosition(key), "with `stages`, `\(key)` stands in each of them",
        hint: "for example stages: [{ roles: [\"manager\"] }, { roles: [\"finance\"], count: 2 }]")
    }
    guard let stages = value.arrayValue, (1...Self.maximumStages).contains(stages.count) else {
      problems.add("wrong-type", at: value.position, "`stages` is a list of 1 to \(Self.maximumStages) stages, decided one after the other")
      return []
    }
    return stages.enumerated().flatMap { place, stage -> [Rule.Approval.Need] in
      let groups = stage.arrayValue ?? [stage]
      if groups.isEmpty || groups.count > Self.maximumStages {
        problems.add("wrong-type", at: stage.position, "a stage is one group of people, or a list of 1 to \(Self.maximumStages) groups")
      }
      return groups.compactMap { group in
        ObjectReader(group, "a stage", keys: Self.needKeys, &problems).map { need($0, stage: place + 1, needsRoles: true) }
      }
    }
  }

  private mutating func need(_ reader: ObjectReader, stage: Int, needsRoles: Bool) -> Rule.Approval.Need {
    let roles = self.roles("roles", reader)
    if needsRoles, reader["roles"] == nil {
      problems.add("missing-key", at: reader.position, "`approval` needs `roles`, the roles of those who can approve")
    }
    let exclusions = reader.texts("not", &problems)
    for (text, place) in exclusions { checkExclusion(text, at: place) }
    let signed = reader["signed"]
    if let signed, signed.json.boolValue == nil {
      problems.add("wrong-type", at: signed.position, "`signed` is `true` or `false`, here it is \(signed.kind)")
    }
    return Rule.Approval.Need(
      stage: stage, roles: roles, count: reader["count"]?.integer("`count`", in: 1...20, &problems) ?? 1, not: exclusions.map(\.text),
      isSigned: signed?.json.boolValue ?? false)
  }

  private mutating func roles(_ key: String, _ reader: ObjectReader) -> [String] {
    let roles = reader.texts(key, &problems)
    for (role, place) in roles {
      if role.utf8.contains(UInt8(ascii: ":")) {
        problems.add("bad-role", at: place.position, "`\(key)` has bare names, without `role:`")
      } else {
        checkRole(role, at: place)
      }
    }
    return roles.map(\.text)
  }

  private mutating func checkExclusion(_ text: String, at place: PositionedJSON) {
    if ApprovalRequirement.exclusions.contains(text) { return }
    if text.hasPrefix(ApprovalRequirement.stepExclusion) {
      let step = String(text.dropFirst(ApprovalRequirement.stepExclusion.count))
      if let known = environment.steps?.map(\.id), !known.contains(where: { bytesEqual($0, step) }) {
        problems.add(.unknown("step", step, known: known, at: place.position))
      }
      return
    }
    problems.add(.unknown("exclusion", text, known: ApprovalRequirement.exclusions + ["step:<id>"], at: place.position))
  }

  // MARK: - While it waits

  private mutating func course(_ approval: ObjectReader) -> ApprovalCourse {
    let within = duration("within", approval)
    let remind = duration("remind", approval)
    if let within, let remind, remind >= within {
      problems.add("never-happens", at: approval.keyPosition("remind"), "it is over `within` \(within.iso8601): nobody is ever reminded")
    }
    return ApprovalCourse(
      within: within, remind: remind, escalation: escalation(approval, within: within), breakGlass: breakGlass(approval))
  }

  private mutating func duration(_ key: String, _ reader: ObjectReader) -> Duration? {
    guard let text = reader.text(key, maximumBytes: 32, &problems), let place = reader[key] else { return nil }
    if let duration = Duration(iso8601: text), duration >= Self.shortest { return duration }
    problems.add("bad-duration", at: place.position, "`\(key)` is a length of time such as `PT4H` or `P2D`, and a minute at least")
    return nil
  }

  private mutating func escalation(_ approval: ObjectReader, within: Duration?) -> [ApprovalCourse.Escalation] {
    guard let value = approval["escalate"] else { return [] }
    guard let rungs = value.arrayValue, (1...Self.maximumStages).contains(rungs.count) else {
      problems.add(
        "wrong-type", at: value.position, "`escalate` is a list of 1 to \(Self.maximumStages) rungs",
        hint: "for example escalate: [{ after: \"P1D\", to: \"manager\" }]")
      return []
    }
    var ladder: [ApprovalCourse.Escalation] = []
    for rung in rungs {
      guard let reader = ObjectReader(rung, "a rung of `escalate`", keys: ["after", "to"], &problems) else { continue }
      for key in ["after", "to"] where reader[key] == nil {
        problems.add("missing-key", at: reader.position, "a rung of `escalate` needs `\(key)`")
      }
      guard let after = duration("after", reader), let text = reader.text("to", maximumBytes: 256, &problems), let place = reader["to"]
      else { continue }
      guard let target = ApprovalCourse.Escalation.Target(parsing: text) else {
        problems.add("bad-target", at: place.position, "`to` is `manager`, `role:<name>` or `user:<name>`, not `\(visible(text))`")
        continue
      }
      if case .role(let role) = target { checkRole(role, at: place) }
      if let last = ladder.last, after <= last.after {
        problems.add("out-of-order", at: reader.position, "the rungs of `escalate` stand in the order of `after`, the soonest first")
      }
      if let within, after >= within {
        problems.add("never-happens", at: reader.position, "it is over `within` \(within.iso8601): nobody is asked any more by then")
      }
      ladder.append(ApprovalCourse.Escalation(after: after, to: target))
    }
    return ladder
  }

  private mutating func breakGlass(_ approval: ObjectReader) -> ApprovalCourse.BreakGlass? {
    guard let value = approval["break_glass"],
      let reader = ObjectReader(value, "`break_glass`", keys: ["roles", "review", "within"], &problems)
    else { return nil }
    for key in ["roles", "review", "within"] where reader[key] == nil {
      problems.add(
        "missing-key", at: reader.position, "`break_glass` needs `\(key)`",
        hint: "for example break_glass: { roles: [\"security\"], review: [\"audit\"], within: \"P1D\" }")
    }
    let roles = self.roles("roles", reader)
    let reviewers = self.roles("review", reader)
    guard let within = duration("within", reader) else { return nil }
    return ApprovalCourse.BreakGlass(roles: roles, reviewers: reviewers, within: within)
  }
}
