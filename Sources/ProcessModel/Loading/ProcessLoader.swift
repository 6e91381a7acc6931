internal import CEL
public import Core

extension ProcessDefinition {
  /// Reads and checks a process file.
  ///
  /// - Parameters:
  ///   - bytes: JSON5.
  ///   - file: The file's name, for messages.
  ///   - context: What names are checked against.
  /// - Returns: The process, and what may be a mistake but does not stop it.
  /// - Throws: Every problem that was found, each with its place; just the first one where the text is not JSON5.
  /// - Complexity: O(size of the file), and for each choice over fields with listed values at most 20,000 evaluations.
  public static func load(
    _ bytes: [UInt8], file: String?, context: ProcessContext = ProcessContext()
  ) throws(Diagnostics) -> (process: ProcessDefinition, warnings: [Diagnostic]) {
    let parsed: PositionedJSON
    do throws(JSONError) {
      parsed = try PositionedJSON.parseJSON5(bytes, file: file)
    } catch {
      throw Diagnostics([error.diagnostic])
    }
    return try load(parsed, context: context)
  }

  /// Checks a process file that has been parsed; as ``load(_:file:context:)``.
  public static func load(
    _ file: PositionedJSON, context: ProcessContext = ProcessContext()
  ) throws(Diagnostics) -> (process: ProcessDefinition, warnings: [Diagnostic]) {
    let loader = ProcessLoader(context)
    let process = loader.load(file)
    guard let process, !loader.sink.hasErrors else { throw Diagnostics(loader.sink.reported) }
    return (process, loader.sink.all.isEmpty ? [] : Diagnostics(loader.sink.all).all)
  }
}

/// Reads one process file.
///
/// Problems go to `sink`; what could not be read is left out, and the rest is still checked.
final class ProcessLoader {
  let context: ProcessContext
  let sink = DiagnosticSink()
  var fields: [FieldDefinition] = []
  var tools: [ToolDefinition] = []
  var agents: [AgentDefinition] = []
  var documents: [String] = []
  var hasCalendar = false
  var environment = CELEnvironment()
  /// Where steps, blocks and handlers stand, by id: the first of each.
  var positions: [String: SourcePosition] = [:]
  /// Which of these are steps.
  var stepIDs: Set<String> = []
  /// Ids in the bodies of handlers, which are claimed only as they are read.
  var announced: Set<String> = []
  /// Where fields, agents, tools and controls stand, by kind and name.
  var declared: [String: SourcePosition] = [:]
  /// False once something was left out, so that what refers to it is not reported as unknown as well.
  var hasAllFields = true
  /// False where the process has an unknown key, which may be a known one misspelt.
  private(set) var hasKnownKeys = true
  /// How many cases conditions may still be tried on, so that no file keeps the loader busy.
  var casesLeft = 500_000

  static let keys = [
    "process", "title", "owner", "purpose", "review", "documents", "calendar", "triggers", "fields", "agents", "tools", "steps", "on",
    "controls",
  ]

  init(_ context: ProcessContext) { self.context = context }

  func load(_ file: PositionedJSON) -> ProcessDefinition? {
    guard let reader = ObjectReader(file, "a process", keys: Self.keys, sink) else { return nil }
    hasKnownKeys = !sink.hasErrors
    declared["process"] = file.position
    let id = reader.identifier("process")
    let title = reader.text("title", isRequired: true)
    let purpose = reader.text("purpose", isRequired: true)
    let owner = performer(reader, "owner", isRequired: true)
    let review = reader["review"].flatMap { ObjectReader($0, "`review`", keys: ["every"], sink) }?.duration("every")
    documents = loadDocuments(reader)
    hasCalendar = reader.has("calendar")
    let calendar = loadCalendar(reader)
    loadFields(reader)
    loadTools(reader)
    declareVariables()
    loadAgents(reader)
    let triggers = loadTriggers(reader)
    let tree = loadSteps(reader)
    let handlers = loadHandlers(reader)
    let controls = loadControls(reader, documents: documents)
    guard let id, let title, let purpose, let owner, let tree, !sink.hasErrors else { return nil }
    let index = BlockIndex(root: tree, handlers: handlers, fields: fields)
    let process = ProcessDefinition(
      id: id, title: title, owner: owner, purpose: purpose, reviewEvery: review, documents: documents, calendar: calendar,
      triggers: triggers, fields: fields,
      agents: agents, tools: tools, root: tree, handlers: handlers, controls: controls, index: index)
    ProcessChecker(process: process, loader: self).check()
    return process
  }

