public import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel

/// What the gate's entries mean: the fold that the live service, recovery, replay and verification share.
///
/// Entries state every consequence, so the fold reads no release, directory, clock or file.
public enum GovernanceLedger: Ledger {
  /// An entry that the fold does not accept.
  public struct Misfit: Error, Hashable, Sendable, CustomStringConvertible {
    /// What does not fit.
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// The shared state of an empty log.
  public static func start() -> SharedState { SharedState() }

  /// Folds an entry that belongs to no run.
  ///
  /// - Throws: ``Misfit``.
  public static func apply(_ entry: Entry, to shared: inout SharedState) throws {
    switch entry.type {
    case EntryType.storeOpened:
      guard shared.log == nil, entry.index == 0 else { throw Misfit("a store is opened once, by its first entry") }
      shared.log = try entry.body.text("log")
    case EntryType.proposal:
      let record = try ProposalRecord(entry)
      if record.status == .done { try applyConsequence(of: record, entry, to: &shared) }
      shared.append(record)
    case EntryType.approval:
      guard let place = shared.proposals.lastIndex(where: { $0.id == entry.body["proposal"]?.stringValue }) else {
        throw Misfit("a decision on a proposal that does not exist")
      }
      if entry.body["decision"]?.stringValue == ApprovalDecision.approve.rawValue,
        bytesEqual(entry.principal, shared.proposals[place].principal)
      {
        throw Misfit("an approval by who proposed it")
      }
      let executed = try shared.proposals[place].decide(entry)
      if executed { try applyConsequence(of: shared.proposals[place], entry, to: &shared) }
    case EntryType.approvalNoted:
      guard let place = shared.proposals.lastIndex(where: { $0.id == entry.body["proposal"]?.stringValue }) else {
        throw Misfit("a note on a proposal that does not exist")
      }
      try shared.proposals[place].note(entry)
    case EntryType.approvalRefused: break
    case EntryType.accessRefused: try shared.noteRefusedAccess(entry)
    case EntryType.allowanceEnded: try shared.endAllowance(entry)
    case EntryType.toolSuspended: try shared.suspendTool(entry)
    case EntryType.storeRestored: try shared.noteRestored(entry)
    case EntryType.contentRedacted: try shared.noteRedacted(entry)
    case EntryType.storeCopied:
      guard entry.bodyView["size"]?.intValue == Int64(entry.index) else { throw Misfit("a copy of a log of another size") }
    case EntryType.clockSuspected: try shared.suspectClock(entry)
    default: throw Misfit("an entry of type `\(entry.type)` belongs to a run, or is not known")
    }
  }

  /// Whether the directory of the moment lets those approve who did.
  public static func claim(of entry: Entry, in run: RunRecord) -> (@Sendable (SharedState) -> String?)? {
    guard ApprovalStanding.concerns(entry.type), let id = entry.bodyView["proposal"]?.stringValue, let record = run.proposal(id),
      !record.votes.isEmpty || entry.type == EntryType.approval
    else { return nil }
    let state = run.state
    return { shared in ApprovalStanding(record, run: state, directory: shared.directory, now: entry.time).problem(with: entry) }
  }

  /// Whether the directory before the entry lets those approve who did.
  public static func problem(with entry: Entry, after: SharedState, before: SharedState) -> String? {
    guard ApprovalStanding.concerns(entry.type), let id = entry.bodyView["proposal"]?.stringValue,
      let record = after.proposals.last(where: { bytesEqual($0.id, id) })
    else { return nil }
    return ApprovalStanding(record, run: nil, directory: before.directory, now: entry.time).problem(with: entry)
  }

  private static func applyConsequence(of record: ProposalRecord, _ entry: Entry, to shared: inout SharedState) throws {
    switch BuiltinTool(rawValue: record.tool) {
    case .setDirectory:
      // Redacted people are nobody: what they could approve, nobody can until a directory is set again.
      guard let bytes = entry.content(ContentPart.values) else { return shared.directory = Directory() }
      guard let directory = Directory(json: try JSON.parse(bytes)) else { throw Misfit("not a directory") }
      shared.directory = directory.following(shared.directory)
      shared.seed = directory
    case .changeDirectory:
      guard let bytes = entry.content(ContentPart.values) else { return shared.directory = Directory() }
      shared.directory = try shared.directory.applying(DirectoryChange.all(in: ["changes": try JSON.parse(bytes)]))
    case .makeRelease:
      let made = try entry.body.object("release")
      shared.releases.append(
        SharedState.ReleaseRecord(
          digest: try made.text("digest"), process: try made.text("process"), time: entry.time, by: record.principal, entry: entry.index))
    case .stop:
      let scope = try entry.body.text("scope")
      if !shared.stops.contains(scope) { shared.stops.append(scope) }
    case .resume:
      let scope = try entry.body.text("scope")
      shared.stops.removeAll { $0 == scope || scope == "all" }
    case .grantAllowance: try shared.grantAllowance(record, entry)
    case .stopAllowance: try shared.endAllowance(entry)
    case .setGuard:
      guard entry.bodyView["guard"] != nil else { return shared.guarding = nil }
      // What was redacted is no file of rules, and so nothing is decided under it.
      let text = String(decoding: entry.content(ContentPart.values) ?? [], as: UTF8.self)
      shared.guarding = WorkspaceGuard(text: text, by: record.principal, entry: entry.index)
    case .confirmClock: try shared.confirmClock(entry)
    case .acceptTool: try shared.acceptTool(entry)
    case .endorse: try shared.endorse(record, entry)
    case .withdrawEndorsement: try shared.withdrawEndorsement(record, entry)
    case .redact: try shared.allowRedaction(record, entry)
    case .setMode: shared.isTeam = try entry.body.text("workspace_mode") == WorkspaceMode.team.rawValue
    default: throw Misfit("the tool `\(record.tool)` belongs to a run")
    }
  }

