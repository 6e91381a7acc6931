internal import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Writes the gate's entries.
enum EntryDrafting {
  /// The entry of a proposal with its verdict and consequences.
  static func proposal(
    _ proposal: Proposal, _ judgement: Judgement, release: Release?, expires: Instant?, editorCounts: Bool,
    opens: [ApprovalProgress.Opened] = [], evidence: [Evidence], probe: Probe? = nil
  ) throws -> EntryDraft {
    // In the order of their names, as the envelope has them: then nothing has to be sorted.
    var body = JSONObject(capacity: 16)
    if !judgement.uses.isEmpty { body["allowances"] = .array(judgement.uses.map(\.json)) }
    if let answer = judgement.answer, judgement.verdict == .permit {
      body["answer"] = ["proposal": .string(answer.proposal), "question": .int(answer.question)]
    }
    body["call"] = proposal.call.map { .string($0) }
    body["digest"] = .string(judgement.digest.hex)
    if let editor = proposal.editor {
      body["editor"] = .object(editor.body)
      body["editor_counts"] = .bool(editorCounts)
    }
    body["effect"] = .string(judgement.effect.rawValue)
    if !judgement.errors.isEmpty {
      body["errors"] = .array(judgement.errors.map { .object(["message": .string($0.message), "rule": .string($0.rule)]) })
    }
    let values = add(judgement.events, to: &body)
    body["expires"] = expires.map { .int($0.milliseconds) }
    if let identity = proposal.identity { body["identity"] = .object(identity.body) }
    if !opens.isEmpty { body["opens"] = .array(opens.map(\.json)) }
    body["proposal"] = .string(proposal.id)
    body["refusal"] = judgement.refusal.map { .string($0.code) }
    body["replaces"] = proposal.replaces.map { .string($0) }
    if !judgement.requirements.isEmpty { body["requirements"] = .array(judgement.requirements.map(\.json)) }
    if !judgement.matched.isEmpty { body["rules"] = .array(judgement.matched.map(\.json)) }
    if proposal.isScripted { body["scripted"] = true }
    body["step"] = judgement.step.map { .string($0.description) }
    body["tool"] = .string(proposal.tool)
    body["verdict"] = .string(judgement.verdict.rawValue)
    var content: [Content] = []
    if judgement.refusal?.code != Refusal.Code.argumentsTooLarge.rawValue {
      content.append(Content(ContentPart.arguments, judgement.canonicalArguments ?? exactBytes(of: .object(proposal.arguments))))
      if let reason = proposal.reason { content.append(Content(ContentPart.reason, Array(reason.utf8))) }
    }
    if let refusal = judgement.refusal { content.append(Content(ContentPart.refusal, Array(refusal.message.utf8))) }
    if !judgement.read.isEmpty { content.append(Content(ContentPart.read, JSON.object(judgement.read).canonicalBytesRounding())) }
    if let values { content.append(values) }
    if judgement.verdict == .hold, proposal.run != nil { content.append(Probe.seal(probe)) }
    if judgement.verdict == .permit { try addWorkspaceConsequence(of: proposal, basis: judgement.basis, to: &body, &content) }
    return EntryDraft(
      type: EntryType.proposal, run: proposal.run, principal: proposal.principal, release: release?.digest.hex, body: body,
      content: content, evidence: evidence)
  }

  /// What carrying out a proposal about the workspace means.
  static func addWorkspaceConsequence(
    of proposal: Proposal, basis: AllowanceBasis?, to body: inout JSONObject, _ content: inout [Content]
  ) throws {
    switch BuiltinTool(rawValue: proposal.tool) {
    case .setDirectory:
      content.append(Content(ContentPart.values, try (proposal.arguments["directory"] ?? .null).canonicalBytes()))
    case .changeDirectory:
      content.append(Content(ContentPart.values, try (proposal.arguments["changes"] ?? .null).canonicalBytes()))
    case .makeRelease:
      body["release"] = .object([
        "digest": .string(ReleaseManifest.digest(of: proposal.arguments["manifest"] ?? .null).hex),
        "process": proposal.arguments["process"] ?? .null,
      ])
    case .setGuard:
      guard let text = proposal.arguments["text"]?.stringValue else { return }
      body["guard"] = .string(SHA256.hash(text).hex)
      content.append(Content(ContentPart.values, Array(text.utf8)))
    case .confirmClock: body["clock_confirmed"] = proposal.arguments["at"]
    case .setMode: body["workspace_mode"] = proposal.arguments["mode"]
    case .acceptTool:
      body["tool_accepted"] = [
        "parts": proposal.arguments["parts"] ?? .null, "release": proposal.arguments["release"] ?? .null,
        "tool": proposal.arguments["tool"] ?? .null,
      ]
    case .stop, .resume: body["scope"] = proposal.arguments["scope"]
    case .grantAllowance: try addGrant(proposal, basis, to: &body, &content)
    case .stopAllowance: addStop(proposal, to: &body, &content)
    case .endorse: try addEndorsement(proposal, to: &body, &content)
    case .withdrawEndorsement: body["endorsement_withdrawn"] = proposal.arguments["endorsement"]
    case .redact:
      body["redaction"] = ["rule": proposal.arguments["rule"] ?? .null, "targets": proposal.arguments["targets"] ?? .null]
    case .reviewCall:
      body["review"] = ["proposal": proposal.arguments["proposal"] ?? .null, "verdict": proposal.arguments["verdict"] ?? .null]
    default: break
    }
  }

