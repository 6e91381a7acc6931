internal import CEL
internal import Core

extension ProcessLoader {
  private static let ruleLimit = 1_000
  private static let inputLimit = 32

  /// A rule on its way into a table, with the places that messages name.
  struct RuleDraft {
    let rule: DecisionTable.Rule
    let value: PositionedJSON
  }

  /// Reads a decision table and proves of it what can be proven.
  func table(_ reader: ObjectReader) -> Reading? {
    guard let id = reader.identifier("table"), let place = reader["table"]?.position else { return nil }
    let isFirst = claim(id, at: place, "table")
    let hit = reader.has("hit") ? reader.word("hit", DecisionTable.HitPolicy.self) : .unique
    let aggregation = reader.has("collect") ? reader.word("collect", DecisionTable.Aggregation.self) : .list
    if reader.has("collect"), let hit, hit != .collect {
      sink.error(
        "wrong-key", at: reader.keyPosition("collect"), "`collect` goes with `hit: \"collect\"`, and table `\(id)` has `\(hit.rawValue)`")
    }
    let inputs = (reader.list("inputs", isRequired: true) ?? []).map { value in condition(value, expecting: nil).map { ($0, value) } }
    if reader["inputs"]?.arrayValue?.isEmpty == true {
      sink.error("empty-list", at: reader["inputs"]?.position, "`inputs` of table `\(id)` is empty: a table decides about something")
    }
    if inputs.count > Self.inputLimit {
      sink.error("too-many", at: reader["inputs"]?.position, "table `\(id)` has more than \(Self.inputLimit) inputs")
    }
    guard let hit, let aggregation, let items = reader.list("rules", isRequired: true) else { return nil }
    if items.isEmpty || items.count > Self.ruleLimit {
      let problem = items.isEmpty ? "has no rules" : "has more than \(Self.ruleLimit) rules"
      sink.error(items.isEmpty ? "empty-list" : "too-many", at: reader["rules"]?.position, "table `\(id)` \(problem)")
      return nil
    }
    let known = inputs.compactMap(\.self)
    guard known.count == inputs.count, !inputs.isEmpty, inputs.count <= Self.inputLimit else { return nil }
    var layout = TableLayout(id: id, hit: hit, aggregation: aggregation, inputs: known.map(\.0))
    layout.outputs = items.lazy.compactMap { $0["set"]?.objectValue }.first?.map(\.key) ?? []
    let drafts = items.map { rule($0, layout) }
    var names: Set<String> = []
    for draft in drafts.compactMap(\.self) where !names.insert(draft.rule.id).inserted {
      sink.error("duplicate-rule", at: draft.value["id"]?.position, "rule `\(draft.rule.id)` of table `\(id)` has an id that is taken")
    }
    var otherwise: [DecisionTable.Output]?
    if let value = reader["otherwise"] { otherwise = outputs(value, "`otherwise` of table `\(id)`", layout, isWhole: true) }
    let rules = drafts.compactMap(\.self)
    guard isFirst, rules.count == drafts.count, !layout.outputs.isEmpty, otherwise != nil || !reader.has("otherwise") else { return nil }
    guard checkOrder(layout, rules) else { return nil }
    let table = DecisionTable(
      id: id, hit: hit, aggregation: aggregation, inputs: known.map(\.0), outputs: layout.outputs, rules: rules.map(\.rule),
      otherwise: otherwise)
    TableAnalysis(table: table, rules: rules, loader: self, position: place).check()
    return Reading(block: .table(table), completes: true, waits: false)
  }

  /// What the rules of one table share.
  struct TableLayout {
    let id: String
    let hit: DecisionTable.HitPolicy
    let aggregation: DecisionTable.Aggregation
    let inputs: [Condition]
    var outputs: [String] = []
  }

