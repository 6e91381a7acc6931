import Audit
import Core
import Foundation
import Glibc
import Subprocess
import TestSupport
import Testing

@testable import App

/// Where a program is.
private func program(_ name: String) -> String? {
  let path = getenv("PATH").map { String(cString: $0) } ?? ""
  return (path.split(separator: ":").map(String.init) + ["/usr/bin"]).map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}

/// Whether what checks bundles is installed.
let hasVerifierPrograms = ["ssh-keygen", "openssl", "python3"].allSatisfy { program($0) != nil }

/// Bundles of a run with a signed approval: what is exported, and who finds what was changed.
@Suite("Bundles", .enabled(if: hasVerifierPrograms, "ssh-keygen, openssl or python3 is not installed"))
struct BundleTests {
  static let verifier = "\(Session.root)/Tests/Verifier/remit_verify.py"

  static func tool(_ name: String, _ arguments: [String], input: [UInt8] = []) async throws -> InvocationResult {
    var limits = InvocationLimits()
    limits.time = .seconds(240)
    return try await Invocation(
      .path(try #require(program(name))), arguments, environment: ["LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/tmp"],
      input: input, limits: limits
    ).run()
  }

  /// A workspace in which finance signed the activation of a vendor, and its bundle.
  struct Signed {
    let folder: String
    let run: String
    let proposal: String
    var bundle: String { "\(folder)/run.bundle" }
    var key: String { "\(folder)/log.pem" }
    var signers: String { "\(folder)/signers" }

    func remit(_ words: String...) async -> Transcript {
      await transcript(words + ["--json"], commands: .remit, environment: ["REMIT_WORKSPACE": "\(folder)/demo"])
    }

    init(_ folder: String) async throws {
      self.folder = folder
      let shop = try Shop(folder)
      #expect(try await tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "\(folder)/ben"]).succeeded)
      #expect(try await tool("openssl", ["genpkey", "-algorithm", "ed25519", "-out", "\(folder)/log.pem"]).succeeded)
      let line = try String(contentsOfFile: "\(folder)/ben.pub", encoding: .utf8).split(whereSeparator: \.isWhitespace).joined(
        separator: " ")
      let organisation = "\(folder)/Policies/organisation.json5"
      let text = try String(contentsOfFile: organisation, encoding: .utf8)
      try text.replacingOccurrences(
        of: #"accounts: ["ben"]"#, with: #"accounts: ["ben", "\#(Account.current)"], keys: ["\#(line)"]"#
      ).write(toFile: organisation, atomically: true, encoding: .utf8)
      _ = await shop.run("demo", "--json", "--requests", "14")
      let demo = "\(folder)/demo"
      let remit: ([String]) async -> Transcript = { words in
        await transcript(words + ["--json"], commands: .remit, environment: ["REMIT_WORKSPACE": demo])
      }
      _ = await remit(["demo", "--requests", "14", "--examples", folder])
      let inbox = try await remit(["inbox"]).json()
      let held = try #require(inbox["held"]?.arrayValue?.first, "\(inbox.text())")
      let (id, digest) = (try #require(held["id"]?.stringValue), try #require(held["digest"]?.stringValue))
      let approved = await remit(["approve", id, "--digest", digest, "--sign", "--key", "\(folder)/ben"])
      #expect(approved.exit == 0, "\(approved.words)\(approved.output)")
      #expect(await remit(["agent", "work"]).exit == 0)
      run = try #require(try await remit(["approval", "show", id]).json()["run"]?.stringValue)
      proposal = id
      let key = try await remit(["audit", "checkpoint", "--origin", "example.com/log", "--key", "\(folder)/log.pem"]).json()["key"]
      try "user:ben \(line)\n\(try #require(key?.stringValue))\n".write(toFile: signers, atomically: true, encoding: .utf8)
      let exported = await remit(
        ["audit", "export", run, "--origin", "example.com/log", "--key", "\(folder)/log.pem", "--output", bundle])
      #expect(exported.exit == 0, "\(exported.words)")
    }

    func verify(_ arguments: String...) async throws -> (exit: Int32, text: String) {
      let result = try await tool("python3", [verifier, bundle] + arguments)
      return (result.succeeded ? 0 : 1, String(decoding: result.output + result.errorOutput, as: UTF8.self))
    }
  }

  @Test("T17 a bundle of a run with a signed approval holds for Remit and for a verifier that shares no code with it")
  func honest() async throws {
    try await withTemporaryDirectory { folder in
      let signed = try await Signed(folder)
      let own = try await signed.remit("audit", "verify", "--bundle", signed.bundle).json()
      #expect(own["ok"] == true && own["signatures"] == 1 && own["signed_by"] == ["example.com/log"], "\(own.text())")
      let alone = try await signed.verify("--signers", signed.signers)
      #expect(alone.exit == 0, "\(alone.text)")
      for words in [
        "user:ben, finance: approve of erp.activate_vendor, signed with SHA256:", "hold by rule control:C1, which cites policy.md#4.1",
        "evidence: contract, application/pdf, sha256", "effect: erp.activate_vendor finished", "signed by example.com/log",
      ] {
        #expect(alone.text.contains(words), "\(words)\n\(alone.text)")
      }
      // Whom a reader does not trust signs nothing, and a checkpoint that they kept decides.
      try "user:ben ssh-ed25519 AAAA\n".write(toFile: "\(folder)/others", atomically: true, encoding: .utf8)
      #expect(try await signed.verify("--signers", "\(folder)/others").exit == 1)
      let checkpoint = await signed.remit("audit", "checkpoint", "--output", "\(folder)/kept")
      #expect(checkpoint.exit == 0)
      #expect(try await signed.verify("--checkpoint", "\(folder)/kept").exit == 0)
      #expect(await signed.remit("audit", "verify", "--bundle", signed.bundle, "--checkpoint", "\(folder)/kept").exit == 0)
      let other = Checkpoint(origin: "example.com/log", size: 20, root: MerkleTree.emptyRoot)
      try other.text.write(toFile: "\(folder)/other", atomically: true, encoding: .utf8)
      #expect(try await signed.verify("--checkpoint", "\(folder)/other").exit == 1)
      #expect(await signed.remit("audit", "verify", "--bundle", signed.bundle, "--checkpoint", "\(folder)/other").exit == 1)
    }
  }

  @Test("T17 any flipped bit of a bundle is refused, also where the digest in its first line is made to fit")
  func flips() async throws {
    try await withTemporaryDirectory { folder in
      let signed = try await Signed(folder)
      let sweep = try await Self.tool("python3", ["\(Session.root)/Tests/Verifier/flip_sweep.py", signed.bundle, "--samples", "300"])
      #expect(sweep.succeeded, "\(String(decoding: sweep.output + sweep.errorOutput, as: UTF8.self))")
      // Remit's own verifier refuses the same.
      let bytes = try RegularFile.read(signed.bundle, maximumBytes: 1 << 26)
      await withSeeds(30) { seed, random in
        var changed = bytes
        changed[Int.random(in: 85..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        let body = Array(changed[80...])
        changed = Array("remit-bundle@1 \(SHA256.hash(body).hex)\n".utf8) + body
        await #expect(throws: BundleProblem.self, "\(seed)") { try await BundleChecker.check(changed, against: nil) }
      }
    }
  }

  struct Change: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var apply: @Sendable (inout JSONObject) -> Void
  }

  /// Changes by somebody who makes the first line fit again.
  static let changes = [
    Change(testDescription: "without the approval") { drop(type: "approval.decided@1", from: &$0) },
    Change(testDescription: "without the effect's beginning") { drop(type: "effect.started@1", from: &$0) },
    Change(testDescription: "without the directory") { drop(tool: "directory.set", from: &$0) },
    Change(testDescription: "without the release") { drop(tool: "release.make", from: &$0) },
    Change(testDescription: "without the first entry") { $0["entries"] = .array(Array(($0["entries"]?.arrayValue ?? []).dropFirst())) },
    Change(testDescription: "in another order") { $0["entries"] = .array(($0["entries"]?.arrayValue ?? []).reversed()) },
    Change(testDescription: "without a piece of evidence") {
      $0["evidence"] = .array(Array(($0["evidence"]?.arrayValue ?? []).dropLast()))
    },
    Change(testDescription: "with more evidence") {
      $0["evidence"] = .array(($0["evidence"]?.arrayValue ?? []) + [["base64": "", "sha256": .string(SHA256.hash("").hex)]])
    },
    Change(testDescription: "without signers") { $0["signers"] = [] },
    Change(testDescription: "without the signature of the checkpoint") {
      $0["keys"] = nil
      $0["checkpoint"] = .string(($0["checkpoint"]?.stringValue ?? "").components(separatedBy: "\n\n")[0] + "\n")
    },
    Change(testDescription: "of another run") { $0["run"] = "r-0000000000000000" },
    Change(testDescription: "of another log") { $0["log"] = "log-other" },
    Change(testDescription: "with a part of its own") { $0["more"] = true },
  ]

  private static func drop(type: String, from bundle: inout JSONObject) { drop("\"type\":\"\(type)\"", from: &bundle) }
  private static func drop(tool: String, from bundle: inout JSONObject) { drop("\"tool\":\"\(tool)\"", from: &bundle) }
  private static func drop(_ text: String, from bundle: inout JSONObject) {
    bundle["entries"] = .array(
      (bundle["entries"]?.arrayValue ?? []).filter { !($0["envelope"]?.stringValue?.contains(text) ?? false) })
  }

  @Test("T17 a bundle from which something was taken, or to which something was added, holds for neither verifier")
  func changed() async throws {
    try await withTemporaryDirectory { folder in
      let signed = try await Signed(folder)
      let bytes = try RegularFile.read(signed.bundle, maximumBytes: 1 << 26)
      for change in Self.changes {
        var object = try #require(try RunBundle(parsing: bytes).json.objectValue)
        change.apply(&object)
        let made = try RunBundle(json: .object(object)).bytes
        await #expect(throws: BundleProblem.self, "\(change.testDescription)") { try await BundleChecker.check(made, against: nil) }
        try RegularFile.writeAtomically(made, to: signed.bundle)
        let alone = try await signed.verify("--signers", signed.signers)
        #expect(alone.exit == 1 && !alone.text.contains("Traceback"), "\(change.testDescription): \(alone.text)")
      }
    }
  }
}
