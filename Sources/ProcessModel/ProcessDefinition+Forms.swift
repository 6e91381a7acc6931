public import Core

extension ProcessDefinition {
  /// The JSON Schema of the fields that completing a step may set.
  ///
  /// - Returns: A closed object with the step's form, required fields named; `nil` for an unknown step and for a tool step.
  public func fieldSchema(step id: String) -> JSON? {
    guard let step = step(id) else { return nil }
    if case .tool = step.performer { return nil }
    return schema(of: step.form)
  }

  /// The JSON Schema of the fields that starting a run may set.
  ///
  /// - Parameter trigger: The name of a form or event; `nil` means the only form, or a start by hand where there is none.
  /// - Returns: A closed object; `nil` for an unknown trigger, and where several forms leave it open which is meant.
  public func fieldSchema(trigger: String?) -> JSON? {
    let forms = triggers.filter { if case .form = $0.source { true } else { false } }
    if let trigger { return triggers.first { bytesEqual($0.name, trigger) }.map { schema(of: $0.fields) } }
    guard forms.count <= 1 else { return nil }
    return schema(of: forms.first?.fields ?? [])
  }

  private func schema(of form: [FormField]) -> JSON {
    var properties: [(String, JSON)] = []
    for entry in form { if let field = field(entry.name) { properties.append((field.name, field.schema)) } }
    var schema: JSONObject = ["type": "object", "properties": .object(JSONObject(properties))]
    let required = form.filter(\.isRequired).map { JSON.string($0.name) }
    if !required.isEmpty { schema["required"] = .array(required) }
    schema["additionalProperties"] = false
    return .object(schema)
  }

  /// The arguments of the call that a tool step makes, computed from the run.
  ///
  /// - Returns: `nil` for a step that is no tool step.
  /// - Throws: ``ConditionFailure`` where an expression has no value; the step then cannot be done as it stands.
  public func arguments(ofToolStep occurrence: Occurrence, in state: RunState, now: Instant) throws(ConditionFailure) -> JSONObject? {
    guard let step = step(occurrence.id), case .tool = step.performer else { return nil }
    let seen = self.state(state, seenFrom: occurrence)
    var arguments: [(String, JSON)] = []
    for argument in step.arguments { arguments.append((argument.name, try argument.value.value(in: seen, now: now))) }
    return JSONObject(arguments)
  }

  /// The facts that a run can learn from a tool's result.
  ///
  /// - Parameters:
  ///   - result: What the tool answered. Members that the tool does not declare as facts are passed over.
  ///   - tool: The tool's name.
  /// - Returns: The members that meet their schema, and in words what is wrong with those that do not.
  public func facts(from result: JSON, tool: String) -> (facts: JSONObject, problems: [String]) {
    var facts: [(String, JSON)] = []
    var problems: [String] = []
    for fact in self.tool(tool)?.facts ?? [] {
      guard let value = result[fact.name] else { continue }
      if !value.isWithin(bytes: RunLimits.valueBytes) {
        problems.append("fact `\(fact.name)` is longer than \(RunLimits.valueBytes) bytes")
      } else if let problem = fact.value.problem(with: value, as: "fact") {
        problems.append(problem)
      } else {
        facts.append((fact.name, value))
      }
    }
    return (JSONObject(facts), problems)
  }
}

extension ProcessDefinition {
  /// The controls that stand before a call of a tool.
  public func controls(beforeTool name: String) -> [Control] { controls.filter { $0.before == .tool(name) } }

  /// The controls that stand before the completion of a step.
  public func controls(beforeStep id: String) -> [Control] { controls.filter { $0.before == .step(id) } }
}

extension Control {
  /// Whether the control applies to a run as it stands.
  ///
  /// - Throws: ``ConditionFailure`` where its condition has no value. The control then counts as one that applies.
  public func applies(to state: RunState, now: Instant) throws(ConditionFailure) -> Bool { try when?.holds(in: state, now: now) ?? true }
}
