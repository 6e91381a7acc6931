internal import Audit
public import Core
internal import ProcessModel

extension PermissionGate {
  /// What a person can say about a proposal without deciding on it.
  public enum PersonNote: Sendable {
    /// Asks whoever proposed it something; it goes on waiting.
    case ask(String)
    /// Answers the oldest question that is open.
    case answer(String)
    /// Gives more time for a decision.
    case extend(until: Instant, reason: String)
    /// Says what an approval in an emergency was worth.
    case review(isRight: Bool, text: String)
  }

  /// Records what a person says about a proposal.
  ///
  /// - Parameters:
  ///   - id: The proposal.
  ///   - note: What is said.
  ///   - identity: The person.
  /// - Returns: Where the proposal stands then.
  /// - Throws: ``Refusal`` where the person may not say this, or there is nothing to say it about; the attempt is recorded. What the store
  ///   throws.
  @discardableResult
  public func note(_ id: String, _ note: PersonNote, by identity: Identity) async throws -> ProposalRecord {
    let result: Result<ProposalRecord, Refusal> = try await store.submit { [self] context in
      let docket = try docket(of: id, in: context)
      do {
        guard let docket else { throw Refusal(.proposalUnknown, "there is no proposal `\(visible(id))`") }
        let release = try docket.run.map { run in try releases.release(run.state.release) { try context.evidence($0) } }
        let shared = try context.shared()
        if let refusal = shared.refusal(of: identity) { throw refusal }
        let draft = try draft(note, on: docket, by: identity, shared.directory, release, now: decisionTime(in: context))
        return ([draft], .success(docket.record))
      } catch let refusal as Refusal {
        return ([EntryDrafting.refusedDecision(refusal, proposal: id, run: docket?.run?.state.id, identity: identity)], .failure(refusal))
      }
    }
    return try result.get()
  }

  /// The entry of a note, after its checks.
  private func draft(
    _ note: PersonNote, on docket: Docket, by identity: Identity, _ directory: Directory, _ release: Release?, now: Instant
  ) throws -> EntryDraft {
    let record = docket.record
    let eligibility = Eligibility(record: record, run: docket.run, directory: directory, release: release, now: now)
    func draft(_ name: String, _ text: String, _ more: JSONObject = [:]) throws(Refusal) -> EntryDraft {
      if text.isEmpty { throw Refusal(.argumentsInvalid, "there are no words") }
      if text.utf8.contains(0) { throw Refusal(.argumentsInvalid, "the text holds a NUL character") }
      if text.utf8.count > GateLimits.reasonBytes {
        throw Refusal(.argumentsTooLarge, "the text is longer than \(GateLimits.reasonBytes) bytes")
      }
      return EntryDrafting.note(
        name, on: record, run: docket.run?.state.id, by: identity.principal, identity: identity, text: text, more)
    }
    if case .review(let isRight, let text) = note {
      if record.reviewDue == nil {
        throw Refusal(
          .notHeld, "nothing about `\(record.id)` waits for a review: it was not passed in an emergency, or was looked at already")
      }
      try eligibility.checkMayReview(identity)
      return try draft("reviewed", text, ["verdict": .string(isRight ? "right" : "wrong")])
    }
    guard record.status == .held, record.expires.map({ now <= $0 }) ?? true else {
      throw Refusal(.notHeld, "the proposal is \(record.status == .held ? "expired" : record.status.rawValue) and waits for nobody")
    }
    switch note {
    case .ask(let text):
      try eligibility.check(identity, isEarly: true)
      if record.openQuestions.count >= GateLimits.openQuestions {
        throw Refusal(.rateLimit, "\(record.openQuestions.count) questions about it are open already")
      }
      return try draft("asked", text)
    case .answer(let text):
      try eligibility.checkMayAnswer(identity, processOwner: release?.process.owner)
      guard let question = record.openQuestions.first else { throw Refusal(.notHeld, "nobody has asked anything about `\(record.id)`") }
      return try draft("answered", text, ["question": .int(question.entry)])
    case .extend(let until, let reason):
      try eligibility.checkMayExtend(identity, processOwner: release?.process.owner)
      try checkExtension(of: record, until: until)
      return try draft("extended", reason, ["until": .int(until.milliseconds)])
    case .review: throw Refusal(.notHeld, "nothing waits for a review")
    }
  }

  /// Refuses what is no extension, one too many, or more time in one than the proposal had to begin with.
  private func checkExtension(of record: ProposalRecord, until: Instant) throws(Refusal) {
    guard let expires = record.expires, expires < until else {
      throw Refusal(.argumentsInvalid, "it waits until \(record.expires?.iso8601 ?? "for ever") already")
    }
    if record.extensions >= GateLimits.extensions {
      throw Refusal(.rateLimit, "it was extended \(record.extensions) times, which is the limit")
    }
    let longest = expires + (Self.expiry(of: record.requirements, from: record.time) - record.time)
    if until > longest {
      throw Refusal(.argumentsInvalid, "one extension gives at most as much time as it had to begin with: until \(longest.iso8601)")
    }
  }
}
