internal import CEL
internal import Core

extension ProcessLoader {
  /// What is known of a block once it has been read.
  struct Reading {
    let block: Block
    /// Whether it can ever be done.
    let completes: Bool
    /// Whether every way through it has a step, so that a pass over it waits for someone.
    let waits: Bool
  }

  private static let blockKeys: [(kind: String, keys: [String])] = [
    (
      "step",
      [
        "step", "title", "help", "role", "agent", "tool", "form", "writes", "evidence", "due", "remind", "risk", "prompt", "arguments",
        "fallback",
        "when", "skip", "comment",
      ]
    ),
    ("choose", ["choose", "id"]),
    ("choose_all", ["choose_all", "id"]),
    ("parallel", ["parallel", "join", "id"]),
    ("repeat", ["repeat", "until", "max", "id"]),
    ("each", ["each", "do", "max", "join", "order", "id"]),
    ("wait", ["wait", "id"]),
    ("table", ["table", "hit", "collect", "inputs", "rules", "otherwise"]),
    ("case", ["case", "until", "id"]),
  ]
  private static let depthLimit = 48

  func loadSteps(_ reader: ObjectReader) -> Block? {
    guard let value = reader.required("steps") else { return nil }
    guard let items = value.arrayValue else {
      sink.error("wrong-type", at: value.position, "`steps` must be a list, not \(value.kind)")
      return nil
    }
    guard !items.isEmpty else {
      sink.error("empty-list", at: value.position, "`steps` is empty: a process does something")
      return nil
    }
    return sequence(items, id: ".", depth: 0)?.block
  }

  /// Reads a list of blocks; a list of one is that block, unless an id is given.
  func sequence(_ items: [PositionedJSON], id: String?, depth: Int) -> Reading? {
    if depth > Self.depthLimit {
      sink.error("too-deep", at: items.first?.position, "blocks are nested deeper than \(Self.depthLimit)")
      return nil
    }
    var readings: [Reading] = []
    var isComplete = true
    var stop: String?
    for item in items {
      if let blocking = stop {
        sink.error("unreachable-step", at: item.position, "\(name(item)) can never be reached: \(blocking)")
        stop = nil
      }
      guard let reading = block(item, depth: depth) else {
        isComplete = false
        continue
      }
      readings.append(reading)
      if !reading.completes { stop = "`\(reading.block.id)` before it is never done" }
    }
    guard isComplete, let first = readings.first else { return nil }
    let completes = readings.allSatisfy(\.completes)
    if readings.count == 1, id == nil { return first }
    let blocks = readings.map(\.block)
    return Reading(
      block: .sequence(id: id ?? "seq-of-\(first.block.id)", blocks), completes: completes, waits: readings.contains(where: \.waits))
  }

  /// What messages call a block that has not been read.
  private func name(_ item: PositionedJSON) -> String {
    if let id = item["step"]?.stringValue { return "step `\(visible(id))`" }
    if let id = item["table"]?.stringValue { return "table `\(visible(id))`" }
    if let id = item["id"]?.stringValue { return "block `\(visible(id))`" }
    return "this block"
  }

  func block(_ item: PositionedJSON, depth: Int) -> Reading? {
    guard let members = item.objectValue else {
      sink.error("wrong-type", at: item.position, "a step or block must be an object, not \(item.kind)")
      return nil
    }
    let kinds = Self.blockKeys.filter { item[$0.kind] != nil }
    guard let kind = kinds.first else {
      let known = ["step", "choose", "choose_all", "parallel", "repeat", "each", "wait", "table"]
      if let member = members.first(where: { nearestName(to: $0.key, in: known) != nil }) {
        sink.unknown("key", member.key, known: known, at: member.keyPosition)
      } else {
        sink.error(
          "missing-key", at: item.position,
          "a block needs one of `step`, `choose`, `choose_all`, `parallel`, `repeat`, `each`, `wait` or `table`")
      }
      return nil
    }
    if kinds.count > 1 {
      sink.error(
        "wrong-key", at: members.first { $0.key == kinds[1].kind }?.keyPosition,
        "a block has only one of `\(kinds[0].kind)` and `\(kinds[1].kind)`")
      return nil
    }
    guard let reader = ObjectReader(item, "block `\(kind.kind)`", keys: kind.keys, sink) else { return nil }
    switch kind.kind {
    case "step": return step(reader)
    case "choose": return choose(reader, "choose", depth: depth)
    case "choose_all": return choose(reader, "choose_all", depth: depth)
    case "parallel": return parallel(reader, depth: depth)
    case "repeat": return repeatBlock(reader, depth: depth)
    case "each": return each(reader, depth: depth)
    case "wait": return wait(reader)
    case "table": return table(reader)
    default:
      sink.error(
        "not-supported", at: reader.keyPosition("case"), "`case` is not supported yet: steps in any order cannot be run by this version",
        hint: "write the order with `choose`, `parallel` and `repeat`")
      return nil
    }
  }

