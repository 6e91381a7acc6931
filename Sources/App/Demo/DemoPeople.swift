internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// The seeded people of the demo: they file requests, do their own steps, and decide where no one sits at a terminal.
///
/// Everything that they do is recorded as scripted.
struct DemoPeople: Sendable {
  let workspace: Workspace
  /// The requests by run.
  let requests: [String: DemoRequest]

  static func identity(_ person: String) -> Identity { .scripted("user:\(person)") }

  // MARK: Filing

  /// Files a request as its own run; one that is there already is left alone.
  func file(_ request: DemoRequest, as run: String) async throws {
    let isThere = try await workspace.store.read { try $0.run(run) != nil }
    if isThere { return }
    let outcome = try await workspace.submit(
      .startRun, ["process": "vendor-onboarding", "fields": .object(request.fields)], run: run, by: Self.identity(request.requester))
    if outcome.verdict != .permit {
      throw CommandError(
        .failed, "demo", "the request for \(request.vendor) could not be filed: \(outcome.refusal?.message ?? outcome.verdict.rawValue)")
    }
  }

  // MARK: Own steps

  private struct Open: Sendable {
    var run: String
    var step: String
    var role: String
    var requester: String
    var state: RunState
  }

  /// Does every step that waits for a person.
  ///
  /// - Returns: How many steps were done.
  func doSteps() async throws -> Int {
    let open = try await workspace.store.read { view -> [Open] in
      let rows = try view.database.query(
        "SELECT run, step, performer FROM work WHERE performer >= 'role:' AND performer < 'role;' AND status = 'ready' ORDER BY since"
      ) { ($0.text(0), $0.text(1), String($0.text(2).dropFirst(5))) }
      return try rows.compactMap { run, step, role in
        guard let state = try view.run(run)?.state else { return nil }
        return Open(run: run, step: step, role: role, requester: state.requester, state: state)
      }
    }
    var done = 0
    for item in open {
      guard let request = requests[item.run], let person = try await person(for: item, request) else { continue }
      let id = Occurrence(parsing: item.step)?.id ?? item.step
      if id == "collect", !item.state.evidence.contains(where: { $0.name == "contract" }) {
        _ = try await workspace.attach(
          try Evidence.bytes(request.contract, media: "application/pdf"), as: "contract", run: item.run, step: item.step,
          by: Self.identity(person))
      }
      var arguments: JSONObject = [:]
      let fields = fields(of: id, request, item.state)
      if !fields.isEmpty { arguments["fields"] = .object(fields) }
      let outcome = try await workspace.submit(.completeStep, arguments, run: item.run, step: item.step, by: Self.identity(person))
      if outcome.verdict == .permit { done += 1 }
    }
    return done
  }

  /// Who does a step: the requester their own, everyone else one who did not ask.
  private func person(for item: Open, _ request: DemoRequest) async throws -> String? {
    if item.role == "requester" { return request.requester }
    let directory = try await workspace.store.read { try $0.shared().directory }
    return directory.holders(of: item.role).first { $0.principal != item.requester }?.id
  }

  private func fields(of step: String, _ request: DemoRequest, _ state: RunState) -> JSONObject {
    switch step {
    case "collect":
      let slug = request.vendor.lowercased().filter { $0.isASCII && $0.isLetter }
      return [
        "registration": .string("REG-\(1000 + request.amount)"), "contact": .string("invoices@\(slug).example"),
        "iban": .string(request.iban),
      ]
    case "classify":
      // An agent gave the step up; a person of procurement follows the table.
      let risk = Self.table(state, request)
      return ["risk": .string(risk.name), "risk_reason": .string("By clause 3.1 this is \(risk.name): \(risk.reason).")]
    case "review":
      var fields: JSONObject = ["review_outcome": .string(request.review)]
      fields["conditions"] = request.conditions.map { .string($0) }
      return fields
    case "settle": return ["settlement": "The vendor is not active in the ERP. The requester knows why and comes back."]
    default: return [:]
    }
  }

