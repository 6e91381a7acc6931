internal import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

extension PermissionGate {
  /// What happened because time passed.
  public struct TimePassed: Hashable, Sendable {
    /// Proposals on which nobody decided in time.
    public internal(set) var expired = 0
    /// Reminders of people who can decide.
    public internal(set) var reminded = 0
    /// Proposals that somebody else was asked about as well.
    public internal(set) var escalated = 0
    /// Timers of runs that fired.
    public internal(set) var fired = 0
    /// Runs that were started by the calendar.
    public internal(set) var started = 0
  }

  /// Ends what nobody decided in time, reminds and asks others where the rules say so, and fires the timers whose time has come
  /// and starts runs by the calendar.
  ///
  /// Everything follows from the log and the clock, so that nothing is lost while no process runs; what was missed then happens once.
  /// Nothing happens while the wall clock cannot be believed.
  /// - Returns: What happened.
  /// - Complexity: O(what is due), at most 1,000 of each kind in one call.
  @discardableResult
  public func passTime() async throws -> TimePassed {
    guard try await checkClock() else { return TimePassed() }
    let now = store.options.time.now()
    let due = try await store.read { context in
      let held = try context.database.query(
        "SELECT id, run FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'held' AND due <= ? ORDER BY due LIMIT 1000",
        [.integer(now.milliseconds)]
      ) { (id: $0.text(0), run: $0.optionalText(1)) }
      return (held: held, timers: try Self.dueTimers(at: now, limit: 1000, in: context))
    }
    var passed = TimePassed()
    for (id, run) in due.held {
      let drafted = try await store.submit { [self] context -> ([EntryDraft], TimePassed) in
        let docket = try Docket(id, run: try run.map { try context.run($0) }, shared: context.shared())
        guard let docket, docket.record.status == .held else { return ([], TimePassed()) }
        return try drafts(for: docket, at: decisionTime(in: context), in: context)
      }
      passed.expired += drafted.expired
      passed.reminded += drafted.reminded
      passed.escalated += drafted.escalated
    }
    for (run, timer) in due.timers {
      let outcome = try await submit(
        Proposal(
          id: mintID(), principal: SystemPrincipal.timer.rawValue, tool: BuiltinTool.fireTimer.rawValue,
          arguments: ["timer": .string(timer)], run: run))
      if outcome.verdict == .permit { passed.fired += 1 }
    }
    passed.started = try await startScheduled(at: now)
    return passed
  }

  /// The timers whose time has come, the oldest first, without those whose process or run is stopped: they fire once the stop is lifted.
  static func dueTimers(
    at now: Instant, limit: Int, in context: ReadContext<GovernanceLedger>
  ) throws -> [(run: String, id: String)] {
    let shared = try context.shared()
    let timers = try context.database.query(
      dueTimersQuery, [.integer(now.milliseconds), .int(shared.stops.isEmpty ? limit : 100 * limit)]
    ) { (run: $0.text(0), id: $0.text(1), process: $0.text(2)) }
    return timers.filter { shared.stop(process: $0.process, run: $0.run, agent: nil) == nil }.prefix(limit).map { ($0.run, $0.id) }
  }

  static let dueTimersQuery = """
    SELECT timer.run, timer.id, run.process FROM timer JOIN run ON run.id = timer.run WHERE timer.at <= ? ORDER BY timer.at LIMIT ?
    """

  /// What time does to one proposal that waits.
  private func drafts(
    for docket: Docket, at now: Instant, in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], TimePassed) {
    let (record, run) = (docket.record, docket.run)
    let timer = SystemPrincipal.timer.rawValue
    var passed = TimePassed()
    if let expires = record.expires, now > expires {
      passed.expired = 1
      return ([EntryDrafting.decision(.expire, on: record, run: run?.state.id, by: timer, identity: nil)], passed)
    }
    let eligibility = try eligibility(docket, at: now, in: context)
    var drafts: [EntryDraft] = []
    let waiting = eligibility.progress().stages
    for opened in waiting where record.stage(of: opened.rule).stage > opened.stage {
      // Somebody whose approval counted may not give it any more: the stage waits again, and its time begins now.
      drafts.append(
        EntryDrafting.note(
          "reopened", on: record, run: run?.state.id, by: timer, ["rule": .string(opened.rule), "stage": .int(opened.stage)]))
    }
    if !drafts.isEmpty { return (drafts, passed) }
    for wait in record.waits where wait.at <= now {
      switch wait.what {
      case .reminder:
        if passed.reminded > 0 { continue }
        drafts.append(EntryDrafting.note("reminded", on: record, run: run?.state.id, by: timer))
        passed.reminded = 1
      case .escalation(let requirement, let first):
        // A rung on which nobody stands is passed over.
        for (rung, step) in requirement.course.escalation.enumerated().dropFirst(first) {
          let to = step.to == .manager ? managers(for: requirement, eligibility, at: now) : [step.to.description]
          drafts.append(
            EntryDrafting.note(
              "escalated", on: record, run: run?.state.id, by: timer,
              [
                "rule": .string(requirement.rule), "rung": .int(rung), "stage": .int(requirement.stage),
                "to": .array(to.map { .string($0) }),
              ]))
          if !to.isEmpty { break }
        }
        passed.escalated = 1
      }
    }
    return (drafts, passed)
  }

  private func eligibility(_ docket: Docket, at now: Instant, in context: WriteContext<GovernanceLedger>) throws -> Eligibility {
    let release = try docket.run.map { run in try releases.release(run.state.release) { try context.evidence($0) } }
    return Eligibility(
      record: docket.record, run: docket.run, directory: try context.shared().directory, release: release, now: now)
  }

  /// The managers of those who could decide in the requirement's stage, as far up as somebody is there who may.
  private func managers(for requirement: ApprovalRequirement, _ eligibility: Eligibility, at now: Instant) -> [String] {
    let stage = eligibility.record.requirements.filter {
      $0.stage == requirement.stage && bytesEqual($0.rule, requirement.rule)
    }
    let directory = eligibility.directory
    var managers: [String] = []
    for person in directory.people where stage.contains(where: { eligibility.couldCount(person, towards: $0) }) {
      let manager = directory.chain(above: person, at: now).first { manager in
        stage.contains { !eligibility.isExcluded(manager, from: $0) }
      }
      if let manager, !managers.contains(manager.principal) { managers.append(manager.principal) }
    }
    return managers
  }
}

extension Directory {
  /// The managers of a person who are not absent, the nearest first.
  fileprivate func chain(above person: Person, at now: Instant) -> [Person] {
    var (current, chain) = (person, [Person]())
    // A directory has no circles of managers; the bound is for one that does.
    for _ in people {
      guard let manager = current.manager.flatMap({ self.person("user:\($0)") }) else { break }
      let isAbsent = absences.contains { $0.person == manager.id && $0.from <= now && now < $0.until }
      if !isAbsent { chain.append(manager) }
      current = manager
    }
    return chain
  }
}
