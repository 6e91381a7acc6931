internal import Audit
public import Core
internal import ProcessModel

/// A tool of a release that is not called any more, because parts of it outside the release are not what the release pins.
public struct ToolSuspension: Hashable, Sendable {
  /// The digest of the release.
  public let release: String
  /// The tool.
  public let tool: String
  /// What its parts were when it was suspended.
  public let observed: ToolPin
  /// What has changed, in words.
  public let text: String
  /// The entry since which it counts.
  public let entry: Int
  /// When that was, in log time.
  public let time: Instant
}

extension SharedState {
  /// Why a tool of a release is not called now; nil where it may be.
  public func suspension(of tool: String, in release: String) -> ToolSuspension? {
    suspensions.first { bytesEqual($0.tool, tool) && bytesEqual($0.release, release) }
  }

  /// What the parts of a tool have to be: as the release pins them, or as people accepted them since; nil where it has no such parts.
  public func pin(of tool: String, in release: Release) -> ToolPin? {
    acceptedPins[release.digest.hex]?[tool] ?? release.pins[tool]
  }

  /// SHA-256 of everything that a call's meaning depends on: what an approval of a call and the evidence for an allowance are bound to.
  func definitionDigest(of tool: String, in release: Release) -> Digest {
    let digest = release.definitionDigest(of: tool)
    // Nothing was accepted in nearly all workspaces, and every decision asks.
    if acceptedPins.isEmpty { return digest }
    guard let accepted = acceptedPins[release.digest.hex]?[tool] else { return digest }
    return SHA256.hash(JSON.object(["definition": .string(digest.hex), "parts": accepted.json]).canonicalBytesRounding())
  }

  // MARK: Folding

  mutating func suspendTool(_ entry: Entry) throws {
    let named = try entry.body.object("tool_suspended")
    guard let observed = ToolPin(json: named["observed"]) else { throw GovernanceLedger.Misfit("a suspension without what was seen") }
    let (release, tool) = (try named.text("release"), try named.text("tool"))
    guard suspension(of: tool, in: release) == nil else { throw GovernanceLedger.Misfit("a tool that is suspended already") }
    let text = entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) } ?? ""
    suspensions.append(
      ToolSuspension(release: release, tool: tool, observed: observed, text: text, entry: entry.index, time: entry.time))
  }

  mutating func acceptTool(_ entry: Entry) throws {
    let named = try entry.body.object("tool_accepted")
    guard let pin = ToolPin(json: named["parts"]) else { throw GovernanceLedger.Misfit("an accepted tool without its parts") }
    let (release, tool) = (try named.text("release"), try named.text("tool"))
    suspensions.removeAll { bytesEqual($0.tool, tool) && bytesEqual($0.release, release) }
    acceptedPins[release, default: [:]][tool] = pin
  }
}

extension EntryDrafting {
  /// The entry that suspends a tool because of what a connector saw.
  static func suspended(_ tool: String, release: String, observed: ToolPin, cause: Int, text: String) -> EntryDraft {
    EntryDraft(
      type: EntryType.toolSuspended, principal: SystemPrincipal.engine.rawValue,
      body: [
        "tool_suspended": [
          "cause": .int(cause), "observed": observed.json, "release": .string(release), "tool": .string(tool),
        ]
      ], content: [Content(ContentPart.reason, Array(text.utf8))])
  }
}

extension Judge {
  /// Refuses calls of a tool that is not what was released.
  func checkSuspension(_ tool: Tool) throws(Refusal) {
    guard !view.shared.suspensions.isEmpty, tool.builtin == nil, let release = view.release,
      let suspension = view.shared.suspension(of: tool.name, in: release.digest.hex)
    else { return }
    throw Refusal(
      .toolSuspended,
      "the tool `\(tool.name)` is not the one that was released: \(suspension.text); "
        + "`remit tool accept \(suspension.entry)` takes it as it is, for people who looked at it")
  }

  /// Refuses to accept what was not seen, or is not suspended any more.
  func checkAcceptance() throws(Refusal) {
    let (release, tool) = (proposal.arguments["release"]?.stringValue ?? "", proposal.arguments["tool"]?.stringValue ?? "")
    guard let suspension = view.shared.suspension(of: tool, in: release) else {
      throw Refusal(.changed, "the tool `\(visible(tool))` of release \(visible(String(release.prefix(12)))) is not suspended")
    }
    guard ToolPin(json: proposal.arguments["parts"]) == suspension.observed else {
      throw Refusal(.changed, "these are not the parts that were seen when the tool was suspended, in entry \(suspension.entry)")
    }
  }
}

extension PermissionGate {
  /// Accepts a suspended tool as it was when it was suspended, for the runs of its release.
  ///
  /// - Parameters:
  ///   - entry: The entry that suspended it.
  ///   - reason: Why, for people.
  ///   - identity: Who does it.
  /// - Returns: The outcome; held where somebody else has to agree.
  /// - Throws: ``Refusal`` where the entry suspends nothing; what the store throws.
  public func acceptTool(suspendedBy entry: Int, reason: String?, by identity: Identity) async throws -> GateOutcome {
    let shared = try await store.read { try $0.shared() }
    guard let suspension = shared.suspensions.first(where: { $0.entry == entry }) else {
      throw Refusal(.toolUnknown, "entry \(entry) suspends no tool; `remit tool list` shows the tools that are suspended")
    }
    let process = shared.releases.last { bytesEqual($0.digest, suspension.release) }?.process ?? ""
    return try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.acceptTool.rawValue,
        arguments: [
          "process": .string(process), "release": .string(suspension.release), "tool": .string(suspension.tool),
          "parts": suspension.observed.json,
        ], reason: reason, isScripted: identity.mode == .scripted))
  }
}