  /// The id of a block, given or derived; reports a second one of that name.
  func id(_ reader: ObjectReader, derived: String) -> String? {
    let id = reader.has("id") ? reader.identifier("id") : derived
    guard let id else { return nil }
    return claim(id, at: reader["id"]?.position ?? reader.object.position, "block") ? id : nil
  }

  /// Remembers where a step, block or handler stands; false and reported where the id is taken.
  func claim(_ id: String, at position: SourcePosition, _ kind: String) -> Bool {
    if let first = positions[id] {
      sink.error("duplicate-\(kind)", at: position, "\(kind) `\(id)` has an id that is taken", hint: "the first is at \(first)")
      return false
    }
    positions[id] = position
    return true
  }

  // MARK: - Blocks

  private func choose(_ reader: ObjectReader, _ kind: String, depth: Int) -> Reading? {
    guard let items = reader.list(kind) else { return nil }
    let takesAll = kind == "choose_all"
    guard !items.isEmpty else {
      sink.error("empty-list", at: reader[kind]?.position, "`\(kind)` has no branches")
      return nil
    }
    let drafts = items.map { branch($0, depth: depth) }
    let reachable = ReachabilityAnalysis(loader: self).check(
      drafts.compactMap(\.self), takesAll: takesAll, chooseAt: reader.object.position)
    guard let firstBody = drafts.lazy.compactMap({ $0?.body }).first else {
      if drafts.allSatisfy({ $0?.isComplete ?? false }) {
        sink.error("empty-list", at: reader.object.position, "no branch of this `\(kind)` has a step")
      }
      return nil
    }
    guard let id = id(reader, derived: "choose-of-\(firstBody.block.id)") else { return nil }
    var branches: [Branch] = []
    var isComplete = true
    for draft in drafts {
      guard let draft, draft.isComplete, let name = draft.id else {
        isComplete = false
        continue
      }
      if branches.contains(where: { $0.id == name }) {
        sink.error("duplicate-branch", at: draft.value.position, "branch `\(name)` of `\(id)` has an id that is taken")
        isComplete = false
        continue
      }
      branches.append(Branch(id: name, when: draft.when, body: draft.body?.block))
    }
    guard isComplete else { return nil }
    let open = zip(drafts.compactMap(\.self), reachable).filter(\.1).map(\.0)
    return Reading(
      block: takesAll ? .chooseAll(id: id, branches) : .choose(id: id, branches),
      completes: takesAll ? open.allSatisfy { $0.body?.completes ?? true } : open.contains { $0.body?.completes ?? true },
      waits: drafts.allSatisfy { $0?.body?.waits ?? false })
  }

  /// A branch on its way to becoming one.
  struct BranchDraft {
    let value: PositionedJSON
    var id: String?
    var when: Condition?
    var isOtherwise = false
    var body: Reading?
    var isComplete = true
  }

  private func branch(_ item: PositionedJSON, depth: Int) -> BranchDraft? {
    guard let reader = ObjectReader(item, "a branch", keys: ["when", "then", "otherwise", "id"], sink) else { return nil }
    var draft = BranchDraft(value: item)
    draft.isOtherwise = reader.has("otherwise")
    let bodyKey = draft.isOtherwise ? "otherwise" : "then"
    for key in draft.isOtherwise ? ["when", "then"] : [] where reader.has(key) {
      sink.error("wrong-key", at: reader.keyPosition(key), "a branch has `when` and `then`, or only `otherwise`")
      draft.isComplete = false
    }
    if !draft.isOtherwise {
      draft.when = reader.required("when").flatMap { condition($0, expecting: .bool) }
      if draft.when == nil { draft.isComplete = false }
    }
    guard let items = reader.list(bodyKey, isRequired: true) else {
      draft.isComplete = false
      return draft
    }
    if !items.isEmpty {
      draft.body = sequence(items, id: nil, depth: depth + 1)
      if draft.body == nil { draft.isComplete = false }
      if case .sequence(let id, _)? = draft.body?.block, !claim(id, at: item.position, "block") { draft.isComplete = false }
    }
    if reader.has("id") {
      draft.id = reader.identifier("id")
    } else if draft.isOtherwise {
      draft.id = "otherwise"
    } else if let body = draft.body {
      draft.id = body.block.id
    } else if draft.isComplete {
      sink.error("missing-key", at: item.position, "a branch without steps needs `id`, by which the log names it")
    }
    if draft.id == nil { draft.isComplete = false }
    return draft
  }

