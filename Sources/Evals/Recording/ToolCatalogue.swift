public import Core
public import PolicyEngine

/// The tools that a recording knows, with the schemas of their arguments.
public struct ToolCatalogue: Sendable {
  /// One tool.
  public struct Tool: Sendable {
    /// Name and effect class.
    public let tool: Request.Tool
    /// What it does, for people and prompts.
    public let description: String
    /// The JSON Schema of its arguments as it was written.
    public let parameters: JSON
    /// Arguments that say where the effect goes.
    public let sinks: [String]
    /// Whether its results may hold text that an outsider wrote.
    public let readsUntrusted: Bool
    /// Whether its results may hold confidential values.
    public let returnsPrivate: Bool
    let schema: JSONSchema

    /// Whether it changes something outside.
    public var isConsequential: Bool { tool.isConsequential }
  }

  /// The tools, in the order of the file.
  public let tools: [Tool]
  private let places: [ExactString: Int]

  /// The tool with a name, byte for byte.
  public subscript(name: String) -> Tool? { places[ExactString(name)].map { tools[$0] } }

  /// The tools as rules may name them.
  public var policyTools: [PolicyEnvironment.Tool] { tools.map { PolicyEnvironment.Tool($0.tool, schema: $0.parameters) } }

  /// Reads a catalogue: one tool a line with `name`, `description`, `parameters`, `consequential`, and where there are some `kind` (`read`,
  /// `write`, `generic`), `effect` (a ``PolicyEngine/ToolAction``; `egress_read` is `egress`), `sink_args`, `reads_untrusted` and
  /// `returns_private`.
  ///
  /// A tool that does not say whether outsiders write what it returns is taken to return what they write.
  ///
  /// - Throws: ``Core/Diagnostic`` with the line of a tool that cannot be used: no name, two of one name, a bad schema.
  public init(path: String) throws(Diagnostic) {
    let lines = try JSONLines(path: path)
    var tools: [Tool] = []
    var places: [ExactString: Int] = [:]
    while let line = try lines.next() {
      func problem(_ message: String) -> Diagnostic { Diagnostic("bad-catalogue", at: lines.position, message) }
      guard let name = line["name"]?.stringValue else { throw problem("`name` is missing or no string") }
      if let trouble = ToolName.problem(with: name) { throw problem(trouble) }
      guard let parameters = line["parameters"] else { throw problem("the tool `\(name)` has no `parameters`") }
      guard places.updateValue(tools.count, forKey: ExactString(name)) == nil else { throw problem("there are two tools `\(name)`") }
      let isConsequential = line["consequential"]?.boolValue ?? (line["kind"]?.stringValue == "write")
      let effect: EffectClass = isConsequential ? .external : line["kind"]?.stringValue == "generic" ? .state : .read
      let schema: JSONSchema
      do throws(Diagnostic) {
        schema = try JSONSchema(parameters)
      } catch {
        throw problem("`parameters` of `\(name)`: \(error.message)")
      }
      var action: ToolAction?
      if let text = line["effect"]?.stringValue {
        action = ToolAction(rawValue: text == "egress_read" ? "egress" : text)
        if action == nil {
          throw problem("`effect` of `\(name)` is none of \(ToolAction.allCases.map(\.rawValue).joined(separator: ", "))")
        }
      }
      tools.append(
        Tool(
          tool: Request.Tool(name: name, effect: effect, connector: "recorded", action: action, isConsequential: isConsequential),
          description: line["description"]?.stringValue ?? "", parameters: parameters,
          sinks: line["sink_args"]?.arrayValue?.compactMap(\.stringValue) ?? [],
          readsUntrusted: line["reads_untrusted"]?.boolValue ?? true, returnsPrivate: line["returns_private"]?.boolValue ?? false,
          schema: schema))
    }
    self.tools = tools
    self.places = places
  }
}
