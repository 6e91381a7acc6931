internal import CEL
internal import Core

/// Reads `facts.json5`; all problems are collected.
struct FactLoader {
  private(set) var problems: [Diagnostic] = []
  private let references = CELReferenceTable()
  private let recordKey: CELEnvironment
  private let factKey: CELEnvironment

  init() {
    var recordKey = CELEnvironment(references: references)
    recordKey.declare("args", .map(.string, .dyn))
    recordKey.declare("output", .dyn)
    recordKey.declare("record", .map(.string, .dyn))
    self.recordKey = recordKey
    var factKey = CELEnvironment(references: references)
    factKey.declare("args", .map(.string, .dyn))
    factKey.declare("facts", .map(.string, .dyn))
    self.factKey = factKey
  }

  mutating func load(_ file: PositionedJSON) -> FactDescription? {
    guard let top = members(file, "a description of facts", ["recording", "entities", "facts"]) else { return nil }
    var catalogue: String?
    var tasks: String?
    if let place = required("recording", top, file), let recording = members(place, "`recording`", ["catalogue", "tasks"]) {
      catalogue = required("catalogue", recording, place).flatMap { fileName($0) }
      tasks = recording["tasks"].flatMap { fileName($0) }
    }
    var entities: [FactDescription.Entity] = []
    if let place = required("entities", top, file) {
      guard let list = place.objectValue else {
        add("wrong-type", place, "`entities` is an object, one member for each kind of record")
        return nil
      }
      entities = list.compactMap { entity($0.key, $0.value) }
    }
    var facts: [FactDescription.Fact] = []
    if let place = required("facts", top, file) {
      if let list = place.arrayValue {
        facts = list.compactMap { fact($0, entities) }
      } else {
        add("wrong-type", place, "`facts` is a list")
      }
    }
    guard let catalogue, problems.isEmpty else { return nil }
    return FactDescription(catalogue: catalogue, tasks: tasks, entities: entities, facts: facts, references: references)
  }

  private mutating func entity(_ name: String, _ value: PositionedJSON) -> FactDescription.Entity? {
    guard let own = members(value, "the entity `\(visible(name))`", ["store", "from", "changes"]) else { return nil }
    var store: (String, [String])?
    if let place = own["store"], let parts = members(place, "`store`", ["file", "path"]) {
      if let file = required("file", parts, place).flatMap({ fileName($0) }) {
        store = (file, parts["path"].map { texts($0, "`path`") } ?? [])
      }
    }
    var sources: [FactDescription.Source] = []
    for source in own["from"]?.arrayValue ?? [] {
      guard let parts = members(source, "an element of `from`", ["tools", "key"]) else { continue }
      let tools = required("tools", parts, source).map { texts($0, "`tools`") } ?? []
      if let key = required("key", parts, source).flatMap({ program($0, recordKey) }) {
        sources.append(FactDescription.Source(tools: tools, key: key))
      }
    }
    if let from = own["from"], from.arrayValue == nil { add("wrong-type", from, "`from` is a list") }
    var changes: [FactDescription.Change] = []
    for change in own["changes"]?.arrayValue ?? [] { if let change = self.change(change) { changes.append(change) } }
    if let list = own["changes"], list.arrayValue == nil { add("wrong-type", list, "`changes` is a list") }
    if own["store"] == nil, own["from"] == nil {
      add("no-source", value, "the entity `\(visible(name))` needs `store` or `from`, or nothing is ever known of it")
    }
    return FactDescription.Entity(name: name, store: store, sources: sources, changes: changes)
  }

  private mutating func change(_ value: PositionedJSON) -> FactDescription.Change? {
    guard let own = members(value, "an element of `changes`", ["tools", "key", "at", "remove", "append"]) else { return nil }
    let tools = required("tools", own, value).map { texts($0, "`tools`") } ?? []
    let path = required("at", own, value).map { texts($0, "`at`") } ?? []
    guard (own["remove"] == nil) != (own["append"] == nil), let expression = own["remove"] ?? own["append"] else {
      add("change-action", value, "a change has either `remove` or `append`")
      return nil
    }
    guard let key = required("key", own, value).flatMap({ program($0, recordKey) }), let values = program(expression, recordKey) else {
      return nil
    }
    return FactDescription.Change(
      tools: tools, key: key, path: path, action: own["remove"] == nil ? .append : .remove, values: values)
  }

  private mutating func fact(_ value: PositionedJSON, _ entities: [FactDescription.Entity]) -> FactDescription.Fact? {
    guard let own = members(value, "a fact", ["name", "entity", "key", "keys", "tools"]) else { return nil }
    guard let name = required("name", own, value).flatMap({ text($0, "`name`") }),
      let place = required("entity", own, value), let kind = text(place, "`entity`")
    else { return nil }
    guard let entity = entities.firstIndex(where: { bytesEqual($0.name, kind) }) else {
      problems.append(.unknown("entity", kind, known: entities.map(\.name), at: place.position))
      return nil
    }
    guard (own["key"] == nil) != (own["keys"] == nil), let expression = own["key"] ?? own["keys"] else {
      add("fact-key", value, "a fact has either `key`, for one record, or `keys`, for several")
      return nil
    }
    guard let key = program(expression, factKey) else { return nil }
    let tools = own["tools"].map { texts($0, "`tools`") }
    return FactDescription.Fact(name: name, entity: entity, key: key, isMany: own["keys"] != nil, tools: tools)
  }

  private mutating func program(_ value: PositionedJSON, _ environment: CELEnvironment) -> CELProgram? {
    guard let source = text(value, "an expression") else { return nil }
    do throws(Diagnostics) {
      return try environment.compile(source) { value.position(inString: $0) }
    } catch {
      problems += error.all
      return nil
    }
  }

  // MARK: members

  private mutating func members(_ value: PositionedJSON, _ what: String, _ keys: [String]) -> [String: PositionedJSON]? {
    guard let list = value.objectValue else {
      add("wrong-type", value, "\(what) is an object")
      return nil
    }
    var found: [String: PositionedJSON] = [:]
    for member in list {
      if keys.contains(where: { bytesEqual($0, member.key) }) {
        found[member.key] = member.value
      } else {
        problems.append(.unknown("key", member.key, known: keys, at: member.keyPosition))
      }
    }
    return found
  }

  private mutating func required(_ key: String, _ members: [String: PositionedJSON], _ owner: PositionedJSON) -> PositionedJSON? {
    if members[key] == nil { add("missing-key", owner, "`\(key)` is missing") }
    return members[key]
  }

  private mutating func text(_ value: PositionedJSON, _ what: String) -> String? {
    guard let text = value.stringValue, !text.isEmpty else {
      add("wrong-type", value, "\(what) is a text")
      return nil
    }
    return text
  }

  private mutating func texts(_ value: PositionedJSON, _ what: String) -> [String] {
    guard let list = value.arrayValue else {
      add("wrong-type", value, "\(what) is a list of texts")
      return []
    }
    return list.compactMap { text($0, "an element of \(what)") }
  }

  /// The name of a file in the folder of the recording: no path leads out of it.
  private mutating func fileName(_ value: PositionedJSON) -> String? {
    guard let name = text(value, "the name of a file") else { return nil }
    if name.utf8.contains(UInt8(ascii: "/")) || name == "." || name == ".." || name.utf8.contains(0) {
      add("bad-file-name", value, "`\(visible(name))` is no name of a file beside the recording")
      return nil
    }
    return name
  }

  private mutating func add(_ code: String, _ place: PositionedJSON, _ message: String) {
    problems.append(Diagnostic(code, at: place.position, message))
  }
}