  // MARK: - Names

  /// A role or a person: `role:compliance` or `user:ana`.
  func performer(_ reader: ObjectReader, _ key: String, isRequired: Bool = false) -> Performer? {
    guard let text = reader.text(key, isRequired: isRequired), let value = reader[key] else { return nil }
    guard let performer = Performer(parsing: text), performer.isPerson else {
      sink.error(
        "bad-principal", at: value.position, "`\(key)` must be a role or a person, not `\(visible(text))`",
        hint: "write \"role:\(isIdentifier(text) ? text : "compliance")\" or \"user:ana\"")
      return nil
    }
    switch performer {
    case .role(let role): checkRole(role, at: value.position(inString: 5))
    default:
      if !isPlainName(performer.name) || performer.name.utf8.contains(UInt8(ascii: ":")) {
        sink.error("bad-name", at: value.position(inString: 5), "`\(visible(performer.name))` is not the name of an account")
      } else if let users = context.users, !users.contains(where: { bytesEqual($0, performer.name) }) {
        sink.unknown("user", performer.name, known: users, at: value.position(inString: 5))
      }
    }
    return performer
  }

  /// Reports a role that is not known, and warns of one that nobody holds.
  func checkRole(_ role: String, at position: SourcePosition) {
    guard isIdentifier(role) else { return sink.error("bad-name", at: position, identifierProblem("role", role)) }
    guard let roles = context.roles else { return }
    guard let members = roles[role] else { return sink.unknown("role", role, known: roles.keys.sorted(), at: position) }
    if members == 0 { sink.warning("empty-role", at: position, "nobody holds role `\(role)`") }
  }

  /// The names of fields in a form: `"vendor"` or `{ field: "vendor", required: false }`.
  func form(_ reader: ObjectReader, _ key: String) -> [FormField] {
    var form: [FormField] = []
    for entry in reader.list(key) ?? [] {
      var name = entry.stringValue
      var place = entry
      var isRequired: Bool?
      if name == nil {
        guard let entryReader = ObjectReader(entry, "an entry of `\(key)`", keys: ["field", "required"], sink) else { continue }
        name = entryReader.text("field", isRequired: true)
        place = entryReader["field"] ?? entry
        isRequired = entryReader.flag("required")
      }
      guard let name else { continue }
      guard isPlainName(name), let field = fields.first(where: { $0.name == name }) else {
        if hasAllFields { sink.unknown("field", name, known: fields.map(\.name), at: place.position) }
        continue
      }
      if form.contains(where: { $0.name == name }) {
        sink.error("duplicate", at: place.position, "field `\(name)` stands twice in `\(key)`")
        continue
      }
      form.append(FormField(name: name, isRequired: isRequired ?? field.isRequired))
    }
    return form
  }

  private func loadDocuments(_ reader: ObjectReader) -> [String] {
    reader.texts("documents").map { text, value in
      if let documents = context.documents, documents[text] == nil {
        sink.unknown("document", text, known: documents.keys.sorted(), at: value.position)
      }
      return text
    }
  }

  /// Remembers where something is declared; reports a second one of that name.
  func declare(_ kind: String, _ name: String, at position: SourcePosition) -> Bool {
    if let first = declared["\(kind) \(name)"] {
      sink.error("duplicate-\(kind)", at: position, "\(kind) `\(name)` is declared twice", hint: "the first is at \(first)")
      return false
    }
    declared["\(kind) \(name)"] = position
    return true
  }
}