  /// Folds an entry of a run.
  ///
  /// - Throws: ``Misfit``.
  public static func apply(_ entry: Entry, to run: inout RunRecord?) throws {
    switch entry.type {
    case EntryType.proposal:
      let record = try ProposalRecord(entry)
      if record.isProbe {
        guard record.status == .held, entry.bodyView["events"] == nil, run != nil else { throw Misfit("a probe that does something") }
        run?.probes.append(record)
        break
      }
      try applyEvents(of: entry, to: &run)
      run?.proposals.append(record)
      run?.noteCall(record, entry)
      try run?.noteAnswer(entry)
      try run?.noteReview(entry)
    case EntryType.approval:
      if entry.bodyView["decision"]?.stringValue == ApprovalDecision.approve.rawValue, let requester = run?.state.requester,
        bytesEqual(entry.principal, requester) || entry.bodyView["for"]?.stringValue.map({ bytesEqual($0, requester) }) ?? false
      {
        throw Misfit("an approval by who asked for the run, or in their place")
      }
      try update(&run, entry) { record in _ = try record.decide(entry) }
      try run?.noteReview(entry)
      try applyEvents(of: entry, to: &run)
    case EntryType.approvalNoted: try update(&run, entry) { record in try record.note(entry) }
    case EntryType.approvalRefused: if run == nil { throw Misfit("the first entry of a run must start it") }
    case EntryType.effectStarted: try update(&run, entry) { record in try record.start(entry) }
    case EntryType.effectSettled:
      try update(&run, entry) { record in try record.settle(entry) }
      run?.noteResult(entry)
      try applyEvents(of: entry, to: &run)
    default: throw Misfit("an entry of type `\(entry.type)` is not known, or belongs to no run")
    }
    run?.lastEntry = entry.index
    run?.updated = entry.time
  }

  private static func update(_ run: inout RunRecord?, _ entry: Entry, _ change: (inout ProposalRecord) throws -> Void) throws {
    guard let id = entry.bodyView["proposal"]?.stringValue else { throw Misfit("an entry about no proposal") }
    if let place = run?.probes.firstIndex(where: { $0.id == id }), var probe = run?.probes[place] {
      try change(&probe)
      guard [.held, .rejected, .voided, .expired, .withdrawn].contains(probe.status) else { throw Misfit("a probe that is carried out") }
      run?.probes[place] = probe
      return
    }
    guard let place = run?.place(of: id) else {
      throw Misfit("an entry about a proposal that the run does not have")
    }
    guard var record = run?.proposals[place] else { return }
    try change(&record)
    run?.proposals[place] = record
  }

  private static func applyEvents(of entry: Entry, to run: inout RunRecord?) throws {
    guard let structure = entry.bodyView["events"] else {
      if run == nil { throw Misfit("the first entry of a run must start it") }
      return
    }
    let values = try entry.content(ContentPart.values).map { try JSONView.parse($0) }
    for event in try RunEvent.decode(structure: structure, values: values) {
      if run == nil {
        guard let state = RunState(event) else { throw Misfit("the first event of a run must start it") }
        run = RunRecord(state: state, firstEntry: entry.index, started: entry.time, lastEntry: entry.index, updated: entry.time)
      } else if run?.state.apply(event) != true {
        throw Misfit("an event that does not fit the run's state")
      }
      run?.note(event, entry.index)
    }
  }
}

extension RunRecord {
  /// Keeps which entry a step's place with its performer comes from.
  fileprivate mutating func note(_ event: RunEvent, _ entry: Int) {
    switch event {
    case .stepReady(let step, _, _, _, _), .handedOver(let step, _, _, _, _), .exceptionRaised(_, let step, _, _, _),
      .assigned(let step, _, _, _):
      guard let place = state.steps.lastIndex(where: { $0.occurrence == step }) else { return }  // an exception at a block
      if place == stepEntries.count { stepEntries.append(entry) } else { stepEntries[place] = entry }
    default: break
    }
  }
}

extension RunRecord {
  /// Keeps the arguments of a call to a connector's tool.
  fileprivate mutating func noteCall(_ record: ProposalRecord, _ entry: Entry) {
    guard record.effect != .state, record.verdict != .forbid, BuiltinTool(rawValue: record.tool) == nil else { return }
    let bytes = entry.content(ContentPart.arguments)
    results.append(
      ToolResult(proposal: record.id, tool: record.tool, arguments: bytes.flatMap { hasRoom(for: $0.count) ? $0 : nil }))
  }

