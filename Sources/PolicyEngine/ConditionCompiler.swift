internal import CEL
internal import Core

/// Compiles conditions in the environment of their rule: what a rule may read of the arguments depends on the tools that it is about.
struct ConditionCompiler {
  /// The references of all conditions of the file: one slot for each value, however many conditions read it.
  let references = CELReferenceTable()
  /// Everything but `args`, and the objects of all arguments so far.
  private(set) var base: CELEnvironment
  private let tools: [PolicyEnvironment.Tool]?
  /// The type of `args` for each set of tools.
  private var byTools: [[String]: CELType] = [:]
  private var labels: [String: Int] = [:]

  init(environment: PolicyEnvironment) {
    tools = environment.tools
    var base = CELEnvironment(
      limits: CELLimits(sourceBytes: RuleSet.maximumConditionBytes, steps: RuleSet.maximumSteps), references: references)
    base.declareObject("run", fields: environment.fields.map { ($0.name, $0.type) })
    base.declareObject("step", fields: [("id", .string), ("risk", .string), ("iteration", .int), ("performer", .string)])
    base.declareObject(
      "tool",
      fields: [
        ("name", .string), ("effect", .string), ("connector", .string), ("action", .string), ("consequential", .bool), ("planned", .bool),
      ])
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
    -> RuleCondition?
  {
    do throws(Diagnostics) {
      let environment = environment(for: patterns)
      return RuleCondition(try environment.compile(source, expecting: .bool) { place.position(inString: $0) }, in: environment)
    } catch {
      problems.add(contentsOf: error.all)
      return nil
    }
  }

  private mutating func environment(for patterns: [ToolPattern]) -> CELEnvironment {
    let matching = tools?.filter { tool in patterns.contains { $0.matches(tool.tool.name) } } ?? []
    let names = matching.map(\.tool.name)
    let type: CELType
    if let known = byTools[names] {
      type = known
    } else {
      let schemas = matching.compactMap(\.schema)
      var found = CELType.map(.string, .dyn)
      if !matching.isEmpty, schemas.count == matching.count {
        found = ArgumentTypes.type(schemas, named: label(names), in: &base)
      }
      if case .object = found {} else { found = .map(.string, .dyn) }
      byTools[names] = found
      type = found
    }
    var environment = base
    environment.declare("args", type)
    return environment
  }

  /// What the arguments of tools are called in messages; a name of its own, as the objects of all conditions live in one environment.
  private mutating func label(_ names: [String]) -> String {
    let shown = names.prefix(2).joined(separator: ", ") + (names.count > 2 ? " and \(names.count - 2) more" : "")
    labels[shown, default: 0] += 1
    return "args of \(shown)" + (labels[shown] == 1 ? "" : " (\(labels[shown] ?? 0))")
  }
}
