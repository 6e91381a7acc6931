internal import CEL
internal import Core

/// Compiles conditions in the environment of their rule: what a rule may read of the arguments depends on the tools that it is about.
struct ConditionCompiler {
  /// The references of all conditions of the file: one slot for each value, however many conditions read it.
  let references = CELReferenceTable()
  private let base: CELEnvironment
  private let tools: [PolicyEnvironment.Tool]?
  private var byTools: [[String]: CELEnvironment] = [:]

  init(environment: PolicyEnvironment) {
    tools = environment.tools
    var base = CELEnvironment(
      limits: CELLimits(sourceBytes: RuleSet.maximumConditionBytes, steps: RuleSet.maximumSteps), references: references)
    base.declareObject("run", fields: environment.fields.map { ($0.name, $0.type) })
    base.declareObject("step", fields: [("id", .string), ("risk", .string), ("iteration", .int), ("performer", .string)])
    base.declareObject("tool", fields: [("name", .string), ("effect", .string), ("connector", .string)])
    base.declareObject(
      "principal", fields: [("id", .string), ("kind", .string), ("roles", .list(.string)), ("owner", .string)])
    base.declareObject("requester", fields: [("id", .string), ("roles", .list(.string))])
    for name in ["run", "step", "tool", "principal", "requester"] { base.declare(name, .object(name)) }
    base.declare("facts", .map(.string, .dyn))
    base.declare("labels", .map(.string, .dyn))
    base.declare("now", .timestamp)
    self.base = base
  }

  /// Compiles the condition of a rule about these tools; nil with the problems reported.
  mutating func compile(_ source: String, in place: PositionedJSON, tools patterns: [ToolPattern], _ problems: inout Problems)
    -> CELProgram?
  {
    do throws(Diagnostics) {
      return try environment(for: patterns).compile(source, expecting: .bool) { place.position(inString: $0) }
    } catch {
      problems.add(contentsOf: error.all)
      return nil
    }
  }

  private mutating func environment(for patterns: [ToolPattern]) -> CELEnvironment {
    let matching = tools?.filter { tool in patterns.contains { $0.matches(tool.tool.name) } } ?? []
    let names = matching.map(\.tool.name)
    if let known = byTools[names] { return known }
    var environment = base
    if let type = ArgumentTypes.declare(matching.map(\.schema), as: "args", in: &environment) {
      environment.declare("args", type)
    } else {
      environment.declare("args", .map(.string, .dyn))
    }
    byTools[names] = environment
    return environment
  }
}
