internal import Core
internal import Glibc
internal import Governance
internal import Subprocess

/// Signatures by the person's own keys, made and checked by OpenSSH's `ssh-keygen -Y` (the file format SSHSIG).
struct SSHKeygen: Sendable {
  /// Signs a statement.
  ///
  /// The statement goes in through standard input: `ssh-keygen` would ask before it overwrites a signature's file, and say that all is
  /// well where nobody answers.
  ///
  /// The key is a file with a private key, or with a public one (`.pub`) whose private key an agent or a hardware key holds.
  ///
  /// - Throws: ``CommandError`` where it cannot be signed.
  static func sign(_ statement: [UInt8], in namespace: String = ApprovalStatement.namespace, key: String) async throws -> [UInt8] {
    let isPublic = key.hasSuffix(".pub")
    let result = try await run(
      ["-q", "-Y", "sign"] + (isPublic ? ["-U"] : []) + ["-f", key, "-n", namespace], input: statement, inherits: true)
    guard result.succeeded, !result.output.isEmpty else {
      throw CommandError(
        .failed, "not-signed", "`ssh-keygen` did not sign with `\(visible(key))`: \(words(of: result))",
        hint: isPublic
          ? "`ssh-add` gives the key to your agent" : "a key with a passphrase is best held by an agent: then name its `.pub` file")
    }
    return result.output
  }

  /// Whether a key made a signature.
  static func verifies(_ statement: [UInt8], _ signature: [UInt8], _ key: PublicKey, _ namespace: String) async throws -> Bool {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    // The person is known by the key, whose line this is; nothing here depends on a name in it.
    try RegularFile.writeAtomically(
      Array("signer namespaces=\"\(namespace)\" \(key.line)\n".utf8), to: "\(folder.path)/signers", mode: 0o600)
    try RegularFile.writeAtomically(signature, to: "\(folder.path)/signature", mode: 0o600)
    let result = try await run(
      ["-Y", "verify", "-f", "\(folder.path)/signers", "-I", "signer", "-n", namespace, "-s", "\(folder.path)/signature"], input: statement)
    return result.succeeded
  }

  private static func run(_ arguments: [String], input: [UInt8], inherits: Bool = false) async throws -> InvocationResult {
    var environment = ["LC_ALL": "C", "PATH": "/usr/bin:/bin"]
    if inherits {
      // The agent, a hardware key's prompt, and the home folder of the person who signs.
      for name in ["SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY", "HOME", "XDG_RUNTIME_DIR"] {
        if let value = getenv(name) { environment[name] = String(cString: value) }
      }
      // Without it a passphrase would be read from standard input, which is the statement.
      environment["SSH_ASKPASS_REQUIRE"] = "force"
    }
    var limits = InvocationLimits()
    limits.time = .seconds(60)
    do throws(SubprocessError) {
      return try await Invocation(
        .named("ssh-keygen", searchPath: ["/usr/bin", "/bin", "/usr/local/bin"]), arguments, environment: environment, input: input,
        limits: limits
      ).run()
    } catch {
      throw CommandError(.failed, "ssh-keygen", "`ssh-keygen` cannot be run: \(error)", hint: "install the OpenSSH client")
    }
  }

  private static func words(of result: InvocationResult) -> String {
    let words = String(decoding: result.errorOutput, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: "; ")
    return words.isEmpty ? "\(result.termination)" : words
  }
}

/// A folder that only this process reads.
struct TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/remit-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CommandError(.failed, "no-folder", "cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  /// Removes the folder and the files in it.
  func remove() {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink("\(path)/\(name)") }
      }
      closedir(folder)
    }
    rmdir(path)
  }
}
