import Core
import Glibc
import Subprocess
import TestSupport
import Testing

@testable import App
@testable import Governance

/// Signatures by the real `ssh-keygen`.
@Suite("Signing with ssh-keygen", .enabled(if: access("/usr/bin/ssh-keygen", X_OK) == 0, "ssh-keygen is not installed"))
struct SigningTests {
  private static func makeKey(_ path: String, passphrase: String = "") async throws -> PublicKey {
    let made = try await Invocation(
      .path("/usr/bin/ssh-keygen"), ["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path], environment: ["LC_ALL": "C"]
    ).run()
    #expect(made.succeeded)
    let line = String(decoding: try RegularFile.read("\(path).pub", maximumBytes: 4096), as: UTF8.self)
    return try #require(PublicKey(line: line.filter { $0 != "\n" }))
  }

  @Test func aSignatureHoldsForItsTextKeyAndNamespaceOnly() async throws {
    try await withTemporaryDirectory { folder in
      let (own, other) = (try await Self.makeKey("\(folder)/own"), try await Self.makeKey("\(folder)/other"))
      let text = Array("remit approval statement v1\n".utf8)
      let signature = try await SSHKeygen.sign(text, key: "\(folder)/own")
      #expect(try await SSHKeygen.verifies(text, signature, own, ApprovalStatement.namespace))
      #expect(try await !SSHKeygen.verifies(text + [0x0A], signature, own, ApprovalStatement.namespace))
      #expect(try await !SSHKeygen.verifies(text, signature, other, ApprovalStatement.namespace))
      #expect(try await !SSHKeygen.verifies(text, signature, own, "file"))
      #expect(try await !SSHKeygen.verifies(text, Array("no signature".utf8), own, ApprovalStatement.namespace))
      let foreign = try await SSHKeygen.sign(text, in: "file", key: "\(folder)/own")
      #expect(try await !SSHKeygen.verifies(text, foreign, own, ApprovalStatement.namespace))
    }
  }

  @Test func theFingerprintIsTheOneThatOpenSSHShows() async throws {
    try await withTemporaryDirectory { folder in
      let key = try await Self.makeKey("\(folder)/key")
      let shown = try await Invocation(
        .path("/usr/bin/ssh-keygen"), ["-l", "-f", "\(folder)/key.pub"], environment: ["LC_ALL": "C"]
      ).run()
      #expect(String(decoding: shown.output, as: UTF8.self).contains(" \(key.fingerprint) "))
    }
  }

  @Test func aKeyThatCannotSignSaysSoAndNobodyIsAsked() async throws {
    try await withTemporaryDirectory { folder in
      _ = try await Self.makeKey("\(folder)/locked", passphrase: "secret")
      for name in ["locked", "absent", "locked.pub"] {
        let error = await #expect(throws: CommandError.self) { try await SSHKeygen.sign([0x61], key: "\(folder)/\(name)") }
        #expect(error?.code == "not-signed", "\(name)")
      }
    }
  }
}