  /// The risk that the policy's table gives.
  static func table(_ state: RunState, _ request: DemoRequest) -> (name: String, reason: String) {
    func fact(_ name: String) -> JSON? { state.fact(name)?.value }
    return ScriptedAnalyst.table(
      country: request.country, amount: Double(request.amount), category: request.category, seesPersonalData: request.seesPersonalData,
      standing: fact("vendor_status")?.stringValue, disputes: fact("open_disputes")?.intValue ?? 0,
      isSanctioned: fact("sanctions_hit")?.boolValue ?? false)
  }

  // MARK: Decisions

  /// Decides one held proposal as the right people would: who may approve, approves what follows the policy, and rejects the rest.
  ///
  /// - Returns: What was decided, in words; nil where nobody may.
  func decide(_ item: Inbox.Decision) async throws -> Shown? {
    guard let run = item.run, let request = requests[run] else { return nil }
    let directory = try await workspace.store.read { try $0.shared().directory }
    let voted = Set(item.record.votes.map(\.principal))
    let state = try await workspace.store.read { try $0.run(run)?.state }
    for requirement in item.record.requirements {
      let people = requirement.roles.flatMap { directory.holders(of: $0) }
      if people.count(where: { voted.contains($0.principal) }) >= requirement.count { continue }
      guard let person = people.first(where: { $0.principal != item.requester && !voted.contains($0.principal) }) else { continue }
      do {
        let decision = try await decision(on: item, request, state)
        let outcome = try await workspace.gate.decide(item.record.id, decision, by: .scripted(person.principal), digest: item.record.digest)
        switch (decision, outcome.standing) {
        case (.reject(let reason), _): return "\("rejected", .bad) by \(person.name) (scripted): \(reason)"
        case (_, .pending): return "\("approved", .good) by \(person.name) (scripted), one more person is needed"
        default: return "\("approved", .good) by \(person.name) (scripted)"
        }
      } catch let refusal as Refusal where refusal.exitCode == .identity {
        continue
      }
    }
    return nil
  }

  private func decision(on item: Inbox.Decision, _ request: DemoRequest, _ state: RunState?) async throws -> PermissionGate.PersonDecision {
    if item.record.tool == "erp.activate_vendor", let rejection = request.rejection { return .reject(reason: rejection) }
    if item.record.tool == BuiltinTool.completeStep.rawValue, let state {
      // An agent says something else than the table: what it proposes is approved only where it says what the table says.
      let card = try await workspace.card(item.record.id)
      let risk = Self.table(state, request)
      if card.arguments["fields"]?["risk"]?.stringValue != risk.name {
        return .reject(reason: "by clause 3.1 the risk is \(risk.name): \(risk.reason)")
      }
    }
    return .approve
  }

  // MARK: What is stuck

  /// Answers agents' questions and resolves exceptions that no handler takes.
  ///
  /// - Returns: How many were looked after.
  func lookAfter(_ problems: [Inbox.Problem]) async throws -> Int {
    var done = 0
    for problem in problems where requests[problem.run] != nil {
      switch problem.kind {
      case "question":
        let answer: JSONObject = [
          "question": .string(problem.id), "text": "Use what the request, the CRM and clause 3.1 say; there is nothing else.",
        ]
        done += try await workspace.submit(.answer, answer, run: problem.run, by: Self.identity("ana")).verdict == .permit ? 1 : 0
      case "exception":
        let state = try await workspace.store.read { try $0.run(problem.run)?.state }
        let earlier = state?.exceptions.count { $0.resolution != nil } ?? 0
        let arguments: JSONObject = ["exception": .string(problem.id), "resolution": earlier < 2 ? "retry" : "end"]
        done +=
          try await workspace.submit(.resolveException, arguments, run: problem.run, by: Self.identity("ana")).verdict == .permit ? 1 : 0
      default: break
      }
    }
    return done
  }
}
