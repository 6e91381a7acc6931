internal import Core

extension ApprovalCard {
  /// The card for a screen of that many columns.
  ///
  /// Nothing is cut: what does not fit a line goes on in the next one.
  ///
  /// The code that decides stands in the last section, so whoever has it went past everything else.
  func lines(width: Int) -> [Shown] {
    let width = max(40, width)
    var lines = heading(width)
    lines += section("Who and what", width) + summary(width)
    lines += section("Arguments, exactly as they will run", width)
    let rows = ValueRows(width: width)
    lines += isEmptyObject(arguments) ? ["  (none)"] : rows.lines(arguments)
    if !targets.isEmpty { lines += section("Where the targets come from", width) + targets.flatMap { target($0, width) } }
    if !changes.isEmpty { lines += section("What changes", width) + changes.flatMap { change($0, rows) } }
    if let reason { lines += section("Reason given by \(asker) (untrusted text)", width) + quote(reason, width) }
    if !questions.isEmpty { lines += section("Asked and answered (untrusted text)", width) + questions.flatMap { exchange($0, width) } }
    lines += section("Why it is held", width) + rules.flatMap { rule($0, width) }
    if !readings.isEmpty { lines += section("Facts and values that were read", width) + readings.flatMap { reading($0, rows) } }
    lines += section("Evidence", width) + evidenceLines(width)
    lines += section("Your decision", width) + decision(width)
    return lines
  }

  private func exchange(_ question: Question, _ width: Int) -> [Shown] {
    let asker: Shown = "\(question.by, .strong) asks"
    var lines = asker.wrapped(to: width - 2).map { "  \($0)" } + quote(question.text, width)
    if let answer = question.answer {
      let answerer: Shown = "\(answer.by, .strong) answers"
      lines += answerer.wrapped(to: width - 2).map { "  \($0)" } + quote(answer.text, width)
    } else {
      let open: Shown = "  \("not answered yet", .caution)"
      lines.append(open)
    }
    return lines
  }

  private func isEmptyObject(_ value: JSON) -> Bool { value.objectValue?.isEmpty ?? false }

  private func heading(_ width: Int) -> [Shown] {
    let left: Shown = "\("Proposal \(proposal)", .strong)"
    let right = Shown(status, status == "pending" ? .caution : .strong)
    var lines: [Shown] = [left + .spaces(max(2, width - left.width - right.width)) + right, .rule(width)]
    for mode in modes { lines += ("! \(mode)" as Shown).toned(.caution).wrapped(to: width) }
    return lines
  }

  private func section(_ title: String, _ width: Int) -> [Shown] { [""] + Shown(title, .strong).wrapped(to: width) }

  private func summary(_ width: Int) -> [Shown] {
    var who = Shown(asker, .strong)
    if let onBehalfOf { who.append(", for \(onBehalfOf)") }
    return Fields([
      "who asks": who, "asked": Shown(asked.fullText(to: now)), "process": Shown(process), "run": Shown(run),
      "step": step.map { Shown($0) }, "tool": Shown(tool, .strong), "effect": Shown(effectText, effect == "external" ? .caution : .plain),
    ]).lines(width: width, indent: 2, nameWidth: 8)
  }

  private var effectText: String {
    let meaning =
      switch effect {
      case "external": "it reaches systems outside, and Remit cannot take it back"
      case "state": step == nil && onBehalfOf == nil ? "it changes this workspace" : "it changes this run only"
      case "read": "it reads, and changes nothing"
      default: "unknown effect"
      }
    return "\(effect): \(meaning)"
      + (isIdempotent.map { $0 ? "; a repeated call has no further effect" : "; a repeated call would act again" } ?? "")
  }

  private func change(_ change: Change, _ rows: ValueRows) -> [Shown] {
    let name = Shown(change.field, .accent)
    let before = change.before.map(ValueRows.literal) ?? ["(not set)"]
    let after = ValueRows.literal(change.after)
    if change.before?.isLeaf ?? true, change.after.isLeaf, before.count == 1, after.count == 1,
      name.width + before[0].width + after[0].width + 8 <= rows.width
    {
      return ["  \(name)  \(before[0], .faint) → \(after[0], .strong)"]
    }
    let old = change.before.map { nested($0, "- \(change.field)", rows) } ?? ["  \("- \(change.field)", .accent)  (not set)"]
    return old + nested(change.after, "+ \(change.field)", rows)
  }

  private func nested(_ value: JSON, _ mark: String, _ rows: ValueRows) -> [Shown] {
    rows.lines(value, name: mark)
  }

