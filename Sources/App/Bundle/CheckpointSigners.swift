internal import Audit
internal import Core

/// Whom a reader trusts to sign checkpoints: the keys of logs and witnesses that a `--signers` file names.
///
/// The file is the one that `Tests/Verifier/remit_verify.py` reads too: a key a line, `name+id+key` for a log or a witness, and
/// `user:ben ssh-ed25519 AAAA…` for people, who sign approvals and no checkpoints.
struct CheckpointSigners: Sendable {
  /// A signature that is good.
  struct Good: Hashable, Sendable {
    var key: NoteKey
    /// When a witness says that it saw the checkpoint; nil for the log's own key.
    var seen: Instant?
  }

  let keys: [NoteKey]

  /// Reads the lines of a file.
  ///
  /// - Throws: ``CommandError`` that names the line that is no key.
  init(parsing bytes: [UInt8], file: String) throws {
    keys = try bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated().compactMap { number, line in
      let text = String(decoding: line, as: UTF8.self)
      if text.isEmpty || text.hasPrefix("#") || text.utf8.contains(0x20) { return nil }
      guard let key = NoteKey(parsing: text) else {
        throw CommandError(
          .failed, "signers", "`\(visible(file))`:\(number + 1) is no key of a log or a witness: `\(visible(text))`",
          hint: "it is the text that `remit audit checkpoint --key` prints, `name+id+key`")
      }
      return key
    }
    if keys.isEmpty {
      throw CommandError(
        .failed, "signers", "`\(visible(file))` names no key of a log or a witness",
        hint: "`remit audit checkpoint --key` prints that of the log, `name+id+key`")
    }
  }

  /// Checks the signatures of a checkpoint by those keys.
  ///
  /// - Parameters:
  ///   - note: The checkpoint with its signatures.
  ///   - checkpoint: What it says.
  /// - Returns: The signatures: one at least, and each of them good.
  /// - Throws: ``CommandError`` that says what is wrong with them.
  func check(_ note: String, of checkpoint: Checkpoint) async throws -> [Good] {
    guard note.utf8.count > checkpoint.text.utf8.count else {
      throw CommandError(
        .failed, "checkpoint-unsigned", "the checkpoint has no signature", hint: "`remit audit checkpoint --key KEY` makes a signed one")
    }
    let note = try SignedNote(parsing: note)
    guard note.text.utf8.elementsEqual(checkpoint.text.utf8) else {
      throw CommandError(.failed, "checkpoint-unsigned", "the checkpoint has more lines than origin, size and root before its signatures")
    }
    var good: [Good] = []
    for key in keys {
      for signature in note.signatures(by: key) {
        guard try await OpenSSL.verifies(note.text, signature, by: key) else {
          throw CommandError(
            .failed, "checkpoint-signature", "the signature of `\(visible(key.name))` is not good: the checkpoint is not what was signed",
            hint: "get the checkpoint again from somebody else who kept it")
        }
        good.append(Good(key: key, seen: key.signed(note.text, by: signature)?.seen))
      }
    }
    if good.isEmpty { throw unknown(note) }
    // A key of a log speaks for that log alone.
    if let other = good.first(where: { $0.key.algorithm == .ed25519 && !bytesEqual($0.key.name, checkpoint.origin) }) {
      throw CommandError(
        .failed, "checkpoint-origin",
        "the checkpoint is of `\(visible(checkpoint.origin))`, and signed with the key of another log, `\(visible(other.key.name))`")
    }
    return good
  }

  /// A checkpoint that only others signed.
  private func unknown(_ note: SignedNote) -> CommandError {
    let names = note.signatures.map { "`\(visible($0.name))` (key \(Self.hex($0.keyID)))" }.joined(separator: ", ")
    let same = keys.filter { key in note.signatures.contains { bytesEqual($0.name, key.name) } }.map { Self.hex($0.keyID) }
    return CommandError(
      .failed, "checkpoint-key", "the checkpoint is signed by \(names), and by no key that you trust",
      hint: same.isEmpty ? "`--signers` names whom you trust" : "of that name you trust the key \(same.joined(separator: ", "))")
  }

  private static func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