  /// Keeps what it returned.
  fileprivate mutating func noteResult(_ entry: Entry) {
    guard let id = entry.bodyView["proposal"]?.stringValue, let place = results.lastIndex(where: { bytesEqual($0.proposal, id) }) else {
      return
    }
    results[place].entry = entry.index
    if let bytes = entry.content(ContentPart.result), hasRoom(for: bytes.count) { results[place].result = bytes }
  }

  private func hasRoom(for count: Int) -> Bool { results.reduce(count) { $0 + $1.byteCount } <= ToolResult.maximumBytes }
}

extension SharedState {
  /// Keeps what is open, and the latest of the rest.
  fileprivate mutating func append(_ record: ProposalRecord) {
    proposals.append(record)
    if proposals.count > 256, let place = proposals.firstIndex(where: { !$0.status.isOpen }) { proposals.remove(at: place) }
  }
}

// MARK: - Records from entries

extension ProposalRecord {
  /// Reads the record of a proposal's own entry.
  init(_ entry: Entry) throws {
    let body = entry.bodyView
    guard let digest = body["digest"]?.digestValue else {
      _ = try body.text("digest")
      throw GovernanceLedger.Misfit("a digest has 64 hexadecimal digits")
    }
    guard let effect = EffectClass(rawValue: try body.text("effect")), let verdict = Outcome(rawValue: try body.text("verdict")) else {
      throw GovernanceLedger.Misfit("an unknown effect class or verdict")
    }
    var step: Occurrence?
    if let text = body["step"]?.stringValue {
      guard let occurrence = Occurrence(parsing: text) else { throw GovernanceLedger.Misfit("not a step") }
      step = occurrence
    }
    id = try body.text("proposal")
    self.entry = entry.index
    time = entry.time
    principal = entry.principal
    account = body["identity"].flatMap { Identity(body: $0) }?.personalAccount
    tool = try body.text("tool")
    self.effect = effect
    self.verdict = verdict
    self.step = step
    self.digest = digest
    requirements = try body["requirements"]?.elements?.map { try ApprovalRequirement(json: JSON($0)) } ?? []
    expires = body["expires"]?.intValue.map { Instant(milliseconds: $0) }
    call = body["call"]?.stringValue
    replaces = body["replaces"]?.stringValue
    release = entry.release
    status =
      switch verdict {
      case .permit: effect == .state ? .done : .granted
      case .hold: .held
      case .forbid: .forbidden
      }
    uses = try body["allowances"]?.elements?.map { try AllowanceUse(json: JSON($0)) } ?? []
    isEdited = body["editor"] != nil
    isProbe = try Probe.isSealed(in: entry)
    if let editor = body["editor"], editor.members != nil, body["editor_counts"]?.boolValue == true {
      votes.append(try Vote(editor, entry))
      try noteOpened(entry)
    }
  }

  /// The record of a proposal that is being decided and has no entry yet.
  init(_ proposal: Proposal, _ judgement: Judgement, entry: Int, release: String?, now: Instant) {
    id = proposal.id
    self.entry = entry
    time = now
    principal = proposal.principal
    account = proposal.identity?.personalAccount
    tool = proposal.tool
    effect = judgement.effect
    verdict = .hold
    step = judgement.step
    digest = judgement.digest
    requirements = judgement.requirements
    expires = nil
    call = proposal.call
    replaces = proposal.replaces
    self.release = release
    status = .held
    isEdited = proposal.editor != nil
  }