  private func parallel(_ reader: ObjectReader, depth: Int) -> Reading? {
    guard let items = reader.list("parallel") else { return nil }
    guard items.count > 1 else {
      sink.error("empty-list", at: reader["parallel"]?.position, "`parallel` needs at least two lists of steps")
      return nil
    }
    var readings: [Reading] = []
    for item in items {
      guard let list = item.arrayValue, !list.isEmpty else {
        let kind = item.arrayValue == nil ? item.kind : "an empty one"
        sink.error("wrong-type", at: item.position, "`parallel` must hold lists of steps, not \(kind)")
        continue
      }
      guard let reading = sequence(list, id: nil, depth: depth + 1) else { continue }
      if case .sequence(let id, _) = reading.block, !claim(id, at: item.position, "block") { continue }
      readings.append(reading)
    }
    guard readings.count == items.count, let id = id(reader, derived: "parallel-of-\(readings[0].block.id)") else { return nil }
    let all = readings.count
    let join = reader.count("join", 1...Int64(all))
    if join == nil, reader.has("join") { return nil }
    if join == all, let value = reader["join"] {
      sink.warning("idle-join", at: value.position, "`join` of `\(id)` says what holds anyway: it is done when all \(all) are")
    }
    let needed = join ?? all
    return Reading(
      block: .parallel(id: id, readings.map(\.block), join: needed == all ? nil : needed),
      completes: readings.count(where: \.completes) >= needed, waits: readings.count(where: { !$0.waits }) < needed)
  }

  private func repeatBlock(_ reader: ObjectReader, depth: Int) -> Reading? {
    let items = reader.list("repeat") ?? []
    let until = reader.required("until").flatMap { condition($0, expecting: .bool) }
    let max = reader.count("max", 1...Int64(RunLimits.passes), isRequired: true)
    if items.isEmpty, let value = reader["repeat"], value.arrayValue != nil {
      sink.error("empty-list", at: value.position, "`repeat` has no steps")
    }
    var ends = true
    if let until, let value = reader["until"] {
      switch ReachabilityAnalysis(loader: self).outcome(of: until) {
      case .never:
        sink.error("endless-repeat", at: value.position, "this repeat is never done: `\(until.source)` is never true")
        ends = false
      case .always: sink.warning("single-pass", at: value.position, "this repeat is done after one pass: `\(until.source)` is always true")
      case .either: break
      }
    }
    guard !items.isEmpty, let body = sequence(items, id: nil, depth: depth + 1) else { return nil }
    if case .sequence(let id, _) = body.block, !claim(id, at: reader.object.position, "block") { return nil }
    if !body.waits {
      sink.error("idle-repeat", at: reader.object.position, "a pass of this repeat may have no step to do: give every way through it one")
    }
    guard let until, let max, let id = id(reader, derived: "repeat-of-\(body.block.id)") else { return nil }
    return Reading(block: .repeat(id: id, body: body.block, until: until, max: max), completes: ends && body.completes, waits: true)
  }

  private func wait(_ reader: ObjectReader) -> Reading? {
    var delay: Block.Delay?
    if let value = reader["wait"], value.objectValue != nil, value["working"] == nil {
      let moment = ObjectReader(value, "a wait", keys: ["until"], sink)?.required("until").flatMap { condition($0, expecting: .timestamp) }
      delay = moment.map { .until($0) }
    } else {
      delay = span(reader, "wait").map { .duration($0) }
    }
    guard let id = reader.identifier("id", isRequired: true), claim(id, at: reader["id"]?.position ?? reader.object.position, "block"),
      let delay
    else { return nil }
    return Reading(block: .wait(id: id, delay), completes: true, waits: true)
  }
}
