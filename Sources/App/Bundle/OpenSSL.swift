internal import Audit
internal import Core
internal import Glibc
internal import Subprocess

/// Ed25519 signatures of notes, made and checked by the stock `openssl` program.
struct OpenSSL: Sendable {
  /// Signs a text with a private key in PEM, as `openssl genpkey -algorithm ed25519` makes it.
  ///
  /// - Returns: The signed note.
  /// - Throws: ``CommandError`` where it cannot be signed.
  static func sign(_ text: String, as name: String, key path: String) async throws -> (note: SignedNote, key: NoteKey) {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let document = "\(folder.path)/text"
    try RegularFile.writeAtomically(Array(text.utf8), to: document, mode: 0o600)
    let shown = try await run(["pkey", "-in", path, "-pubout", "-outform", "DER"])
    // RFC 8410, section 4: twelve bytes that say Ed25519, then the key.
    guard shown.succeeded, shown.output.count == 44, let key = NoteKey(name: name, publicKey: Array(shown.output[12...])) else {
      throw notSigned(path, shown, hint: "`openssl genpkey -algorithm ed25519 -out KEY` makes a key")
    }
    let signed = try await run(["pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", document])
    guard signed.succeeded, signed.output.count == 64 else { throw notSigned(path, signed, hint: nil) }
    return (SignedNote(text, signature: signed.output, by: key), key)
  }

  /// Whether a key made one of a note's signatures.
  static func verifies(_ note: SignedNote, by key: NoteKey) async throws -> Bool {
    for made in note.signatures(by: key) where try await verifies(note.text, made, by: key) { return true }
    return false
  }

  /// Whether a key made that signature of a text.
  static func verifies(_ text: String, _ made: SignedNote.Signature, by key: NoteKey) async throws -> Bool {
    guard let signed = key.signed(text, by: made) else { return false }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let (document, signature, pem) = ("\(folder.path)/text", "\(folder.path)/signature", "\(folder.path)/key")
    try RegularFile.writeAtomically(signed.statement, to: document, mode: 0o600)
    try RegularFile.writeAtomically(signed.signature, to: signature, mode: 0o600)
    try RegularFile.writeAtomically(Array(key.pem.utf8), to: pem, mode: 0o600)
    return try await run(
      ["pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", document, "-sigfile", signature]
    ).succeeded
  }

  private static func notSigned(_ path: String, _ result: InvocationResult, hint: String?) -> CommandError {
    let words = String(decoding: result.errorOutput, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
    return CommandError(
      .failed, "not-signed", "`openssl` did not sign with `\(visible(path))`: \(visible(words ?? "it is no Ed25519 key"))", hint: hint)
  }

  private static func run(_ arguments: [String]) async throws -> InvocationResult {
    var limits = InvocationLimits()
    limits.time = .seconds(30)
    do throws(SubprocessError) {
      return try await Invocation(
        .named("openssl", searchPath: ["/usr/bin", "/bin", "/usr/local/bin"]), arguments,
        environment: ["LC_ALL": "C", "PATH": "/usr/bin:/bin"], limits: limits
      ).run()
    } catch {
      throw CommandError(.failed, "openssl", "`openssl` cannot be run: \(error)", hint: "install OpenSSL")
    }
  }
}
