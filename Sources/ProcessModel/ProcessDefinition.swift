/// A process that has been loaded and checked: who owns it, which fields its runs hold, who does what in which order, and which controls
/// must hold.
///
/// Only ``load(_:context:)`` makes one, so every name in it is known, every condition type-checks, and every block has an id of its own.
/// It never changes; all who follow it share one object.
public final class ProcessDefinition: Sendable {
  /// The id, such as `vendor-onboarding`.
  public let id: String
  /// What people read.
  public let title: String
  /// Who answers for it.
  public let owner: Performer
  /// Why it exists.
  public let purpose: String
  /// How often its owner reviews it.
  public let reviewEvery: Duration?
  /// The controlled documents that govern it.
  public let documents: [String]
  /// When people work, where spans of working time are counted by it.
  public let calendar: WorkingCalendar?
  /// What starts a run.
  public let triggers: [Trigger]
  /// The fields, in file order.
  public let fields: [FieldDefinition]
  /// The agents, in file order.
  public let agents: [AgentDefinition]
  /// The connector tools, in file order.
  public let tools: [ToolDefinition]
  /// What is done, a sequence.
  public let root: Block
  /// What happens when a step is late or something goes wrong.
  public let handlers: [Handler]
  /// What must hold.
  public let controls: [Control]
  let index: BlockIndex

  init(
    id: String, title: String, owner: Performer, purpose: String, reviewEvery: Duration?, documents: [String], calendar: WorkingCalendar?,
    triggers: [Trigger],
    fields: [FieldDefinition], agents: [AgentDefinition], tools: [ToolDefinition], root: Block, handlers: [Handler], controls: [Control],
    index: BlockIndex
  ) {
    self.id = id
    self.title = title
    self.owner = owner
    self.purpose = purpose
    self.reviewEvery = reviewEvery
    self.documents = documents
    self.calendar = calendar
    self.triggers = triggers
    self.fields = fields
    self.agents = agents
    self.tools = tools
    self.root = root
    self.handlers = handlers
    self.controls = controls
    self.index = index
  }

  /// The field of that name.
  public func field(_ name: String) -> FieldDefinition? { index.fields[name].map { fields[$0] } }

  /// The agent of that name.
  public func agent(_ name: String) -> AgentDefinition? { agents.first { $0.name == name } }

  /// The tool of that name.
  public func tool(_ name: String) -> ToolDefinition? { tools.first { $0.name == name } }

  /// The step of that id, also one inside a handler.
  public func step(_ id: String) -> Step? {
    guard case .step(let step)? = index.nodes[id]?.block else { return nil }
    return step
  }

  /// The block of that id, also one inside a handler.
  public func block(_ id: String) -> Block? { index.nodes[id]?.block }

  /// Every step: those of the tree in file order, then those of handlers.
  public var steps: [Step] { root.steps + handlers.compactMap(\.body).flatMap(\.steps) }

  /// The facts that its tools can teach a run, once each, in file order.
  public var facts: [FactDefinition] {
    var seen: Set<String> = []
    return tools.flatMap(\.facts).filter { seen.insert($0.name).inserted }
  }
}
