public import CEL
internal import Core

extension ProcessLoader {
  /// Keys of JSON Schema that a field may use; they go into its schema as they stand.
  private static let schemaKeys = [
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "format", "items", "minItems", "maxItems", "uniqueItems", "properties", "additionalProperties",
  ]
  /// Keys that say more about a field than JSON Schema does.
  private static let ownKeys = ["title", "help", "unit", "sensitivity", "required"]

  func loadFields(_ reader: ObjectReader) {
    for member in reader.members("fields") {
      guard checkIdentifier(member, "field", sink), declare("field", member.key, at: member.keyPosition),
        let field = loadField(member, what: "field")
      else {
        hasAllFields = false
        continue
      }
      fields.append(field)
    }
  }

  /// Reads the declaration of a field or fact.
  func loadField(_ member: PositionedJSON.Member, what: String) -> FieldDefinition? {
    let label = "\(what) `\(member.key)`"
    guard let reader = ObjectReader(member.value, label, keys: Self.schemaKeys + Self.ownKeys, sink) else { return nil }
    let title = reader.text("title")
    let help = reader.text("help")
    let unit = reader.text("unit")
    let sensitivity = reader.word("sensitivity", Sensitivity.self)
    let isRequired = reader.flag("required") ?? true
    var choices: [JSON]?
    if let list = reader.list("enum") {
      choices = list.map(\.json)
      if list.isEmpty { sink.error("empty-list", at: reader["enum"]?.position, "`enum` of \(label) lists no values") }
    }
    guard let type = fieldType(reader, choices: choices, label: label) else { return nil }
    checkBounds(reader, type: type, label: label)
    var elementType: FieldDefinition.ValueType?
    if let items = reader["items"], let text = items["type"]?.stringValue {
      elementType = FieldDefinition.ValueType(rawValue: text)
    }
    let members = (member.value.objectValue ?? []).filter { Self.schemaKeys.contains($0.key) }.map { ($0.key, $0.value.json) }
    var schema = JSONObject(members)
    schema["type"] = .string(type.rawValue)
    if let title { schema["title"] = .string(title) }
    if let text = description(help: help, unit: unit) { schema["description"] = .string(text) }
    guard let validator = compile(schema, of: label, at: member.value) else { return nil }
    if let list = reader.list("enum") {
      for value in list {
        var plain = schema
        plain["enum"] = nil
        guard let bare = try? JSONSchema(.object(plain)), let violation = bare.validate(value.json, subject: "this value").first else {
          continue
        }
        sink.error("bad-choice", at: value.position, "\(label) does not allow a value that its `enum` lists: \(violation.message)")
      }
    }
    return FieldDefinition(
      name: member.key, type: type, elementType: elementType, choices: choices, title: title, help: help, unit: unit,
      sensitivity: sensitivity ?? .internal, isRequired: isRequired, schema: .object(schema), validator: validator)
  }

  private func description(help: String?, unit: String?) -> String? {
    switch (help, unit) {
    case (let help?, let unit?): "\(help) (in \(unit))"
    case (let help?, nil): help
    case (nil, let unit?): "in \(unit)"
    case (nil, nil): nil
    }
  }

  private func fieldType(_ reader: ObjectReader, choices: [JSON]?, label: String) -> FieldDefinition.ValueType? {
    if let value = reader["type"], value.arrayValue != nil {
      sink.error("wrong-type", at: value.position, "\(label) has several types; a field has one, and is left unset where it has no value")
      return nil
    }
    if reader.has("type") { return reader.word("type", FieldDefinition.ValueType.self) }
    guard let choices, let first = choices.first else {
      sink.error("missing-key", at: reader.object.position, "\(label) needs `type` or `enum`")
      return nil
    }
    let type: FieldDefinition.ValueType? =
      switch first {
      case .string: .string
      case .number: choices.allSatisfy { $0.numberValue?.isInteger ?? true } ? .integer : .number
      case .bool: .boolean
      default: nil
      }
    let isUniform = choices.allSatisfy { choice in
      switch (first, choice) {
      case (.string, .string), (.number, .number), (.bool, .bool): true
      default: false
      }
    }
    guard let type, isUniform else {
      sink.error("wrong-type", at: reader["enum"]?.position, "`enum` of \(label) must list texts, numbers or truth values, all of one type")
      return nil
    }
    return type
  }

  /// Reports keys that say nothing about values of the field's type.
  private func checkBounds(_ reader: ObjectReader, type: FieldDefinition.ValueType, label: String) {
    let groups: [(keys: [String], types: [FieldDefinition.ValueType], words: String)] = [
      (["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "unit"], [.integer, .number], "a number"),
      (["minLength", "maxLength", "pattern", "format"], [.string], "a text"),
      (["items", "minItems", "maxItems", "uniqueItems"], [.array], "a list"),
      (["properties", "additionalProperties"], [.object], "an object"),
    ]
    for group in groups where !group.types.contains(type) {
      for key in group.keys where reader.has(key) {
        sink.error("wrong-key", at: reader.keyPosition(key), "`\(key)` is for \(group.words), and \(label) is of type `\(type.rawValue)`")
      }
    }
    if let low = reader["minimum"]?.json.numberValue, let high = reader["maximum"]?.json.numberValue, high < low {
      sink.error("out-of-range", at: reader["maximum"]?.position, "`maximum` of \(label) is less than its `minimum`")
    }
  }

  /// Compiles the schema of a field; what is wrong is reported at the member that is to blame.
  private func compile(_ schema: JSONObject, of label: String, at value: PositionedJSON) -> JSONSchema? {
    let options = JSONSchema.Options(assertsFormats: true)
    do throws(Diagnostic) {
      let compiled = try JSONSchema(.object(schema), options: options)
      for warning in compiled.warnings {
        sink.warning(warning.code, at: value.position, "\(label): \(warning.message)", hint: warning.hint)
      }
      return compiled
    } catch {
      let culprit = (value.objectValue ?? []).first { member in
        Self.schemaKeys.contains(member.key) && (try? JSONSchema(.object([member.key: member.value.json]), options: options)) == nil
      }
      sink.error(error.code, at: culprit?.value.position ?? value.position, "\(label): \(error.message)", hint: error.hint)
      return nil
    }
  }

  /// Declares what conditions may read.
  func declareVariables() {
    environment.declareObject("run", fields: fields.map { ($0.name, $0.celType) })
    environment.declare("run", .object("run"))
    var facts: [(String, CELType)] = []
    for fact in tools.flatMap(\.facts) where !facts.contains(where: { $0.0 == fact.name }) { facts.append((fact.name, fact.value.celType)) }
    environment.declareObject("facts", fields: facts)
    environment.declare("facts", .object("facts"))
    environment.declare("requester", .string)
    environment.declare("now", .timestamp)
  }
}

extension FieldDefinition {
  /// The type that conditions see.
  public var celType: CELType {
    switch type {
    case .array: .list(elementType.map { Self.celType($0) } ?? .dyn)
    default: Self.celType(type)
    }
  }

  private static func celType(_ type: ValueType) -> CELType {
    switch type {
    case .string: .string
    case .integer: .int
    case .number: .double
    case .boolean: .bool
    case .array: .list(.dyn)
    case .object: .map(.string, .dyn)
    }
  }
}