  /// Takes a decision over.
  ///
  /// - Returns: Whether the proposal was carried out with it.
  mutating func decide(_ entry: Entry) throws -> Bool {
    guard status == .held || status == .granted, let decision = ApprovalDecision(rawValue: try entry.bodyView.text("decision")) else {
      throw GovernanceLedger.Misfit("a decision on a proposal that does not wait for one")
    }
    guard entry.bodyView["digest"]?.digestValue == digest, entry.release == release else {
      throw GovernanceLedger.Misfit("a decision on another proposal than the one that it names: the digest or the release differs")
    }
    try noteDecision(decision, entry)
    switch decision {
    case .approve:
      votes.append(try Vote(entry.bodyView, entry))
      guard entry.bodyView["complete"]?.boolValue == true else { return false }
      let people = Set(votes.map { ExactString($0.principal) }).count
      guard min(people, Set(votes.map { ExactString($0.authority) }).count) >= peopleNeeded else {
        throw GovernanceLedger.Misfit("an approval that counts as the last although fewer than \(peopleNeeded) people approved")
      }
      status = effect == .state ? .done : .granted
      // What was passed in an emergency is judged by who looks at it afterwards.
      if !votes.contains(where: \.isBreakGlass) { judge(isRight: true, at: entry.time) }
      return effect == .state
    case .reject:
      status = .rejected
      judge(isRight: false, at: entry.time)
    case .expire: status = .expired
    case .withdraw: status = .withdrawn
    case .supersede:
      status = .superseded
      judge(isRight: false, at: entry.time)
    case .void: status = .voided
    }
    return false
  }

  /// The fewest people who can meet all requirements: nobody counts twice for one rule.
  private var peopleNeeded: Int {
    let hasBrokenGlass = votes.contains(where: \.isBreakGlass)
    let waiting = requirements.filter { !hasBrokenGlass || $0.course.breakGlass == nil }
    let byRule = Dictionary(grouping: waiting) { ExactString($0.rule) }
    return byRule.values.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 1
  }

  mutating func start(_ entry: Entry) throws {
    guard status == .granted || status == .inDoubt else {
      throw GovernanceLedger.Misfit("an effect that was not granted, or has begun already")
    }
    status = .started
    attempts += 1
    grant = entry.bodyView["grant"]?.stringValue
    deadline = entry.bodyView["deadline"]?.intValue.map { Instant(milliseconds: $0) }
    worker = entry.bodyView["worker"]?.stringValue
  }

  mutating func settle(_ entry: Entry) throws {
    guard status == .started || status == .inDoubt, let outcome = EffectOutcome.Kind(rawValue: try entry.bodyView.text("outcome")) else {
      throw GovernanceLedger.Misfit("an outcome of an effect that did not begin")
    }
    if let named = entry.bodyView["grant"]?.stringValue, named != grant {
      throw GovernanceLedger.Misfit("an outcome of another attempt than the one that began last")
    }
    if entry.bodyView["identity"] != nil, status != .inDoubt { throw GovernanceLedger.Misfit("a person settles only what is in doubt") }
    switch outcome {
    case .finished: status = .done
    case .failed: status = .failed
    case .inDoubt: status = .inDoubt
    }
  }
}

extension ProposalRecord.Vote {
  init(_ body: JSONView, _ entry: Entry) throws {
    guard let mode = Identity.Mode(rawValue: try body.text("mode")) else { throw GovernanceLedger.Misfit("an unknown mode") }
    principal = try body.text("by")
    authority = body["for"]?.stringValue ?? principal
    account = try body.text("account")
    time = entry.time
    self.mode = mode
    isOperator = body["operator"]?.boolValue == true
    key = body["key"]?.stringValue
    isBreakGlass = body["break_glass"]?.boolValue == true
  }
}

extension Identity {
  /// How the record says who it was: `by`, `account`, `mode`, `operator`.
  var body: JSONObject {
    var object: JSONObject = ["account": .string(account), "by": .string(principal), "mode": .string(mode.rawValue)]
    if isOperator { object["operator"] = true }
    if let uid { object["uid"] = .int(Int(uid)) }
    return object
  }

  /// Reads what ``body`` writes.
  init?(body: JSONObject) { self.init(body: JSONView(.object(body))) }

  /// Reads what ``body`` writes.
  init?(body: JSONView) {
    guard let by = body["by"]?.stringValue, let mode = body["mode"]?.stringValue.flatMap({ Mode(rawValue: $0) }) else { return nil }
    self.init(
      principal: by, account: body["account"]?.stringValue ?? "", mode: mode, isOperator: body["operator"]?.boolValue == true,
      uid: body["uid"]?.intValue.flatMap { UInt32(exactly: $0) })
  }
}

extension JSONView {
  func text(_ key: String) throws -> String {
    guard let value = self[key]?.stringValue else { throw GovernanceLedger.Misfit("`\(key)` is missing") }
    return value
  }
}

extension JSONObject {
  func text(_ key: String) throws -> String {
    guard let value = self[key]?.stringValue else { throw GovernanceLedger.Misfit("`\(key)` is missing") }
    return value
  }

  func object(_ key: String) throws -> JSONObject {
    guard let value = self[key]?.objectValue else { throw GovernanceLedger.Misfit("`\(key)` is missing") }
    return value
  }
}
