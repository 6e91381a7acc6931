public import Audit
internal import CEL
public import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// A process that starts by the calendar.
public struct PlannedStarts: Sendable {
  /// A moment for which a start was planned, and what became of it.
  public struct Start: Sendable {
    /// The moment.
    public let time: Instant
    /// The id of the run, which follows from process, schedule and moment.
    public let run: String
    /// The id of the proposal to start it.
    public let proposal: String
    /// Where the proposal stands; nil while there is none.
    public let status: ProposalRecord.Status?
    /// Why it was refused; nil where it was not, or the reason was redacted.
    public let refusal: String?
  }

  /// The process.
  public let process: String
  /// The name of its trigger.
  public let trigger: String
  /// The five cron fields.
  public let cron: String
  /// The name of the time zone.
  public let zone: String
  /// Whether this machine knows the zone; without it nothing starts.
  public let isZoneKnown: Bool
  /// The latest start that has become due since the process has the schedule.
  public let latest: Start?
  /// When the next one is due.
  public let next: Instant?
}

extension PermissionGate {
  /// The schedules of the current releases, with their latest and next start.
  ///
  /// A schedule counts from the release that brought it, through later ones that keep it. Only the latest moment that has come is ever
  /// started: what was missed before it, while nothing ran or work was stopped, is not made up.
  /// - Complexity: O(schedules · days since their latest start).
  public func schedules(at now: Instant, in context: ReadContext<GovernanceLedger>) throws -> [PlannedStarts] {
    let shared = try context.shared()
    return try shared.processes.flatMap { process -> [PlannedStarts] in
      let releases = shared.releases.filter { $0.process == process }
      return try (releases.last.map { try triggers(of: $0, in: context) } ?? []).compactMap { trigger in
        guard case .schedule(let cron, let name) = trigger.source, let schedule = try? Schedule(cron) else { return nil }
        let zone = zones(name)
        let start = try since(trigger, releases, in: context)
        let latest = zone.flatMap { schedule.latest(at: now, after: start, in: $0) }
        return PlannedStarts(
          process: process, trigger: trigger.name, cron: cron, zone: name, isZoneKnown: zone != nil,
          latest: try latest.map { try self.start(process, trigger.name, at: $0, in: context) },
          next: zone.flatMap { schedule.next(after: now, in: $0) })
      }
    }
  }

  /// The triggers of a release; none where this build cannot use it.
  private func triggers(of record: SharedState.ReleaseRecord, in context: ReadContext<GovernanceLedger>) throws -> [Trigger] {
    do { return try release(record.digest, in: context).process.triggers } catch is Refusal { return [] }
  }

  /// When the process got the schedule that it has now.
  private func since(
    _ trigger: Trigger, _ releases: [SharedState.ReleaseRecord], in context: ReadContext<GovernanceLedger>
  ) throws -> Instant {
    var since = Instant(milliseconds: .max)
    for record in releases.reversed() {
      guard try triggers(of: record, in: context).contains(where: { $0.name == trigger.name }) else { break }
      since = record.time
    }
    return since
  }

  private func start(
    _ process: String, _ trigger: String, at time: Instant, in context: ReadContext<GovernanceLedger>
  ) throws -> PlannedStarts.Start {
    let key = SHA256.hash("start\n\(process)\n\(trigger)\n\(time.milliseconds)").hex.prefix(24)
    let row = try context.database.first("SELECT status, entry FROM proposal WHERE id = ?", [.text("p-\(key)")]) {
      (status: ProposalRecord.Status(rawValue: $0.text(0)), entry: $0.int(1))
    }
    let refusal = try row.flatMap { try context.entry(at: $0.entry)?.content(ContentPart.refusal) }
    return PlannedStarts.Start(
      time: time, run: "r-\(key)", proposal: "p-\(key)", status: row?.status,
      refusal: row?.status == .forbidden ? refusal.map { String(decoding: $0, as: UTF8.self) } : nil)
  }

  /// Starts what the calendar asks for, each once: its ids follow from process, schedule and moment.
  ///
  /// What is refused or held stays so, with its reason; it is not tried again.
  /// - Returns: How many runs were started.
  func startScheduled(at now: Instant) async throws -> Int {
    let due = try await store.read { [self] context in
      let shared = try context.shared()
      return try schedules(at: now, in: context).filter {
        $0.latest != nil && $0.latest?.status == nil && shared.stop(process: $0.process, run: nil, agent: nil) == nil
      }
    }
    var started = 0
    for planned in due {
      guard let latest = planned.latest else { continue }
      let proposal = Proposal(
        id: latest.proposal, principal: SystemPrincipal.timer.rawValue, tool: BuiltinTool.startRun.rawValue,
        arguments: ["process": .string(planned.process), "trigger": .string(planned.trigger)], run: latest.run,
        reason: "planned for \(latest.time.iso8601) by `\(planned.cron)` in \(planned.zone)")
      let wasStarted = try await store.submit { [self] context -> ([EntryDraft], Bool) in
        let isKnown = try context.database.first("SELECT 1 FROM proposal WHERE id = ?", [.text(proposal.id)]) { _ in true } ?? false
        if isKnown { return ([], false) }
        let (drafts, outcome) = try decide(proposal, evidence: [], in: context)
        return (drafts, outcome.verdict == .permit)
      }
      if wasStarted { started += 1 }
    }
    return started
  }
}
