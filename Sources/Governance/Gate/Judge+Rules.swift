internal import CEL
internal import Core
internal import PolicyEngine
internal import ProcessModel

// Controls and rules: all are evaluated and all reported.
extension Judge {
  func applyControls(_ tool: Tool, _ step: RunState.StepState?, to judgement: inout Judgement) {
    guard let process = view.release?.process, let state = view.run?.state else { return }
    let left = process.controls.isEmpty ? [] : stepsLeft(by: tool.builtin, step, process)
    for control in process.controls {
      switch control.before {
      case .tool(let name): if !bytesEqual(name, tool.name) { continue }
      case .step(let id): if !left.contains(where: { bytesEqual($0, id) }) { continue }
      }
      let rule = "control:\(control.id)"
      var basis = RuleMatch.Basis.condition
      if let when = control.when {
        do throws(ConditionFailure) {
          if try !when.holds(in: state, now: view.now) { continue }
        } catch {
          judgement.errors.append(RuleError(rule: rule, message: error.description))
          basis = .error
        }
        for (path, value) in when.readings(in: state) { judgement.read[path] = value ?? .null }
      }
      judgement.matched.append(RuleMatch(rule: rule, effect: .hold, basis: basis, clause: control.clause, reason: control.statement))
      judgement.requirements.append(
        ApprovalRequirement(
          rule: rule, roles: control.approval.roles, count: control.approval.count, not: control.approval.not,
          isSigned: control.approval.isSigned))
    }
  }

  /// The steps that the run leaves behind with a call: going past one needs what completing it needs, or it were a way around a control.
  private func stepsLeft(by tool: BuiltinTool?, _ step: RunState.StepState?, _ process: ProcessDefinition) -> [String] {
    switch tool {
    case .completeStep, .skipStep: return step.map { [$0.occurrence.id] } ?? []
    case .resolveException where proposal.arguments["resolution"] == "proceed":
      let id = proposal.arguments["exception"]?.stringValue
      guard let place = view.run?.state.exceptions.first(where: { $0.id == id })?.at else { return [] }
      return process.block(place.id)?.steps.map(\.id) ?? []
    default: return []
    }
  }

  func applyRules(_ principal: Request.Principal, _ tool: Tool, _ step: RunState.StepState?, to judgement: inout Judgement) {
    if let builtin = tool.builtin, builtin.isOfWorkspace {
      return WorkspacePolicy(tool: builtin, proposal: proposal, view: view).apply(to: &judgement)
    }
    guard let release = view.release else {
      let process = proposal.arguments["process"]?.stringValue ?? view.run?.state.process ?? ""
      return judgement.refusal = Refusal(.releaseUnknown, "there is no release of `\(visible(process))`")
    }
    let state = view.run?.state
    let definition = step.flatMap { release.process.step($0.occurrence.id) }
    let requester = state.map { Request.Requester(id: $0.requester, roles: view.shared.directory.roles(of: $0.requester)) }
    let request = Request(
      principal: principal,
      tool: tool.definition.map { Request.Tool($0) } ?? Request.Tool(name: tool.name, effect: tool.effect, connector: tool.connector),
      arguments: proposal.arguments,
      step: step.map {
        Request.Step(
          id: $0.occurrence.id, risk: definition?.risk?.rawValue, iteration: $0.occurrence.iteration, performer: $0.performer.description)
      },
      run: state?.fieldValues ?? startFields, requester: requester, facts: state?.factValues ?? [:],
      labels: labels(tool, release),
      now: view.now, implied: implied + impliedForStart(principal, release))
    let (decision, uses) = decision(on: request, under: release, step?.occurrence, &judgement)
    for value in decision.read { judgement.read[value.path] = value.value ?? .null }
    judgement.errors += decision.errors
    let controls = judgement.matched.filter { $0.effect == .hold }
    judgement.matched = controls + decision.matched
    // A control asks for more, it never allows: without a permit or a hold of the rules nothing is carried out.
    judgement.verdict = decision.outcome == .permit && !controls.isEmpty ? .hold : decision.outcome
    if judgement.verdict == .permit { judgement.uses = uses }
    judgement.requirements = judgement.verdict == .hold ? judgement.requirements + decision.requirements : []
    if decision.outcome == .forbid {
      judgement.refusal = Refusal(.forbidden, Self.explanation(of: decision, tool: tool.name, principal: principal.id))
    }
  }