  /// The entry of a decision on a held proposal.
  static func decision(
    _ decision: ApprovalDecision, on record: ProposalRecord, run: String?, by principal: String, identity: Identity?,
    authority: String? = nil, isComplete: Bool = false, reason: String? = nil, events: [RunEvent] = [], signed: SignedStatement? = nil,
    isBreakGlass: Bool = false, opens: [ApprovalProgress.Opened] = [], considered: Duration? = nil
  ) -> EntryDraft {
    var body: JSONObject = ["decision": .string(decision.rawValue), "proposal": .string(record.id), "digest": .string(record.digest.hex)]
    if isBreakGlass { body["break_glass"] = true }
    if !opens.isEmpty { body["opens"] = .array(opens.map(\.json)) }
    body["considered"] = considered.map { .int($0.milliseconds) }
    if let identity { for (key, value) in identity.body { body[key] = value } }
    if let authority, !bytesEqual(authority, principal) { body["for"] = .string(authority) }
    if decision == .approve { body["complete"] = .bool(isComplete) }
    var content: [Content] = []
    if let reason { content.append(Content(ContentPart.reason, Array(reason.utf8))) }
    if let signed {
      body["key"] = .string(signed.key.fingerprint)
      content.append(Content(ContentPart.statement, Array(signed.statement.text.utf8)))
      content.append(Content(ContentPart.signature, signed.signature))
      content.append(Content(ContentPart.signer, Array(signed.key.line.utf8)))
    }
    if let values = add(events, to: &body) { content.append(values) }
    return EntryDraft(type: EntryType.approval, run: run, principal: principal, release: record.release, body: body, content: content)
  }

  /// The entry of something that decides nothing about a proposal.
  static func note(
    _ note: String, on record: ProposalRecord, run: String?, by principal: String, identity: Identity? = nil, text: String? = nil,
    _ more: JSONObject = [:]
  ) -> EntryDraft {
    var body = identity?.body ?? [:]
    for (key, value) in more { body[key] = value }
    body["digest"] = .string(record.digest.hex)
    body["note"] = .string(note)
    body["proposal"] = .string(record.id)
    return EntryDraft(
      type: EntryType.approvalNoted, run: run, principal: principal, release: record.release, body: body,
      content: text.map { [Content(ContentPart.reason, Array($0.utf8))] } ?? [])
  }

  /// The entry of a decision that was refused: someone tried what they may not do.
  static func refusedDecision(_ refusal: Refusal, proposal: String, run: String?, identity: Identity) -> EntryDraft {
    var body = identity.body
    body["proposal"] = .string(proposal)
    body["refusal"] = .string(refusal.code)
    return EntryDraft(
      type: EntryType.approvalRefused, run: run, principal: identity.principal, body: body,
      content: [Content(ContentPart.refusal, Array(refusal.message.utf8))])
  }

  /// The entry of an account that may not give commands.
  static func refusedAccess(uid: UInt32, account: String, by mode: Identity.Mode, code: String) -> EntryDraft {
    EntryDraft(
      type: EntryType.accessRefused, principal: SystemPrincipal.engine.rawValue,
      body: [
        "account": .string(account), "mode": .string(mode.rawValue), "refusal": .string(code), "uid": .int(Int(uid)),
      ])
  }

  /// The entry that must stand before an effect begins.
  static func started(_ record: ProposalRecord, run: String, grant: String, worker: String, deadline: Instant) -> EntryDraft {
    EntryDraft(
      type: EntryType.effectStarted, run: run, principal: record.principal, release: record.release,
      body: [
        "attempt": .int(record.attempts + 1), "deadline": .int(deadline.milliseconds), "grant": .string(grant), "key": .string(record.id),
        "proposal": .string(record.id), "tool": .string(record.tool), "worker": .string(worker),
      ])
  }

  /// The entry of what became of an effect.
  static func settled(
    _ record: ProposalRecord, run: String, grant: String?, outcome: EffectOutcome, by principal: String, identity: Identity?,
    isScripted: Bool,
    events: [RunEvent], evidence: [Evidence]
  ) -> EntryDraft {
    var body: JSONObject = ["outcome": .string(outcome.kind.rawValue), "proposal": .string(record.id), "tool": .string(record.tool)]
    body["grant"] = grant.map { .string($0) }
    body["code"] = outcome.code.map { .string($0) }
    if isScripted { body["scripted"] = true }
    if let identity { body["identity"] = .object(identity.body) }
    var content: [Content] = []
    if let result = outcome.result { content.append(Content(ContentPart.result, Array(result.text().utf8))) }
    if let message = outcome.message { content.append(Content(ContentPart.error, Array(message.utf8))) }
    if let values = add(events, to: &body) { content.append(values) }
    return EntryDraft(
      type: EntryType.effectSettled, run: run, principal: principal, release: record.release, body: body, content: content,
      evidence: evidence)
  }

  /// Adds the structure of events; their values are a content part.
  private static func add(_ events: [RunEvent], to body: inout JSONObject) -> Content? {
    if events.isEmpty { return nil }
    let (structure, values) = RunEvent.encode(events)
    body["events"] = structure
    return values.isEmpty ? nil : Content(ContentPart.values, exactBytes(of: .object(values)))
  }

  /// Canonical bytes, or where a number has no exact canonical form, as a tool's can have none, the text as it was written.
  private static func exactBytes(of json: JSON) -> [UInt8] { (try? json.canonicalBytes()) ?? Array(json.text().utf8) }
}

extension RuleMatch {
  var json: JSON {
    var object = JSONObject(capacity: 4)
    object["basis"] = .string(basis.rawValue)
    object["clause"] = clause.map { .string($0) }
    object["effect"] = .string(effect.rawValue)
    object["rule"] = .string(rule)
    // What no file says: why nothing covers it, which fact is missing, or why the workspace asks for somebody.
    if effect == .hold, [.noAllowance, .missingFact, .implied].contains(basis) || rule.hasPrefix(RuleSet.guardPrefix) {
      object["why"] = reason.map { .string($0) }
    }
    return .object(object)
  }
}
