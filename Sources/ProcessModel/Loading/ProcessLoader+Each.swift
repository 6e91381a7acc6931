internal import CEL
internal import Core

extension ProcessLoader {
  private enum EachOrder: String, CaseIterable { case parallel, sequence }

  /// Reads a block that is done once for each item of a list.
  func each(_ reader: ObjectReader, depth: Int) -> Reading? {
    let list = reader.required("each").flatMap { condition($0, expecting: nil) }
    var element: CELType = .dyn
    var isList = true
    if let list, let value = reader["each"] {
      switch list.program.type {
      case .list(let type): element = type
      case .dyn: break
      default:
        sink.error("type-mismatch", at: value.position, "`each` goes through a list, and `\(list.source)` is `\(list.program.type)`")
        isList = false
      }
    }
    let max = reader.count("max", 1...Int64(RunLimits.passes / 10), isRequired: true)
    let join = reader.count("join", 1...Int64(RunLimits.passes / 10))
    if let max, let join, join >= max, let value = reader["join"] {
      sink.error(
        "out-of-range", at: value.position, "`join` must be less than `max`, \(max): without it all are done", hint: "leave it out")
    }
    let order = reader.has("order") ? reader.word("order", EachOrder.self) : .parallel
    let outside = environment
    environment.declare("item", element)
    defer { environment = outside }
    guard let items = reader.list("do", isRequired: true) else { return nil }
    if items.isEmpty { sink.error("empty-list", at: reader["do"]?.position, "`do` has no steps") }
    guard !items.isEmpty, let body = sequence(items, id: nil, depth: depth + 1) else { return nil }
    if case .sequence(let id, _) = body.block, !claim(id, at: reader.object.position, "block") { return nil }
    checkInstances(body.block, isSequence: order == .sequence)
    guard isList, let list, let max, let order, join != nil || !reader.has("join"), let id = id(reader, derived: "each-of-\(body.block.id)")
    else { return nil }
    let each = EachBlock(id: id, list: list, body: body.block, max: max, join: join, isSequence: order == .sequence)
    return Reading(block: .each(each), completes: body.completes, waits: false)
  }

  /// Reports what work for one item would do to that for another, and work that could not know its item.
  private func checkInstances(_ body: Block, isSequence: Bool) {
    for block in body.all {
      let place = positions[block.id]
      switch block {
      case .step(let step):
        if case .agent = step.performer {
          sink.error(
            "not-supported", at: place, "agent step `\(step.id)` cannot be told its item: inside `each` are steps of people and tools",
            hint: "let the agent look at the whole list before it")
        }
        guard !isSequence else { continue }
        if let field = step.form.first {
          sink.error(
            "shared-field", at: place,
            "step `\(step.id)` is done for several items at the same time, and each would set the run's field `\(field.name)`",
            hint: "ask for a comment or evidence, which belong to the item, or write `order: \"sequence\"`")
        }
        if case .tool(let name) = step.performer, let fact = tools.first(where: { $0.name == name })?.facts.first {
          checkFact(fact.name, taughtBy: step.id, in: body)
        }
      case .table(let table) where !isSequence:
        sink.error(
          "shared-field", at: place, "table `\(table.id)` is asked for several items at the same time, and each would set the same fields",
          hint: "write `order: \"sequence\"`")
      default: break
      }
    }
  }

  /// Reports an expression that would read a fact about another item.
  private func checkFact(_ fact: String, taughtBy step: String, in body: Block) {
    let conditions = body.all.flatMap { block -> [Condition] in
      switch block {
      case .step(let step): step.arguments.map(\.value) + (step.when.map { [$0] } ?? [])
      case .choose(_, let branches), .chooseAll(_, let branches): branches.compactMap(\.when)
      case .repeat(_, _, let until, _): [until]
      case .each(let each): [each.list]
      case .wait(_, .until(let moment)): [moment]
      default: []
      }
    }
    let taught = Set(body.steps.compactMap { if case .tool(let name) = $0.performer { name } else { nil } })
    let facts = Set(tools.filter { taught.contains($0.name) }.flatMap { $0.facts.map(\.name) })
    guard
      let reading = conditions.first(where: { condition in
        condition.program.references.contains { $0.variable == "facts" && ($0.fields.first.map(facts.contains) ?? true) }
      })
    else { return }
    sink.error(
      "shared-field", at: positions[step],
      "step `\(step)` teaches the run fact `\(fact)` for several items at the same time, and `\(reading.source)` may read another item's",
      hint: "write `order: \"sequence\"`")
  }
}