  private func rule(_ item: PositionedJSON, _ layout: TableLayout) -> RuleDraft? {
    guard let reader = ObjectReader(item, "a rule of table `\(layout.id)`", keys: ["id", "when", "set", "clause"], sink) else { return nil }
    let id = reader.required("id") == nil ? nil : reader.identifier("id")
    if let id, id == DecisionTable.otherwiseID {
      sink.error("bad-name", at: reader["id"]?.position, "a rule cannot be called `\(id)`: that is what the log calls no rule at all")
    }
    let clause = reader.text("clause")
    if let clause, let value = reader["clause"] { checkClause(clause, value, documents: documents) }
    guard let id, let cells = cells(reader, layout), let set = reader.required("set"),
      let outputs = outputs(set, "`set` of rule `\(id)`", layout, isWhole: false)
    else { return nil }
    return RuleDraft(rule: DecisionTable.Rule(id: id, cells: cells, outputs: outputs, clause: clause), value: item)
  }

  // MARK: - Cells

  private func cells(_ reader: ObjectReader, _ layout: TableLayout) -> [[Condition]]? {
    guard let items = reader.list("when", isRequired: true) else { return nil }
    guard items.count == layout.inputs.count else {
      sink.error(
        "wrong-length", at: reader["when"]?.position,
        "a rule of table `\(layout.id)` has \(layout.inputs.count) cells, one for each input, and this one has \(items.count)",
        hint: "write \"-\" where an input does not matter")
      return nil
    }
    var cells: [[Condition]] = []
    for (item, input) in zip(items, layout.inputs) {
      let tests = item.arrayValue ?? [item]
      if tests.isEmpty {
        sink.error("empty-list", at: item.position, "a cell is an empty list", hint: "write \"-\" where the input does not matter")
      }
      let conditions = tests.map { test($0, input) }
      if !tests.isEmpty, conditions.allSatisfy({ $0 != nil }) { cells.append(conditions.compactMap { $0 ?? nil }) }
    }
    return cells.count == items.count ? cells : nil
  }

  private static let operators = ["<=", ">=", "==", "!=", "<", ">", "in ", "in["]

  /// Reads a test of an input: `< 1000.0`, `in ['DE', 'AT']`, a whole condition, or `-`, which every value meets.
  ///
  /// - Returns: `nil`, reported, for what is none; a nil condition for `-`.
  private func test(_ value: PositionedJSON, _ input: Condition) -> Condition?? {
    guard let text = value.stringValue else {
      sink.error(
        "wrong-type", at: value.position, "a cell must be a text or a list of texts, not \(value.kind)",
        hint: "write a comparison such as \"< 1000.0\" or \"== true\", or \"-\" where the input does not matter")
      return nil
    }
    let space = text.utf8.prefix { $0 == UInt8(ascii: " ") }.count
    let bare = String(text.utf8.dropFirst(space)) ?? text
    if bare.utf8.elementsEqual("-".utf8) { return .some(nil) }
    guard Self.operators.contains(where: { bare.utf8.starts(with: $0.utf8) }) else {
      return condition(value, expecting: .bool).map(Optional.some)
    }
    let subject = input.program.expression.path == nil ? "(\(input.source)) " : "\(input.source) "
    let before = subject.utf8.count
    let composed = condition(subject + bare, expecting: .bool) { offset in
      value.position(inString: offset < before ? space : offset - before + space)
    }
    return composed.map(Optional.some)
  }

  // MARK: - Outputs

  private func outputs(_ value: PositionedJSON, _ what: String, _ layout: TableLayout, isWhole: Bool) -> [DecisionTable.Output]? {
    guard let members = value.objectValue else {
      sink.error("wrong-type", at: value.position, "\(what) must be an object, not \(value.kind)")
      return nil
    }
    if members.isEmpty { sink.error("empty-list", at: value.position, "\(what) sets no field") }
    for name in layout.outputs where !members.contains(where: { bytesEqual($0.key, name) }) {
      sink.error(
        "missing-output", at: value.position, "\(what) does not set `\(visible(name))`: all rules of a table set the same fields")
    }
    var outputs: [String: DecisionTable.Output] = [:]
    for member in members {
      guard layout.outputs.contains(where: { bytesEqual($0, member.key) }) else {
        sink.error(
          "extra-output", at: member.keyPosition,
          "\(what) sets `\(visible(member.key))`, and the first rule does not: all rules of a table set the same fields")
        continue
      }
      if let output = output(member, what, layout, isWhole: isWhole) { outputs[output.field] = output }
    }
    let ordered = layout.outputs.compactMap { outputs[$0] }
    return ordered.count == layout.outputs.count && !ordered.isEmpty ? ordered : nil
  }

