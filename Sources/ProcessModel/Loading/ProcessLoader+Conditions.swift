internal import CEL
internal import Core

extension ProcessLoader {
  /// Compiles an expression of the file.
  ///
  /// Where fields were left out because of other problems, what is wrong here is not reported.
  func condition(_ value: PositionedJSON, expecting: CELType?) -> Condition? {
    guard let source = value.stringValue else {
      sink.error("wrong-type", at: value.position, "an expression must be a text, not \(value.kind)", hint: "write it in quotes")
      return nil
    }
    return condition(source, expecting: expecting) { value.position(inString: $0) }
  }

  /// Compiles an expression, whose byte at an offset stands in the file where `position` says.
  func condition(_ source: String, expecting: CELType?, position: (_ offset: Int) -> SourcePosition) -> Condition? {
    do throws(Diagnostics) {
      let program = try withoutActuallyEscaping(position) { (place) throws(Diagnostics) in
        try environment.compile(source, expecting: expecting, position: place)
      }
      checkChoices(program.expression, position)
      return Condition(source: source, program: program, slots: program.references.compactMap { RunSlot($0) })
    } catch {
      if hasAllFields { error.all.forEach(sink.add) }
      return nil
    }
  }

  /// Checks the arguments of a tool step against the tool's schema.
  func arguments(_ reader: ObjectReader, tool: ToolDefinition) -> [Step.Argument] {
    let properties = tool.arguments["properties"]?.objectValue ?? [:]
    let isClosed = tool.arguments["additionalProperties"] == false
    var arguments: [Step.Argument] = []
    for member in reader.members("arguments") {
      if isClosed, properties[member.key] == nil {
        sink.unknown("argument", member.key, known: properties.keys, at: member.keyPosition)
        continue
      }
      guard let value = condition(member.value, expecting: nil) else { continue }
      if let type = properties[member.key]?["type"]?.stringValue, !fits(value.program.type, type) {
        sink.error(
          "type-mismatch", at: member.value.position,
          "argument `\(member.key)` of tool `\(tool.name)` is of type `\(type)`, and `\(value.source)` is `\(value.program.type)`")
      }
      arguments.append(Step.Argument(name: member.key, value: value))
    }
    let given = reader.members("arguments").map(\.key)
    let needed = tool.arguments["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
    for name in needed where !given.contains(where: { bytesEqual($0, name) }) {
      sink.error(
        "missing-argument", at: reader.has("arguments") ? reader.keyPosition("arguments") : reader.object.position,
        "tool `\(tool.name)` needs argument `\(name)`")
    }
    return arguments
  }

  /// Whether a value of a CEL type can be of a JSON type.
  func fits(_ type: CELType, _ json: String) -> Bool {
    switch type {
    case .dyn, .error: true
    case .null: json == "null"
    case .bool: json == "boolean"
    case .int, .uint: json == "integer" || json == "number"
    case .double: json == "number"
    case .string, .timestamp, .duration, .bytes: json == "string"
    case .list: json == "array"
    case .map, .object: json == "object"
    default: false
    }
  }
}
