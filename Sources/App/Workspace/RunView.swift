internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// One run as a command shows it.
struct RunView: Sendable {
  /// One proposal of the run's history.
  struct Line: Sendable {
    var record: ProposalRecord
    var rules: [String]
    /// Why it was refused, or rejected, or failed.
    var why: String?
    var isScripted: Bool
  }

  var record: RunRecord
  var proposals: [Line] = []
  /// Why the wall clock is not believed, so that the run stands still; nil where it is.
  var clock: ClockRecord.Suspicion?

  /// Reads a run from a snapshot.
  init(_ id: String, _ context: ReadContext<GovernanceLedger>) throws {
    guard let record = try context.run(id) else { throw CommandError(.notFound, "run-unknown", "there is no run `\(visible(id))`") }
    self.record = record
    if record.state.status == .running { clock = try context.shared().clock.suspicion }
    var rules: [String: [String]] = [:]
    var why: [String: String] = [:]
    var scripted: Set<String> = []
    for entry in try context.history(of: id) {
      guard let proposal = entry.body["proposal"]?.stringValue else { continue }
      func text(_ part: String) -> String? { entry.content(part).map { String(decoding: $0, as: UTF8.self) } }
      switch entry.type {
      case EntryType.proposal:
        let verdict = entry.body["verdict"]?.stringValue
        rules[proposal] = (entry.body["rules"]?.arrayValue ?? []).filter { $0["effect"]?.stringValue == verdict }.compactMap {
          $0["rule"]?.stringValue
        }
        why[proposal] = text(ContentPart.refusal)
        if entry.body["scripted"]?.boolValue == true { scripted.insert(proposal) }
      case EntryType.approval: if let reason = text(ContentPart.reason) { why[proposal] = reason }
      case EntryType.effectSettled: if let error = text(ContentPart.error) { why[proposal] = error }
      default: break
      }
    }
    // A probe stands among them, or whoever looks here would know which one it is.
    let shown = (record.proposals + record.probes).sorted { $0.entry < $1.entry }
    proposals = shown.map { Line(record: $0, rules: rules[$0.id] ?? [], why: why[$0.id], isScripted: scripted.contains($0.id)) }
  }

  private var state: RunState { record.state }

  var json: JSON {
    var object: JSONObject = [
      "id": .string(state.id), "process": .string(state.process), "release": .string(state.release), "requester": .string(state.requester),
      "status": .string(state.standing), "started": .string(record.started.iso8601), "updated": .string(record.updated.iso8601),
    ]
    object["clock"] = clock?.json
    object["fields"] = .object(JSONObject(state.fields.map { ($0.name, $0.value ?? .null) }))
    object["facts"] = .object(JSONObject(state.facts.map { ($0.name, $0.value ?? .null) }))
    object["steps"] = .array(
      state.steps.map { step in
        var member: JSONObject = [
          "step": .string(step.occurrence.description), "title": .string(step.title), "performer": .string(step.performer.description),
          "status": .string(step.status.rawValue),
        ]
        member["due"] = step.due.map { .string($0.iso8601) }
        member["completed_by"] = step.completedBy.map { .string($0) }
        member["assignee"] = step.assignee.map { .string($0) }
        member["closure"] = step.closure.map { .string($0.rawValue) }
        member["closed_by"] = step.closedBy.map { .string($0) }
        if step.reminders > 0 { member["reminders"] = .int(step.reminders) }
        if step.attempt > 1 { member["attempt"] = .int(step.attempt) }
        return .object(member)
      })
    if !state.timers.isEmpty {
      object["timers"] = .array(
        state.timers.map { ["id": .string($0.id), "at": .string($0.at.iso8601), "step": .string($0.step.description)] })
    }
    if let pause = state.pause {
      object["paused"] = [
        "since": .string(pause.since.iso8601), "by": .string(pause.by), "text": pause.text.map { .string($0) } ?? .null,
      ]
    }
    if !state.sendBacks.isEmpty {
      object["sent_back"] = .array(
        state.sendBacks.map {
          [
            "from": .string($0.from.description), "to": .string($0.to.description), "by": .string($0.by),
            "text": $0.text.map { .string($0) } ?? .null,
          ]
        })
    }
    let decided = state.blocks.compactMap { block in block.rules.map { (place: block.occurrence.description, rules: $0) } }
    if !decided.isEmpty {
      object["tables"] = .array(
        decided.map { ["table": .string($0.place), "rules": .array($0.rules.map { .string($0) })] })
    }
    let instances = state.passes.filter(\.isInstance)
    if !instances.isEmpty {
      object["items"] = .array(
        instances.map { ["block": .string($0.scope), "n": .int($0.iteration), "item": $0.item ?? .null] })
    }
    object["evidence"] = .array(
      state.evidence.map {
        [
          "name": .string($0.name), "media": .string($0.media), "size": .int($0.size), "sha256": .string($0.digest.hex),
          "step": .string($0.step.description), "by": .string($0.by),
        ]
      })
    object["questions"] = .array(
      state.questions.map {
        [
          "id": .string($0.id), "step": .string($0.step.description), "text": $0.text.map { .string($0) } ?? .null,
          "answer": $0.answer.map { .string($0) } ?? .null,
        ]
      })
    object["exceptions"] = .array(
      state.exceptions.map {
        [
          "id": .string($0.id), "at": .string($0.at.description), "code": .string($0.code), "text": $0.text.map { .string($0) } ?? .null,
          "resolution": $0.resolution.map { .string($0.rawValue) } ?? .null,
        ]
      })
    object["proposals"] = .array(
      proposals.map { line in
        var member: JSONObject = [
          "id": .string(line.record.id), "principal": .string(line.record.principal), "tool": .string(line.record.tool),
          "status": .string(line.record.status.rawValue), "effect": .string(line.record.effect.rawValue),
          "time": .string(line.record.time.iso8601),
          "entry": .int(line.record.entry), "digest": .string(line.record.digest.hex), "rules": .array(line.rules.map { .string($0) }),
        ]
        member["step"] = line.record.step.map { .string($0.description) }
        member["why"] = line.why.map { .string($0) }
        member["approved_by"] = .array(line.record.votes.map { .string($0.shown) })
        if line.isScripted { member["scripted"] = true }
        return .object(member)
      })
    return .object(object)
  }

