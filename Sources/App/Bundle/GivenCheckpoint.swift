internal import Audit
internal import Core

/// The checkpoint that `--checkpoint` names, with the signatures that were checked.
struct GivenCheckpoint: Sendable {
  let checkpoint: Checkpoint
  /// The whole text, with its signatures.
  let note: String
  /// The good signatures of those whom the reader trusts; nil where they did not say whom.
  let signed: [CheckpointSigners.Good]?

  /// Reads what the command line names; nil where it names none.
  ///
  /// - Throws: ``CommandError`` for a signature that is not good, or of nobody whom `--signers` names; `AuditError` for no checkpoint.
  init?(_ context: CommandContext) async throws {
    let signers = context.arguments.option("signers")
    guard let path = context.arguments.option("checkpoint") else {
      if signers == nil { return nil }
      throw CommandError.usage("--signers says whose signatures of a checkpoint count", hint: "name the checkpoint with --checkpoint")
    }
    let bytes = try await context.front.read(path, maximumBytes: 65_536)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandError(.failed, "checkpoint", "`\(visible(path))` is no checkpoint: it is not UTF-8")
    }
    note = text
    checkpoint = try Checkpoint(parsing: text)
    if let signers {
      let file = try await context.front.read(signers, maximumBytes: 65_536)
      signed = try await CheckpointSigners(parsing: file, file: signers).check(text, of: checkpoint)
    } else {
      signed = nil
    }
  }

  /// `{"origin", "root", "signed_by"?: [{"key", "seen"?}], "size"}`.
  static func json(_ checkpoint: Checkpoint, _ given: GivenCheckpoint?) -> JSON {
    var object: JSONObject = [
      "origin": .string(checkpoint.origin), "root": .string(checkpoint.root.hex), "size": .int(checkpoint.size),
    ]
    object["signed_by"] = given?.signed.map { good in
      .array(
        good.map { one in
          var member: JSONObject = ["key": .string(one.key.description)]
          member["seen"] = one.seen.map { .string($0.description) }
          return .object(member)
        })
    }
    return .object(object)
  }

  /// What the checkpoint shows, in words.
  static func lines(_ checkpoint: Checkpoint, _ given: GivenCheckpoint?) -> [Shown] {
    var lines: [Shown] = ["continues the checkpoint of \(counted(checkpoint.size, "entry", "entries")) of \(checkpoint.origin)"]
    for one in given?.signed ?? [] {
      lines.append("signed by \(one.key.description)" + (one.seen.map { ", seen at \($0.description)" } ?? ""))
    }
    if let given, given.signed == nil, given.note.utf8.count > checkpoint.text.utf8.count {
      lines.append("its signatures were not checked: `--signers` says whose count")
    }
    return lines
  }
}