  /// Text of others, in a gutter that none of its lines can leave.
  private func quote(_ text: String, _ width: Int) -> [Shown] {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
      Shown(String(line)).wrapped(to: width - 6).map { "  \("│", .faint) \($0)" }
    }
  }

  private func rule(_ rule: Rule, _ width: Int) -> [Shown] {
    let tone: Shown.Tone = rule.effect == "erred" || rule.effect == "forbid" ? .bad : .caution
    var title: Shown = "\(rule.effect, tone) by rule \(rule.id, .strong)"
    if let clause = rule.clause { title.append(", which cites \(clause.reference)") }
    var lines = title.wrapped(to: width - 2).map { "  \($0)" as Shown }
    if let guarding = rule.guarding {
      let source: Shown = "\("a rule of the workspace's guard", .caution), \(guarding)"
      lines += source.wrapped(to: width - 4).map { "    \($0)" }
    }
    if let statement = rule.statement { lines += Shown(statement).wrapped(to: width - 4).map { "    \($0)" } }
    if let clause = rule.clause {
      if let heading = clause.title { lines += ("\(heading, .faint)" as Shown).wrapped(to: width - 6).map { "    \("│", .faint) \($0)" } }
      if let text = clause.text {
        lines += Self.paragraphs(text).flatMap { Shown($0).wrapped(to: width - 8).map { "    \("│", .faint) \($0)" } }
      } else {
        lines.append("    \("the document's text is not in this release", .bad)")
      }
    }
    return lines
  }

  /// The lines of a document with those of one paragraph joined: files break lines where it suits them.
  ///
  /// Lists and tables keep theirs.
  static func paragraphs(_ text: String) -> [String] {
    var paragraphs: [String] = []
    var isOpen = false
    for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map({ String($0) }) {
      let first = line.unicodeScalars.first { $0 != " " }
      let isText = first.map { $0.properties.isAlphabetic || "\"'(`*_".unicodeScalars.contains($0) } ?? false
      if isText, isOpen, !line.hasPrefix("    ") {
        paragraphs[paragraphs.count - 1] += " " + line
      } else {
        paragraphs.append(line)
      }
      isOpen = isText
    }
    return paragraphs
  }

  private func target(_ target: Target, _ width: Int) -> [Shown] {
    ("\(target.pointer, .accent)  \(target.text)" as Shown).wrapped(to: width - 2).map { "  \($0)" }
      + Shown(target.origin, target.isVouched ? .faint : .bad).wrapped(to: width - 4).map { "    \($0)" }
  }

  private func reading(_ reading: Reading, _ rows: ValueRows) -> [Shown] {
    var lines: [Shown] = []
    if let leaf = reading.value.isLeaf ? ValueRows.literal(reading.value) : nil, leaf.count == 1,
      displayWidth(visible(reading.path)) + leaf[0].width + 4 <= rows.width
    {
      lines.append("  \(reading.path, .accent)  \(leaf[0])")
    } else {
      lines += rows.lines(reading.value, name: reading.path)
    }
    if let origin = reading.origin { lines += Shown("from \(origin)", .faint).wrapped(to: rows.width - 4).map { "    \($0)" } }
    return lines
  }

  private func evidenceLines(_ width: Int) -> [Shown] {
    if evidence.isEmpty { return ["  (none attached)"] }
    return evidence.flatMap { item -> [Shown] in
      var title: Shown = "\(item.name, .strong)  \(item.media), \(sizeText(item.size))"
      if let source = item.source { title.append(", from \(source)") }
      return title.wrapped(to: width - 2).map { "  \($0)" }
        + Shown("sha256 \(item.digest)", .faint).wrapped(to: width - 4).map { "    \($0)" }
    }
  }

  private func decision(_ width: Int) -> [Shown] {
    var rows: [(String, [Shown])] = [
      ("approve", [Shown(consequences.approve)]), ("reject", [Shown(consequences.reject)]),
      ("expiry", [Shown((expires.map { "\($0.fullText(to: now)): " } ?? "") + consequences.expiry)]),
    ]
    for need in requirements {
      let roles = need.roles.isEmpty ? "anyone who may approve" : need.roles.joined(separator: " or ")
      let stage = requirements.contains { $0.stage > 1 && $0.rule == need.rule } ? ", stage \(need.stage)" : ""
      var text: Shown = "\(need.approvedBy.count) of \(need.count) from \(roles) (rule \(need.rule)\(stage))"
      if need.standing == "later" { text.append("; once the stage before is complete") }
      if !need.askedAsWell.isEmpty { text.append("; asked as well: \(need.askedAsWell.joined(separator: ", "))") }
      if !need.approvedBy.isEmpty { text.append("; approved by \(need.approvedBy.joined(separator: ", "))") }
      if !need.excluded.isEmpty { text.append("; never by: \(need.excluded.joined(separator: ", "))") }
      if !need.breakGlass.isEmpty { text.append("; alone in an emergency: \(need.breakGlass.joined(separator: " or "))") }
      rows.append(("needs", [text]))
    }
    if !precedents.isEmpty {
      let right = precedents.count(where: \.isRight)
      let latest = precedents.map { "\($0.isRight ? "right" : "wrong") \($0.time.relativeText(to: now)) (\($0.proposal))" }
      rows.append(("before", ["\(right) of the last \(precedents.count) like it were found right: \(latest.joined(separator: ", "))"]))
    }
    rows.append(("digest", [Shown(digest)]))
    rows.append(("code", [Shown(code, .strong)]))
    return Fields(rows).lines(width: width, indent: 2, nameWidth: 8)
  }
}

extension JSON {
  /// Whether this is one value rather than several.
  var isLeaf: Bool {
    switch self {
    case .object(let object): object.isEmpty
    case .array(let elements): elements.isEmpty
    default: true
    }
  }
}
