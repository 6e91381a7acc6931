internal import Core

extension ProcessDefinition {
  /// The process in words, one line for each step, block, handler and control, indented by two spaces for each level.
  ///
  /// Fields with `*` are required.
  public func outline() -> [String] {
    var lines = ["\(id): \(title)", "  owner \(owner)" + (reviewEvery.map { ", reviewed every \($0.iso8601)" } ?? "")]
    for trigger in triggers { lines.append("  starts by \(words(trigger))") }
    if let calendar { lines.append("  works \(words(calendar))") }
    lines.append("steps")
    if case .sequence(_, let blocks) = root { for block in blocks { add(block, 1, &lines) } }
    if !handlers.isEmpty { lines.append("when something goes wrong") }
    for handler in handlers { add(handler, &lines) }
    if !controls.isEmpty { lines.append("controls") }
    for control in controls {
      let need = "\(control.approval.count) of \(control.approval.roles.joined(separator: ", "))"
      let when = control.when.map { " when \($0.source)" } ?? ""
      lines.append("  \(control.id): \(control.statement)")
      lines.append("    before \(control.before)\(when): approval by \(need)" + (control.clause.map { " (\($0))" } ?? ""))
    }
    return lines
  }

  private func words(_ trigger: Trigger) -> String {
    let fields = trigger.fields.isEmpty ? "" : ": \(words(trigger.fields))"
    switch trigger.source {
    case .form(let role): return "form \(trigger.name) of role:\(role)\(fields)"
    case .schedule(let cron, let zone): return "schedule \(cron) in \(zone)"
    case .event(let role): return "event \(trigger.name)\(role.map { " brought by role:\($0)" } ?? "")\(fields)"
    }
  }

  private func words(_ calendar: WorkingCalendar) -> String {
    func digits(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    func text(_ minutes: Int) -> String { "\(digits(minutes / 60)):\(digits(minutes % 60))" }
    let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    let days = (1...7).compactMap { place -> String? in
      let hours = calendar.week[place % 7].map { "\(text($0.from))-\(text($0.to))" }
      return hours.isEmpty ? nil : "\(names[place % 7]) \(hours.joined(separator: ", "))"
    }
    return "\(days.joined(separator: "; ")) in \(calendar.zone), without \(calendar.holidays.count) holidays"
  }

  private func words(_ form: [FormField]) -> String { form.map { $0.name + ($0.isRequired ? "*" : "") }.joined(separator: ", ") }

  private func add(_ block: Block, _ level: Int, _ lines: inout [String]) {
    let indent = String(repeating: "  ", count: level)
    switch block {
    case .step(let step): lines.append(indent + words(step))
    case .sequence(_, let blocks): for child in blocks { add(child, level, &lines) }
    case .choose(let id, let branches), .chooseAll(let id, let branches):
      let word = if case .chooseAll = block { "choose all" } else { "choose" }
      lines.append("\(indent)\(word) \(id)")
      for branch in branches {
        lines.append("\(indent)  " + (branch.when.map { "when \($0.source)" } ?? "otherwise") + (branch.body == nil ? ": nothing" : ""))
        if let body = branch.body { add(body, level + 2, &lines) }
      }
    case .parallel(let id, let blocks, let join):
      lines.append("\(indent)parallel \(id)" + (join.map { ", done when \($0) of \(blocks.count) are" } ?? ""))
      for child in blocks {
        lines.append("\(indent)  at the same time")
        add(child, level + 2, &lines)
      }
    case .repeat(let id, let body, let until, let max):
      lines.append("\(indent)repeat \(id) until \(until.source), at most \(max) times")
      add(body, level + 1, &lines)
    case .each(let each):
      let order = each.isSequence ? "one after the other" : "at the same time"
      let end = each.join.map { ", done when \($0) are" } ?? ""
      lines.append("\(indent)each \(each.id) of \(each.list.source), at most \(each.max), \(order)\(end)")
      add(each.body, level + 1, &lines)
    case .table(let table): add(table, indent, &lines)
    case .wait(let id, .duration(let duration)): lines.append("\(indent)wait \(id): \(duration.words)")
    case .wait(let id, .until(let moment)): lines.append("\(indent)wait \(id): until \(moment.source)")
    }
  }

  private func add(_ table: DecisionTable, _ indent: String, _ lines: inout [String]) {
    let way = table.hit == .collect ? "collect \(table.aggregation.rawValue)" : table.hit.rawValue
    lines.append("\(indent)table \(table.id) sets \(table.outputs.joined(separator: ", ")), \(way)")
    for rule in table.rules {
      let tests = rule.cells.flatMap(\.self).map(\.source)
      let when = tests.isEmpty ? "always" : tests.joined(separator: " and ")
      lines.append("\(indent)  \(rule.id): \(when): \(words(rule.outputs))" + (rule.clause.map { " (\($0))" } ?? ""))
    }
    if let otherwise = table.otherwise { lines.append("\(indent)  otherwise: \(words(otherwise))") }
  }

  private func words(_ outputs: [DecisionTable.Output]) -> String {
    outputs.map { "\($0.field) = \($0.value.source)" }.joined(separator: ", ")
  }

  private func words(_ step: Step) -> String {
    var parts = ["\(step.id): \(step.title) [\(step.performer)]"]
    if let risk = step.risk { parts.append("\(risk.rawValue) risk") }
    if let due = step.due { parts.append("due \(due.words)") }
    if case .agent = step.performer {
      if !step.form.isEmpty { parts.append("writes \(words(step.form))") }
    } else if !step.form.isEmpty {
      parts.append("form \(words(step.form))")
    }
    if !step.arguments.isEmpty { parts.append("with " + step.arguments.map { "\($0.name) = \($0.value.source)" }.joined(separator: ", ")) }
    if !step.evidence.isEmpty {
      parts.append("evidence " + step.evidence.map { $0.name + ($0.isRequired ? "*" : "") }.joined(separator: ", "))
    }
    if let remind = step.remind { parts.append("reminds every \(remind.words)") }
    if step.isCommentRequired { parts.append("comment*") }
    if let when = step.when { parts.append("when \(when.source)") }
    if let skip = step.skip { parts.append("may be skipped by \(skip)") }
    return parts.joined(separator: "; ")
  }

  private func add(_ handler: Handler, _ lines: inout [String]) {
    let place = handler.of.map { " at \($0)" } ?? ""
    let cause =
      switch handler.cause {
      case .timeout(let duration) where handler.of == nil: "the run is not done \(duration.words) after its start"
      case .timeout(let duration): "not done \(duration.words) after it became ready"
      case .exception(RunExceptionCode.cancelled) where handler.isOfCancellation: "somebody cancels the run"
      case .exception("*"): "any exception"
      case .exception(let code): "exception \(code)"
      }
    switch handler.response {
    case .escalate(let performer): lines.append("  \(handler.id):\(place) \(cause): escalate to \(performer)")
    case .take(let body, let after):
      let end =
        switch after {
        case .proceed: "go on"
        case .retry(let max): "try again, at most \(max) times"
        case .end: "end the run"
        }
      lines.append("  \(handler.id):\(place) \(cause): then \(end)")
      if let body { add(body, 2, &lines) }
    }
  }
}