  private func output(
    _ member: PositionedJSON.Member, _ what: String, _ layout: TableLayout, isWhole: Bool
  ) -> DecisionTable.Output? {
    guard isPlainName(member.key), let field = fields.first(where: { $0.name == member.key }) else {
      if hasAllFields { sink.unknown("field", member.key, known: fields.map(\.name), at: member.keyPosition) }
      return nil
    }
    guard let value = condition(member.value, expecting: nil) else { return nil }
    let isList = !isWhole && (layout.hit == .outputOrder || (layout.hit == .collect && layout.aggregation == .list))
    let isNumber = layout.hit == .collect && [.sum, .min, .max].contains(layout.aggregation)
    var expected: String? = field.type.rawValue
    if isList {
      guard field.type == .array else {
        sink.error(
          "type-mismatch", at: member.keyPosition,
          "field `\(field.name)` becomes a list of what several rules say, and is of type `\(field.type.rawValue)`")
        return nil
      }
      expected = field.elementType?.rawValue
    } else if isNumber, field.type != .number, field.type != .integer {
      sink.error(
        "type-mismatch", at: member.keyPosition,
        "field `\(field.name)` becomes the \(layout.aggregation.rawValue) of numbers, and is of type `\(field.type.rawValue)`")
      return nil
    } else if layout.hit == .collect, layout.aggregation == .count, !isWhole {
      if field.type != .integer && field.type != .number {
        sink.error(
          "type-mismatch", at: member.keyPosition, "field `\(field.name)` becomes a count, and is of type `\(field.type.rawValue)`")
        return nil
      }
      expected = nil
    }
    if let expected, !fits(value.program.type, expected) {
      sink.error(
        "type-mismatch", at: member.value.position,
        "\(isList ? "an element of field" : "field") `\(field.name)` is of type `\(expected)`, and `\(value.source)` is `\(value.program.type)`"
      )
      return nil
    }
    let constant = constant(value)
    if let constant, let problem = problem(with: constant, of: field, isElement: isList, isCounted: expected == nil && !isList) {
      sink.error("bad-output", at: member.value.position, "\(what): \(problem)")
      return nil
    }
    return DecisionTable.Output(field: field.name, value: value, constant: constant)
  }

  /// The value of an expression that reads nothing.
  private func constant(_ value: Condition) -> JSON? {
    guard value.program.references.isEmpty else { return nil }
    return try? value.program.evaluate(CaseActivation(values: [:], named: [])).json()
  }

  private func problem(with value: JSON, of field: FieldDefinition, isElement: Bool, isCounted: Bool) -> String? {
    if isCounted { return nil }
    guard isElement else { return field.problem(with: value) }
    guard let items = field.schema["items"], let schema = try? JSONSchema(items, options: .init(assertsFormats: true)) else { return nil }
    return schema.validate(value, subject: "an element of field `\(field.name)`").first?.message
  }

  /// Whether the first output has an order, where the hit policy goes by one; reported where it has not.
  private func checkOrder(_ layout: TableLayout, _ rules: [RuleDraft]) -> Bool {
    guard layout.hit == .priority || layout.hit == .outputOrder, let name = layout.outputs.first,
      let field = fields.first(where: { $0.name == name })
    else { return true }
    if field.order.isEmpty {
      let place = layout.hit == .priority ? "`enum`" : "`items.enum`"
      sink.error(
        "no-order", at: rules.first?.value.position,
        "table `\(layout.id)` goes by the order of field `\(name)`, which lists no values",
        hint: "give the field \(place), the first one first")
      return false
    }
    var isOrdered = true
    for draft in rules where draft.rule.outputs.first?.constant == nil {
      sink.error(
        "no-order", at: draft.value["set"]?.position,
        "rule `\(draft.rule.id)` of table `\(layout.id)` computes `\(name)`, by whose order the table goes: write one of its values")
      isOrdered = false
    }
    return isOrdered
  }
}