  func lines(width: Int, now: Instant) -> [Shown] {
    var lines = Fields([
      "run": Shown(state.id, .strong), "process": "\(state.process) (release \(String(state.release.prefix(12))))",
      "status": Shown(state.standing),
      "asked by": Shown(state.requester), "started": Shown(record.started.fullText(to: now)),
      "updated": Shown(record.updated.fullText(to: now)),
    ]).lines(width: width)
    if let clock {
      lines += ["", "\("The wall clock is not believed", .bad)"]
      lines += clock.shown.flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" }
    }
    let rows = ValueRows(width: width)
    if !state.fields.isEmpty {
      lines += ["", "\("Fields", .strong)"]
      for field in state.fields { lines += value(field.name, field.value, from: field.origin, rows) }
    }
    if !state.facts.isEmpty {
      lines += ["", "\("Facts", .strong)"]
      for fact in state.facts { lines += value(fact.name, fact.value, from: fact.origin, rows) }
    }
    let decided = state.blocks.compactMap { block in block.rules.map { (place: block.occurrence.description, rules: $0) } }
    if !decided.isEmpty {
      lines += ["", "\("Tables", .strong)"]
      for (place, rules) in decided {
        let by = rules.isEmpty ? "no rule" : "\(rules.count == 1 ? "rule" : "rules") \(rules.joined(separator: ", "))"
        lines += ("\(place, .accent)  by \(by)" as Shown).wrapped(to: width - 2).map { "  \($0)" }
      }
    }
    let instances = state.passes.filter(\.isInstance)
    if !instances.isEmpty {
      lines += ["", "\("Items", .strong)"]
      for pass in instances {
        let name = Occurrence(pass.scope, pass.iteration).description
        lines += pass.item.map { rows.lines($0, name: name) } ?? ["  \(name, .accent)  redacted"]
      }
    }
    lines += ["", "\("Steps", .strong)"]
    var steps = Table([.init("Step"), .init("Title", wraps: true), .init("By", wraps: true), .init("Status")])
    for step in state.steps {
      let tone: Shown.Tone = step.status == .completed ? .good : step.status == .blocked ? .bad : step.status == .ready ? .caution : .faint
      steps.add([
        Shown(step.occurrence.description), Shown(step.title),
        Shown(step.completedBy ?? step.closedBy ?? step.assignee ?? step.performer.description),
        Shown((step.closure?.rawValue ?? step.status.rawValue) + (step.reminders > 0 ? ", reminded \(step.reminders)×" : ""), tone),
      ])
    }
    lines += steps.lines(width: width - 2).map { "  \($0)" }
    if !state.timers.isEmpty {
      lines += ["", "\("Timers", .strong)"]
      var timers = Table([.init("Timer", wraps: true), .init("Fires", wraps: true)])
      for timer in state.timers {
        timers.add([Shown(Self.name(timer.id)), Shown(timer.at.fullText(to: now), timer.at <= now ? .caution : .plain)])
      }
      lines += timers.lines(width: width - 2).map { "  \($0)" }
    }
    if let pause = state.pause {
      lines += ["", "\("Paused", .caution) by \(pause.by) \(pause.since.relativeText(to: now)): \(pause.text ?? "redacted")"]
    }
    for back in state.sendBacks {
      lines += [
        "", "\("Sent back", .caution) from \(back.from.description) to \(back.to.description) by \(back.by): \(back.text ?? "redacted")",
      ]
    }
    if !state.evidence.isEmpty {
      lines += ["", "\("Evidence", .strong)"]
      for item in state.evidence {
        lines.append(
          "  \(item.name)  \(item.media), \(sizeText(item.size)), sha256 \(String(item.digest.hex.prefix(16)), .faint), from \(item.by)")
      }
    }
    for question in state.questions {
      lines += ["", "\("Question \(question.id)", .strong) by \(question.by): \(question.text ?? "redacted")"]
      lines.append(
        question.isAnswered
          ? "  answered by \(question.answeredBy ?? ""): \(question.answer ?? "redacted")"
          : "  \("not answered", .caution): `remit run answer \(state.id) \(question.id) TEXT`")
    }
    for exception in state.exceptions {
      lines += [
        "",
        "\("Exception \(exception.id)", .bad) at \(Self.name(exception.at.description)): \(exception.code): \(exception.text ?? "redacted")",
      ]
      if let resolution = exception.resolution {
        lines.append("  resolved: \(resolution.rawValue)")
      } else if exception.handler == nil {
        lines.append("  \("open", .caution): `remit run resolve \(state.id) \(exception.id) retry|proceed|end`")
      } else {
        lines.append("  handled by \(exception.handler ?? "")")
      }
    }
    lines += ["", "\("Proposals", .strong)"]
    for line in proposals {
      let place = line.record.step.map { " on \($0.description)" } ?? ""
      let by = line.record.principal + (line.isScripted ? " (scripted)" : "")
      let rules = line.rules.isEmpty ? "" : "  \(line.rules.joined(separator: ", "))"
      let votes = line.record.votes.isEmpty ? "" : ", approved by \(line.record.votes.map(\.shown).joined(separator: ", "))"
      let title: Shown =
        "\(line.record.id)  \(line.record.tool, .strong)\(place) by \(by): \(line.record.status.rawValue, line.record.status.tone)\(votes)\(Shown(rules, .faint))"
      lines += title.wrapped(to: width - 2).enumerated().map { "\(Shown.spaces($0.offset == 0 ? 2 : 6))\($0.element)" }
      // Refusals and errors have made what others wrote visible already.
      for reason in Shown.message(line.why ?? "") where !reason.isEmpty {
        lines += reason.wrapped(to: width - 8).map { "      \("│", .faint) \($0)" }
      }
    }
    return lines
  }

  /// What people call a place or a timer: the whole of the run has no name of its own.
  private static func name(_ place: String) -> String { place == "." || place.hasPrefix("./") ? "run\(place.dropFirst())" : place }

  private func value(_ name: String, _ value: JSON?, from origin: Origin, _ rows: ValueRows) -> [Shown] {
    let source = Shown("from \(origin.description)", origin.trusted ? .faint : .caution)
    guard let value else { return ["  \(name, .accent)  redacted"] }
    if value.isLeaf {
      let literal = ValueRows.literal(value)
      if literal.count == 1, displayWidth(visible(name)) + literal[0].width + source.width + 8 <= rows.width {
        return ["  \(name, .accent)  \(literal[0])  \(source)"]
      }
    }
    return rows.lines(value, name: name) + ["    \(source)"]
  }
}

extension ProposalRecord.Status {
  /// How a status is meant on a screen.
  var tone: Shown.Tone {
    switch self {
    case .done: .good
    case .held, .granted, .started: .caution
    case .forbidden, .rejected, .failed, .inDoubt: .bad
    case .expired, .withdrawn, .superseded, .voided: .faint
    }
  }
}
