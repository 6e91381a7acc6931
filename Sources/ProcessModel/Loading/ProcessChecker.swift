internal import CEL
internal import Core

/// Finds what each part of a process alone does not show: names that nothing uses, and values that may be missing where they are read.
struct ProcessChecker {
  let process: ProcessDefinition
  let loader: ProcessLoader

  func check() {
    checkFields()
    checkEmployment()
    checkTriggers()
    for control in process.controls { checkUse(of: control) }
    var flow = ValueFlow(process: process) { code, place, message, hint in
      loader.sink.warning(code, at: loader.positions[place], message, hint: hint)
    }
    flow.check()
  }

  private var conditions: [Condition] {
    var all = process.steps.flatMap { $0.arguments.map(\.value) + ($0.when.map { [$0] } ?? []) } + process.controls.compactMap(\.when)
    for block in ([process.root] + process.handlers.compactMap(\.body)).flatMap({ $0.all }) {
      switch block {
      case .choose(_, let branches), .chooseAll(_, let branches): all += branches.compactMap(\.when)
      case .repeat(_, _, let until, _): all.append(until)
      case .wait(_, .until(let moment)): all.append(moment)
      case .table(let table): all += table.conditions
      case .each(let each): all.append(each.list)
      default: break
      }
    }
    return all
  }

  private var tables: [DecisionTable] {
    ([process.root] + process.handlers.compactMap(\.body)).flatMap(\.all).compactMap {
      if case .table(let table) = $0 { table } else { nil }
    }
  }

  private func checkFields() {
    let asked = Set((process.steps.map(\.form) + process.triggers.map(\.fields)).flatMap { $0.map(\.name) } + tables.flatMap(\.outputs))
    let read = Set(conditions.flatMap { $0.reads(of: "run") })
    for field in process.fields {
      let position = loader.declared["field \(field.name)"]
      switch (asked.contains(field.name), read.contains(field.name)) {
      case (true, _): break
      case (false, true):
        loader.sink.warning("unset-field", at: position, "field `\(field.name)` is read, but no form, agent or table sets it")
      case (false, false):
        loader.sink.warning("unused-field", at: position, "field `\(field.name)` is not used: no form, agent, table or condition names it")
      }
    }
  }

  private func checkEmployment() {
    let performers = Set(process.steps.map(\.performer))
    for agent in process.agents where !performers.contains(.agent(agent.name)) {
      loader.sink.warning("unused-agent", at: loader.declared["agent \(agent.name)"], "agent `\(agent.name)` has no step")
    }
    for tool in process.tools where !isUsed(tool, performers) {
      loader.sink.warning("unused-tool", at: loader.declared["tool \(tool.name)"], "tool `\(tool.name)` is used by no step and no agent")
    }
  }

  private func isUsed(_ tool: ToolDefinition, _ performers: Set<Performer>) -> Bool {
    performers.contains(.tool(tool.name))
      || process.agents.contains { performers.contains(.agent($0.name)) && $0.tools.contains(tool.name) }
  }

  private func checkTriggers() {
    if process.triggers.isEmpty {
      loader.sink.warning(
        "no-trigger", at: loader.declared["process"], "process `\(process.id)` has no triggers: runs are started by hand, without a form")
    }
    for trigger in process.triggers {
      guard case .schedule = trigger.source, let field = trigger.fields.first(where: \.isRequired) else { continue }
      loader.sink.error(
        "unfilled-trigger", at: loader.declared["trigger \(trigger.name)"], "a schedule cannot fill in field `\(field.name)`")
    }
  }

  private func checkUse(of control: Control) {
    guard case .tool(let name) = control.before, let tool = process.tool(name) else { return }
    if isUsed(tool, Set(process.steps.map(\.performer))) { return }
    loader.sink.warning(
      "idle-control", at: loader.declared["control \(control.id)"],
      "control `\(control.id)` stands before tool `\(name)`, which nothing uses")
  }
}

/// Follows which fields surely have a value, and which facts may, from step to step.
private struct ValueFlow {
  let process: ProcessDefinition
  let warn: (_ code: String, _ block: String, _ message: String, _ hint: String?) -> Void
  private var entries: [String: Known] = [:]

  struct Known {
    var fields: Set<String>
    var facts: Set<String>
  }

  init(process: ProcessDefinition, warn: @escaping (String, String, String, String?) -> Void) {
    self.process = process
    self.warn = warn
  }

  mutating func check() {
    let forms = process.triggers.map { Set($0.fields.filter(\.isRequired).map(\.name)) }
    let start = Known(fields: forms.dropFirst().reduce(forms.first ?? []) { $0.intersection($1) }, facts: [])
    _ = follow(process.root, start)
    for handler in process.handlers {
      guard let body = handler.body else { continue }
      _ = follow(body, handler.of.flatMap { entries[$0] } ?? start)
    }
  }

