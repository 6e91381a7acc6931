internal import Audit
public import Core
internal import ProcessModel

extension PermissionGate {
  /// Replaces the directory of people and roles.
  ///
  /// - Returns: The outcome; a directory that does not fit is refused, not thrown.
  public func setDirectory(_ directory: Directory, by identity: Identity) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.setDirectory.rawValue,
        arguments: ["directory": directory.json], isScripted: identity.mode == .scripted))
  }

  /// Changes people, roles, keys, absences and delegations.
  ///
  /// - Returns: The outcome; a change that does not fit is refused, not thrown.
  public func changeDirectory(_ changes: [DirectoryChange], reason: String?, by identity: Identity) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.changeDirectory.rawValue,
        arguments: ["changes": .array(changes.map(\.json))], reason: reason, isScripted: identity.mode == .scripted))
  }

  /// Makes a checked bundle the release that new runs of its process follow; its files are stored as evidence.
  ///
  /// - Returns: The outcome.
  /// - Throws: `Diagnostics` for a bundle with a problem; `AuditError` for a file that is too large; what the store throws.
  public func makeRelease(_ bundle: ReleaseBundle, by identity: Identity) async throws -> GateOutcome {
    let directory = try await store.read { try $0.shared().directory }
    let release = try Release.load(bundle, directory: directory)
    if let tool = release.process.tools.first(where: { $0.hasOutsideParts && release.pins[$0.name] == nil }) {
      throw Diagnostics([
        Diagnostic("not-pinned", at: nil, "the tool `\(tool.name)` depends on programs outside the release, which does not pin them")
      ])
    }
    releases.insert(release)
    let manifest = bundle.manifest
    var evidence = [try Evidence.bytes(manifest.json.canonicalBytesRounding(), media: "application/json")]
    for file in bundle.files {
      let piece = try Evidence.bytes(file.bytes, media: Self.media(of: file.path))
      if !evidence.contains(where: { $0.reference.digest == piece.reference.digest }) { evidence.append(piece) }
    }
    return try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.makeRelease.rawValue,
        arguments: ["manifest": manifest.json, "process": .string(bundle.process)], isScripted: identity.mode == .scripted),
      evidence: evidence)
  }

  /// Stops work in a scope, or lifts a stop: `all`, `agent:…`, `process:…` or `run:…`.
  public func setStop(_ scope: String, _ isStopped: Bool, by identity: Identity) async throws -> GateOutcome {
    let tool = isStopped ? BuiltinTool.stop : .resume
    return try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: tool.rawValue, arguments: ["scope": .string(scope)],
        isScripted: identity.mode == .scripted))
  }

  /// Submits a person's call of a tool that is neither part of a step nor has another function here.
  public func submit(_ tool: BuiltinTool, _ arguments: JSONObject, run: String?, by identity: Identity) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: tool.rawValue, arguments: arguments, run: run,
        isScripted: identity.mode == .scripted))
  }

  private static func media(of path: String) -> String {
    if path.hasSuffix(".json5") { return "application/json5" }
    return path.hasSuffix(".md") ? "text/markdown" : "application/octet-stream"
  }
}
