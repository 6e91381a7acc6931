internal import CEL
internal import Core

/// What one recorded run knows as it goes on: the system of record, and over it what tools answered.
struct RunFacts {
  private let description: FactDescription
  private let store: SystemOfRecord
  private var learned: [[ExactString: JSON]]

  init(_ description: FactDescription, _ store: SystemOfRecord) {
    self.description = description
    self.store = store
    learned = Array(repeating: [:], count: description.entities.count)
  }

  /// The facts of a call, and the names of those that could not be found.
  func facts(tool: String, arguments: JSONObject) -> (facts: JSONObject, missing: [String]) {
    var facts = JSONObject()
    var missing: [String] = []
    for fact in description.facts where fact.tools.map({ $0.contains { bytesEqual($0, tool) } }) ?? true {
      let values = JSONValues([("args", .object(arguments)), ("facts", .object(facts))], references: description.references)
      guard let value = value(of: fact, values) else {
        missing.append(fact.name)
        continue
      }
      facts[fact.name] = value
    }
    return (facts, missing)
  }

  /// Takes up the record that a tool answered with, and what else its call changed.
  mutating func learn(tool: String, arguments: JSONObject, output: JSON) {
    for (entity, kind) in description.entities.enumerated() {
      for change in kind.changes where change.tools.contains(where: { bytesEqual($0, tool) }) {
        apply(change, to: entity, [("args", .object(arguments)), ("output", output)])
      }
      for source in kind.sources where source.tools.contains(where: { bytesEqual($0, tool) }) {
        guard output.objectValue != nil else { continue }
        let values = JSONValues([("args", .object(arguments)), ("output", output)], references: description.references)
        guard let key = (try? source.key.evaluate(values)).flatMap(Self.key) else { continue }
        learned[entity][key] = output
      }
    }
  }

  private mutating func apply(_ change: FactDescription.Change, to entity: Int, _ variables: [(name: String, value: JSON)]) {
    let references = description.references
    guard let key = (try? change.key.evaluate(JSONValues(variables, references: references))).flatMap(Self.key),
      let record = record(entity, key),
      let result = try? change.values.evaluate(JSONValues(variables + [("record", record)], references: references)),
      let names = Self.keys(result)
    else { return }
    learned[entity][key] = Self.changed(record, change.path[...]) { value in
      switch (value, change.action) {
      case (.object(let object), .remove):
        .object(JSONObject(object.filter { !names.contains(ExactString($0.key)) }.map { ($0.key, $0.value) }))
      case (.array(let list), .remove): .array(list.filter { element in !names.contains { element == .string($0.string) } })
      case (.array(let list), .append): .array(list + names.map { .string($0.string) })
      default: value
      }
    }
  }

  /// The value with what stands at a path replaced; unchanged where the path leads nowhere.
  private static func changed(_ value: JSON, _ path: ArraySlice<String>, _ change: (JSON) -> JSON) -> JSON {
    guard let first = path.first else { return change(value) }
    guard var object = value.objectValue, let member = object[first] else { return value }
    object[first] = changed(member, path.dropFirst(), change)
    return .object(object)
  }

  private func value(of fact: FactDescription.Fact, _ values: JSONValues) -> JSON? {
    guard let result = try? fact.key.evaluate(values) else { return nil }
    if !fact.isMany { return Self.key(result).flatMap { record(fact.entity, $0) } }
    guard let keys = Self.keys(result) else { return nil }
    var records = JSONObject()
    for key in keys { if let record = record(fact.entity, key) { records[key.string] = record } }
    return .object(records)
  }

  private func record(_ entity: Int, _ key: ExactString) -> JSON? { learned[entity][key] ?? store.tables[entity][key] }

  private static func key(_ value: CELValue) -> ExactString? {
    switch value {
    case .string(let text): ExactString(text)
    case .int(let number): ExactString(String(number))
    default: nil
    }
  }

  /// The keys of a list, of lists in it as well, each once.
  private static func keys(_ value: CELValue) -> [ExactString]? {
    guard case .list(let elements) = value else { return nil }
    var keys: [ExactString] = []
    var seen: Set<ExactString> = []
    for element in elements {
      guard let own = key(element).map({ [$0] }) ?? Self.keys(element) else { return nil }
      for key in own where seen.insert(key).inserted { keys.append(key) }
    }
    return keys
  }
}
