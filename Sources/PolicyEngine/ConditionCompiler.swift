internal import CEL
internal import Core

/// Compiles conditions in the environment of their rule: what a rule may read of the arguments depends on the tools that it is about.
struct ConditionCompiler {
  /// The references of all conditions of the file: one slot for each value, however many conditions read it.
  let references = CELReferenceTable()
  /// Everything but `args`, and the objects of all arguments so far.
  private(set) var base: CELEnvironment
  private let tools: [PolicyEnvironment.Tool]?
  private let choices: [PolicyEnvironment.Choice]
  private let fields: [String]?
  private let facts: [(name: String, type: CELType)]?
  /// The type of `args` for each set of tools.
  private var byTools: [[String]: CELType] = [:]
  private var labels: [String: Int] = [:]

  init(environment: PolicyEnvironment) {
    tools = environment.tools
    choices = environment.choices
    fields = environment.kind == .guard ? nil : environment.fields.map(\.name)
    facts = environment.facts
    var base = CELEnvironment(
      limits: CELLimits(sourceBytes: RuleSet.maximumConditionBytes, steps: RuleSet.maximumSteps), references: references)
    // A guard is about processes that nobody has written yet.
    let isOpen = environment.kind == .guard && environment.fields.isEmpty
    if !isOpen { base.declareObject("run", fields: environment.fields.map { ($0.name, $0.type) }) }
    base.declareObject("step", fields: [("id", .string), ("risk", .string), ("iteration", .int), ("performer", .string)])
    base.declareObject(
      "tool",
      fields: [
        ("name", .string), ("effect", .string), ("connector", .string), ("action", .string), ("consequential", .bool), ("planned", .bool),
      ])
    base.declareObject(
      "principal", fields: [("id", .string), ("kind", .string), ("roles", .list(.string)), ("owner", .string)])
    base.declareObject("requester", fields: [("id", .string), ("roles", .list(.string))])
    base.declare("run", isOpen ? .map(.string, .dyn) : .object("run"))
    for name in ["step", "tool", "principal", "requester"] { base.declare(name, .object(name)) }
    if let facts { base.declareObject("facts", fields: facts.map { ($0.name, $0.type) }) }
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
      let matching = matching(patterns)
      let environment = environment(for: matching)
      let program = try environment.compile(source, expecting: .bool) { place.position(inString: $0) }
      checkReadings(source, program.expression, of: matching, in: environment, place, &problems)
      checkChoices(program.expression, of: matching, in: place, &problems)
      checkCost(program, in: place, &problems)
      return RuleCondition(program, in: environment)
    } catch {
      problems.add(contentsOf: error.all)
      return nil
    }
  }

  private func matching(_ patterns: [ToolPattern]) -> [PolicyEnvironment.Tool] {
    tools?.filter { tool in patterns.contains { $0.matches(tool.tool.name) } } ?? []
  }

  /// Reports constants to which what they are compared with can never be equal.
  private func checkChoices(
    _ expression: CELExpression, of matching: [PolicyEnvironment.Tool], in place: PositionedJSON, _ problems: inout Problems
  ) {
    guard let comparison = CELComparison(expression), let values = values(at: comparison.path, of: matching) else {
      for child in expression.children { checkChoices(child, of: matching, in: place, &problems) }
      return
    }
    let known = values.compactMap { try? CELValue(json: $0) }
    for constant in comparison.constants where !known.contains(where: { $0.isEqual(to: constant.value) }) {
      let text = constant.value.stringValue ?? (try? constant.value.json().text()) ?? ""
      let position = place.position(inString: constant.offset)
      problems.add(.unknown("value", text, known: values.map { $0.stringValue ?? $0.text() }, at: position))
    }
  }

  /// Reports names and types of facts and labels that nothing has.
  ///
  /// The condition itself is compiled with open maps: what a run has not learnt is then a missing fact, not a missing field.
  private func checkReadings(
    _ source: String, _ expression: CELExpression, of matching: [PolicyEnvironment.Tool], in environment: CELEnvironment,
    _ place: PositionedJSON, _ problems: inout Problems
  ) {
    if facts != nil, expression.readsMembers(of: "facts") {
      var typed = environment
      typed.declare("facts", .object("facts"))
      do throws(Diagnostics) {
        _ = try typed.compile(source, expecting: .bool) { place.position(inString: $0) }
      } catch {
        problems.add(contentsOf: error.all)
      }
    }
    guard let facts, expression.readsMembers(of: "labels") else { return }
    let schemas = matching.compactMap { $0.schema?["properties"]?.objectValue }
    let arguments = tools == nil || schemas.count < matching.count ? nil : schemas.flatMap(\.keys)
    let check = ReadingCheck(fields: fields, facts: facts.map(\.name), arguments: arguments)
    problems.add(contentsOf: check.problems(in: expression) { place.position(inString: $0) })
  }

  /// Warns of a condition that may not be evaluated to its end for values that are not unusually large.
  private func checkCost(_ program: CELProgram, in place: PositionedJSON, _ problems: inout Problems) {
    guard let maximum = program.estimatedCost({ _ in RuleSet.assumedSize }).maximum, maximum > RuleSet.maximumSteps else { return }
    problems.add(
      Diagnostic(
        "costly-condition", at: place.position,
        "the condition can take \(maximum) steps for values of \(RuleSet.assumedSize) elements or bytes, more than the limit of \(RuleSet.maximumSteps)",
        hint: "a condition that passes the limit counts as one that cannot be evaluated; avoid macros within macros", severity: .warning))
  }

  /// The values that something can have; nil where it can have others, or nobody knows.
  private func values(at path: [String], of matching: [PolicyEnvironment.Tool]) -> [JSON]? {
    if path.first != "args" { return choices.first { $0.path == path }?.values }
    let lists = matching.map { tool in tool.choices.first { $0.path == path }?.values }
    return lists.isEmpty || lists.contains { $0 == nil } ? nil : lists.flatMap { $0 ?? [] }
  }

  private mutating func environment(for matching: [PolicyEnvironment.Tool]) -> CELEnvironment {
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