  /// The labels that the rules read, and no others: most rules read none.
  func labels(_ tool: Tool, _ release: Release) -> JSONObject {
    var labels: JSONObject = [:]
    func reads(_ groups: [String]) -> Bool {
      release.rules.readsLabels(groups) || view.guardRules?.readsLabels(groups) ?? false
    }
    if reads(["run", "facts"]), let state = view.run?.state { labels = state.labels(in: release.process, RunEndorsements(view)) }
    guard reads(ProvenanceIndex.labelGroups) else { return labels }
    let call = TracedCall(
      tool: tool.name, arguments: proposal.arguments, sinks: tool.definition?.sinks ?? [], schema: tool.definition?.arguments)
    for (group, value) in view.provenance().labels(of: call) { labels[group] = value }
    return labels
  }

  static func explanation(of decision: Decision, tool: String, principal: String) -> String {
    if decision.isDefault { return decision.explanation }
    let rules = decision.deciding.map { match in
      "rule `\(match.rule)`" + (match.clause.map { " (\($0))" } ?? "") + (match.reason.map { ": \($0)" } ?? "")
        + (match.basis == .error ? ", whose condition could not be evaluated" : "")
    }
    return "forbidden by " + rules.joined(separator: "; ")
  }

  var startFields: JSONObject {
    proposal.tool == BuiltinTool.startRun.rawValue ? proposal.arguments["fields"]?.objectValue ?? [:] : [:]
  }

  /// Starting a run is permitted to the role of its trigger, by an event without one to the owner of the process, and to the calendar by a
  /// trigger that is a schedule.
  func impliedForStart(_ principal: Request.Principal, _ release: Release) -> [RuleMatch] {
    guard proposal.tool == BuiltinTool.startRun.rawValue else { return [] }
    let named = proposal.arguments["trigger"]?.stringValue
    return release.process.triggers.compactMap { trigger in
      let mayStart =
        switch trigger.source {
        case .form(let role): (named == nil || named == trigger.name) && principal.roles.contains(role)
        case .event(let role?): named == trigger.name && principal.roles.contains(role)
        case .event(nil): named == trigger.name && holds(release.process.owner)
        case .schedule: isCalendar && named == trigger.name
        }
      return mayStart ? .implied("trigger:\(trigger.name)") : nil
    }
  }

  /// Whether it is a start that a schedule of the process asks for.
  var isCalendar: Bool {
    proposal.principal == SystemPrincipal.timer.rawValue && proposal.tool == BuiltinTool.startRun.rawValue
      && view.release?.process.triggers.contains { trigger in
        if case .schedule = trigger.source { proposal.arguments["trigger"]?.stringValue == trigger.name } else { false }
      } == true
  }
}

extension RunState {
  /// The fields that have a value, for conditions.
  var fieldValues: JSONObject { JSONObject(fields.compactMap { field in field.value.map { (field.name, $0) } }) }

  /// The facts that have a value, for conditions.
  var factValues: JSONObject { JSONObject(facts.compactMap { fact in fact.value.map { (fact.name, $0) } }) }

  /// Where each field and fact came from, and how far it may travel.
  ///
  /// `labels.run.vendor.origin`, `labels.facts.vendor_status.trusted`, `labels.run.iban.sensitivity`; `labels.facts.vendor_status.endorsement`
  /// is the entry of the endorsement that makes it trusted, where one does.
  func labels(in process: ProcessDefinition, _ endorsements: RunEndorsements) -> JSONObject {
    func label(_ name: String, _ value: JSON?, _ origin: Origin, _ sensitivity: Sensitivity?) -> JSON {
      let endorser = origin.trusted ? nil : endorsements.value(value, as: name) ?? endorsements.source(origin.label)
      var label: JSONObject = [
        "origin": .string(origin.label), "trusted": .bool(origin.trusted || endorser != nil),
        "sensitivity": .string((sensitivity ?? .restricted).rawValue),
      ]
      label["endorsement"] = endorser.map { .int($0.entry) }
      return .object(label)
    }
    var object: JSONObject = [:]
    if !fields.isEmpty {
      let labels = fields.map { ($0.name, label($0.name, $0.value, $0.origin, process.field($0.name)?.sensitivity)) }
      object["run"] = .object(JSONObject(labels))
    }
    if !facts.isEmpty {
      object["facts"] = .object(
        JSONObject(
          facts.map { fact in
            let tool = fact.tool.flatMap { process.tool($0) }
            return (fact.name, label(fact.name, fact.value, fact.origin, tool?.sensitivity(of: fact.name)))
          }))
    }
    return object
  }
}