  private mutating func follow(_ block: Block, _ before: Known) -> Known {
    entries[block.id] = before
    var known = before
    switch block {
    case .step(let step):
      if let when = step.when { look(when, known, block.id) }
      for argument in step.arguments { look(argument.value, known, block.id) }
      // What may be gone past sets nothing for sure.
      if step.when == nil, step.skip == nil { known.fields.formUnion(step.form.filter(\.isRequired).map(\.name)) }
      known.facts.formUnion(tools(of: step).flatMap { $0.facts.map(\.name) })
    case .sequence(_, let blocks):
      for child in blocks { known = follow(child, known) }
    case .choose(_, let branches), .chooseAll(_, let branches):
      for branch in branches { if let when = branch.when { look(when, known, block.id) } }
      let ends = branches.map { branch in branch.body.map { follow($0, before) } ?? before }
      if let first = ends.first { known.fields = ends.dropFirst().reduce(first.fields) { $0.intersection($1.fields) } }
      for end in ends { known.facts.formUnion(end.facts) }
    case .parallel(_, let blocks, let join):
      let ends = blocks.map { follow($0, before) }
      for end in ends { known.facts.formUnion(end.facts) }
      // Of what fewer than the others than may be missing set, nothing is sure.
      let missing = blocks.count - (join ?? blocks.count)
      for field in ends.reduce(into: Set<String>(), { $0.formUnion($1.fields) })
      where ends.count(where: { $0.fields.contains(field) }) > missing {
        known.fields.insert(field)
      }
    case .repeat(_, let body, let until, _):
      known = follow(body, known)
      look(until, known, block.id)
    case .each(let each):
      look(each.list, known, each.id)
      // Of a list without items nothing is done.
      known.facts.formUnion(follow(each.body, known).facts)
    case .table(let table):
      var told: Set<String> = []
      for condition in table.conditions.dropFirst(table.inputs.count) {
        let names = Set(condition.reads(of: "run").map { "run.\($0)" } + condition.reads(of: "facts").map { "facts.\($0)" })
        if told.isSuperset(of: names) { continue }
        told.formUnion(names)
        look(condition, known, table.id)
      }
      known.fields.formUnion(table.outputs)
    case .wait(let id, let delay):
      if case .until(let moment) = delay { look(moment, known, id) }
    }
    return afterHandlers(of: block, before, known)
  }

  /// A handler that goes on without the block leaves it to its own steps to set what the block would have set.
  private mutating func afterHandlers(of block: Block, _ before: Known, _ after: Known) -> Known {
    var known = after
    for handler in process.handlers where handler.of == block.id {
      guard case .take(let body, .proceed) = handler.response else { continue }
      let silent = ValueFlow(process: process) { _, _, _, _ in }
      var copy = silent
      let end = body.map { copy.follow($0, before) } ?? before
      known.fields.formIntersection(end.fields)
      known.facts.formUnion(end.facts)
    }
    return known
  }

  private func tools(of step: Step) -> [ToolDefinition] {
    switch step.performer {
    case .tool(let name): process.tool(name).map { [$0] } ?? []
    case .agent(let name): process.agent(name)?.tools.compactMap { process.tool($0) } ?? []
    default: []
    }
  }

  private func look(_ condition: Condition, _ known: Known, _ place: String) {
    for name in condition.reads(of: "run") where !known.fields.contains(name) {
      warn(
        "maybe-unset", place, "`\(condition.source)` at `\(place)` reads field `\(name)`, which may have no value there",
        "ask for it before, or write `has(run.\(name)) && …`")
    }
    for name in condition.reads(of: "facts") where !known.facts.contains(name) {
      warn(
        "maybe-unset", place, "`\(condition.source)` at `\(place)` reads fact `\(name)`, which no step before it can have learned",
        "call the tool before, or write `has(facts.\(name)) && …`")
    }
  }
}

extension Condition {
  /// The fields or facts that the expression reads without asking `has()` of them anywhere, once each.
  func reads(of variable: String) -> [String] {
    var asked: Set<String> = []
    program.expression.forEach { expression in
      if case .has(let operand, let field) = expression.kind, let path = operand.path, path.first == variable {
        asked.insert(path.count > 1 ? path[1] : field)
      }
    }
    var names: [String] = []
    for reference in program.references where reference.variable == variable {
      if let name = reference.fields.first, !asked.contains(name), !names.contains(name) { names.append(name) }
    }
    return names
  }
}

extension Block {
  /// The block and every block inside it, parents first.
  var all: [Block] { [self] + children.flatMap(\.all) }
}
