internal import Core

extension ProcessLoader {
  private static let toolKeys = [
    "connector", "title", "help", "effect", "action", "idempotent", "sink", "payload", "reads_untrusted", "returns_private", "arguments",
    "facts",
    "timeout", "command", "catalogue", "url", "method", "headers",
  ]

  /// Names that every process has; they belong to the engine.
  static let builtInTools = ["complete_step", "set_fields", "attach_evidence", "comment", "ask_human", "raise_exception"]

  func loadTools(_ reader: ObjectReader) {
    for member in reader.members("tools") {
      guard checkToolName(member), declare("tool", member.key, at: member.keyPosition), let tool = loadTool(member) else { continue }
      tools.append(tool)
    }
  }

  private func checkToolName(_ member: PositionedJSON.Member) -> Bool {
    let name = member.key
    let illegal = name.unicodeScalars.first { scalar in
      !(scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "_.-".unicodeScalars.contains(scalar)))
    }
    if let illegal {
      sink.error(
        "bad-name", at: member.keyPosition,
        "the tool `\(visible(name))` cannot have `\(visible(String(illegal)))`: letters, digits, `_`, `.` and `-` make a tool's name")
      return false
    }
    guard (1...128).contains(name.utf8.count), name.contains("."), !name.hasPrefix("."), !name.hasSuffix(".") else {
      sink.error(
        "bad-name", at: member.keyPosition, "the tool `\(visible(name))` needs a connector's name, a dot and an operation",
        hint: "such as `erp.activate_vendor`; at most 128 characters")
      return false
    }
    if let twin = tools.first(where: { $0.name != name && lookAlike($0.name) == lookAlike(name) }) {
      sink.error(
        "look-alike", at: member.keyPosition, "the tool `\(name)` looks like the tool `\(twin.name)`", hint: "give one another name")
      return false
    }
    return true
  }

  private func loadTool(_ member: PositionedJSON.Member) -> ToolDefinition? {
    let label = "tool `\(member.key)`"
    guard let reader = ObjectReader(member.value, label, keys: Self.toolKeys, sink) else { return nil }
    let connector = reader.word("connector", ToolDefinition.Connector.self, isRequired: true)
    let effect = reader.word("effect", ToolDefinition.Effect.self, isRequired: true)
    let isIdempotent = reader.flag("idempotent") ?? (effect == .read)
    if effect == .read, !isIdempotent {
      sink.error(
        "wrong-key", at: reader.keyPosition("idempotent"), "\(label) only reads, so a repeated call changes nothing: leave `idempotent` out"
      )
    }
    if effect == .state {
      sink.error(
        "wrong-effect", at: reader["effect"]?.position,
        "\(label) belongs to a connector, so its effect is `read` or `external`, not `state`")
    }
    let action = reader.word("action", ToolDefinition.Action.self) ?? (effect == .read ? .read : .write)
    if effect == .external, action == .read {
      sink.error(
        "wrong-action", at: reader["action"]?.position, "\(label) changes something outside, so its action is not `read`",
        hint: "`egress` is a read that tells an address outside what was asked")
    }
    let settings = connector.map { self.settings($0, reader, label: label) }
    let arguments = loadArguments(reader, label: label)
    let names = (arguments?["properties"]?.objectValue ?? [:]).keys
    let lists = ["sink", "payload"].map { key in
      reader.texts(key).compactMap { text, value -> String? in
        if names.contains(where: { bytesEqual($0, text) }) { return text }
        sink.unknown("argument", text, known: names, at: value.position)
        return nil
      }
    }
    let facts = loadFacts(reader, tool: member.key)
    let timeout = reader.duration("timeout") ?? ToolDefinition.standardTimeout
    if timeout > .seconds(3600) {
      sink.error("out-of-range", at: reader["timeout"]?.position, "`timeout` of \(label) is longer than an hour")
    }
    guard let connector, let effect, let settings, let arguments else { return nil }
    return ToolDefinition(
      name: member.key, title: reader.text("title"), help: reader.text("help"), connector: connector, settings: settings, effect: effect,
      action: action, isIdempotent: isIdempotent, sinks: lists[0], payload: lists[1],
      readsUntrusted: reader.flag("reads_untrusted") ?? true,
      returnsPrivate: reader.flag("returns_private") ?? true, arguments: arguments, facts: facts, timeout: timeout)
  }

  private func settings(_ connector: ToolDefinition.Connector, _ reader: ObjectReader, label: String) -> JSONObject {
    let own: [String] = connector == .command ? ["command", "catalogue"] : ["url", "method", "headers"]
    for key in ["command", "catalogue", "url", "method", "headers"] where !own.contains(key) && reader.has(key) {
      sink.error("wrong-key", at: reader.keyPosition(key), "`\(key)` is not for \(label), whose connector is `\(connector.rawValue)`")
    }
    switch connector {
    case .command:
      checkCommand("command", reader, label: label)
      if reader.has("catalogue") { checkCommand("catalogue", reader, label: label) }
    case .http: checkHTTP(reader, label: label)
    }
    return JSONObject(own.compactMap { key in reader[key].map { (key, $0.json) } })
  }

  private func checkCommand(_ key: String, _ reader: ObjectReader, label: String) {
    guard let words = reader.list(key, isRequired: true) else { return }
    if words.isEmpty { sink.error("empty-list", at: reader[key]?.position, "`\(key)` of \(label) is empty") }
    for word in words {
      guard let text = word.stringValue else {
        sink.error("wrong-type", at: word.position, "`\(key)` must hold texts, not \(word.kind)")
        continue
      }
      if text.utf8.contains(0) { sink.error("bad-command", at: word.position, "`\(key)` of \(label) holds a null character") }
    }
    if let first = words.first, first.stringValue?.isEmpty == true {
      sink.error("bad-command", at: first.position, "`\(key)` of \(label) names no program")
    }
  }

  private func checkHTTP(_ reader: ObjectReader, label: String) {
    if let url = reader.text("url", isRequired: true), !url.hasPrefix("https://"), !url.hasPrefix("http://") {
      sink.error("bad-url", at: reader["url"]?.position, "`url` of \(label) must begin with `https://` or `http://`")
    }
    if let method = reader.text("method"), !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method) {
      sink.unknown("method", method, known: ["GET", "POST", "PUT", "PATCH", "DELETE"], at: reader["method"]?.position)
    }
    for header in reader.members("headers") {
      let isToken = !header.key.isEmpty && header.key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
      if !isToken { sink.error("bad-header", at: header.keyPosition, "`\(visible(header.key))` is not the name of a header") }
      if let text = header.value.stringValue {
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
          sink.error("bad-header", at: header.value.position, "the value of header `\(visible(header.key))` holds a control character")
        }
      } else if let secret = ObjectReader(header.value, "header `\(header.key)`", keys: ["secret"], sink) {
        _ = secret.identifier("secret")
      }
    }
  }

  /// The JSON Schema of the arguments; an object that is closed unless it says otherwise.
  private func loadArguments(_ reader: ObjectReader, label: String) -> JSON? {
    guard let value = reader["arguments"] else {
      return ["type": "object", "properties": [:], "additionalProperties": false]
    }
    guard var schema = value.json.objectValue else {
      sink.error("wrong-type", at: value.position, "`arguments` must be a JSON Schema, not \(value.kind)")
      return nil
    }
    guard schema["type"] == "object" else {
      sink.error(
        "wrong-type", at: value["type"]?.position ?? value.position, "`arguments` of \(label) must be a JSON Schema of type `object`",
        hint: "write { type: \"object\", properties: { … }, required: [ … ] }")
      return nil
    }
    if schema["properties"] == nil { schema["properties"] = [:] }
    if schema["additionalProperties"] == nil, schema["unevaluatedProperties"] == nil { schema["additionalProperties"] = false }
    let names = schema["properties"]?.objectValue?.keys ?? []
    for name in value["required"]?.arrayValue ?? [] {
      guard let text = name.stringValue, !names.contains(where: { bytesEqual($0, text) }) else { continue }
      sink.unknown("argument", text, known: names, at: name.position)
    }
    do throws(Diagnostic) {
      let compiled = try JSONSchema(value, options: JSONSchema.Options(assertsFormats: true))
      compiled.warnings.forEach(sink.add)
      return .object(schema)
    } catch {
      sink.error(error.code, at: error.position ?? value.position, "`arguments` of \(label): \(error.message)", hint: error.hint)
      return nil
    }
  }

  private func loadFacts(_ reader: ObjectReader, tool: String) -> [FactDefinition] {
    var facts: [FactDefinition] = []
    for member in reader.members("facts") {
      guard checkIdentifier(member, "fact", sink), let value = loadField(member, what: "fact") else { continue }
      if let other = tools.first(where: { $0.facts.contains { $0.name == member.key && $0.value.schema != value.schema } }) {
        sink.error(
          "fact-mismatch", at: member.keyPosition, "fact `\(member.key)` has another schema in tool `\(other.name)`",
          hint: "facts of one name are one value: give them the same schema, or different names")
      }
      facts.append(FactDefinition(name: member.key, value: value))
    }
    return facts
  }
}

/// A form of a name in which names are equal that people take for one another: letter case, `-` and `_`, `0` and `O`, `1`, `l` and `I`.
func lookAlike(_ name: String) -> [UInt8] {
  name.utf8.map { byte in
    switch byte {
    case UInt8(ascii: "-"): UInt8(ascii: "_")
    case UInt8(ascii: "0"), UInt8(ascii: "O"), UInt8(ascii: "o"): UInt8(ascii: "o")
    case UInt8(ascii: "1"), UInt8(ascii: "I"), UInt8(ascii: "i"), UInt8(ascii: "L"), UInt8(ascii: "l"): UInt8(ascii: "l")
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
    default: byte
    }
  }
}
