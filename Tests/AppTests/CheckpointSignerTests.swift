import Audit
import Core
import Foundation
import Subprocess
import TestSupport
import Testing

@testable import App

/// `remit audit verify --checkpoint FILE --signers FILE`: whose word a checkpoint is, and how a log contradicts it.
@Suite("Signed checkpoints", .enabled(if: hasVerifierPrograms, "ssh-keygen, openssl or python3 is not installed"))
struct CheckpointSignerTests {
  /// A workspace with a few entries, a key of the log, and a signed checkpoint.
  private struct Kept {
    let shop: Shop
    let folder: String
    let key: String
    var checkpoint: String { "\(folder)/kept.txt" }
    var signers: String { "\(folder)/signers" }

    init(_ folder: String) async throws {
      self.folder = folder
      shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      #expect(try await BundleTests.tool("openssl", ["genpkey", "-algorithm", "ed25519", "-out", "\(folder)/log.pem"]).succeeded)
      let made = try await shop.json(
        "audit", "checkpoint", "--origin", "example.com/log", "--key", "\(folder)/log.pem", "--output", "\(folder)/kept.txt")
      key = try #require(made["key"]?.stringValue, "\(made.text())")
      try trust("# the log\n\(key)\n\nuser:ben ssh-ed25519 AAAA\n")
    }

    func trust(_ lines: String) throws { try lines.write(toFile: signers, atomically: true, encoding: .utf8) }
    func note() throws -> String { try String(contentsOfFile: checkpoint, encoding: .utf8) }
    func put(_ note: String) throws { try note.write(toFile: checkpoint, atomically: true, encoding: .utf8) }
    func verify() async throws -> JSON {
      try await shop.json("audit", "verify", "--checkpoint", checkpoint, "--signers", signers)
    }
    /// The code of the error with which the verification ends.
    func code() async throws -> String? { try await verify()["error"]?["code"]?.stringValue }
  }

  @Test("T13 the signature of a checkpoint is checked, and the key that made it is named")
  func good() async throws {
    try await withTemporaryDirectory { folder in
      let kept = try await Kept(folder)
      let report = try await kept.verify()
      #expect(report["ok"] == true && report["checkpoint"]?["origin"] == "example.com/log", "\(report.text())")
      #expect(report["checkpoint"]?["signed_by"] == [["key": .string(kept.key)]])
      let words = await kept.shop.run("audit", "verify", "--checkpoint", kept.checkpoint, "--signers", kept.signers)
      #expect(words.exit == 0 && words.output.contains("signed by \(kept.key)"), "\(words.output)\(words.words)")
      // Where nobody says whom they trust, it says that nothing was checked.
      let unchecked = await kept.shop.run("audit", "verify", "--checkpoint", kept.checkpoint)
      #expect(unchecked.exit == 0 && unchecked.output.contains("its signatures were not checked"), "\(unchecked.output)")
      #expect(await kept.shop.run("audit", "verify", "--signers", kept.signers).exit == 2)
    }
  }

  @Test("T13 a checkpoint that is not signed, badly signed, or signed by somebody else is refused, each in its own words")
  func bad() async throws {
    try await withTemporaryDirectory { folder in
      let kept = try await Kept(folder)
      let note = try kept.note()
      let text = note.components(separatedBy: "\n\n")[0] + "\n"

      try kept.put(text)
      #expect(try await kept.code() == "checkpoint-unsigned")

      // Another size, another root, another origin, under a signature that was made for the first.
      let size = try #require(Int(text.split(separator: "\n")[1]))
      try kept.put(note.replacingOccurrences(of: "\n\(size)\n", with: "\n\(size - 1)\n"))
      #expect(try await kept.code() == "checkpoint-signature")
      let last = try #require(note.dropLast().last)
      let flipped = String(note.dropLast(6)) + (note.dropLast(5).last == "A" ? "B" : "A") + String(note.suffix(5))
      #expect(flipped != note && last.isASCII)
      try kept.put(flipped)
      #expect(try await kept.code() != nil)

      // Extension lines would not be compared with anything.
      try kept.put(note.replacingOccurrences(of: "\n\n", with: "\nextension\n\n"))
      #expect(try await kept.code() == "checkpoint-unsigned")

      // The right name, another key: somebody who rewrote the log and signed it.
      #expect(try await BundleTests.tool("openssl", ["genpkey", "-algorithm", "ed25519", "-out", "\(folder)/other.pem"]).succeeded)
      let (other, theirs) = try await OpenSSL.sign(text, as: "example.com/log", key: "\(folder)/other.pem")
      try kept.put(other.description)
      let refused = try await kept.verify()
      #expect(refused["error"]?["code"] == "checkpoint-key", "\(refused.text())")
      let hint = refused["error"]?["hint"]?.stringValue ?? ""
      #expect(hint.contains("of that name you trust the key"), "\(hint)")

      // A key that is trusted for another log.
      try kept.trust("\(theirs.description)\n")
      let (foreign, key) = try await OpenSSL.sign(text, as: "example.org/log", key: "\(folder)/other.pem")
      try kept.trust("\(key.description)\n")
      try kept.put(foreign.description)
      #expect(try await kept.code() == "checkpoint-origin")

      try kept.put(note)
      try kept.trust("example.com/log+00000000+AAAA\n")
      #expect(try await kept.code() == "signers")
      try kept.trust("user:ben ssh-ed25519 AAAA\n")
      #expect(try await kept.code() == "signers")
    }
  }

  @Test("T12 T13 a log that was rolled back and one that was written anew contradict a signed checkpoint in different words")
  func contradictions() async throws {
    try await withTemporaryDirectory { folder in
      let kept = try await Kept(folder)
      // An older copy of the log, and the checkpoint of what came after it.
      let store = "\(folder)/.remit/store.sqlite"
      let older = "\(folder)/older"
      try FileTree.makeFolder("\(older)/.remit", mode: 0o700)
      #expect(await kept.shop.run("store", "backup", "\(older)/.remit/store.sqlite").exit == 0)
      _ = try await kept.shop.vendor(Shop.large)
      #expect(
        await kept.shop.run(
          "audit", "checkpoint", "--origin", "example.com/log", "--key", "\(folder)/log.pem", "--output", kept.checkpoint
        ).exit == 0)
      #expect(try await kept.verify()["ok"] == true)
      let arguments = ["audit", "verify", "--json", "--checkpoint", kept.checkpoint, "--signers", kept.signers]
      let rolled = try await transcript(arguments, commands: .remit, environment: ["REMIT_WORKSPACE": older]).json()
      #expect(rolled["ok"] == false && rolled["problems"]?.arrayValue?.first?["kind"] == "rollback", "\(rolled.text())")

      // Another log, whole in itself, as long as the first one.
      let other = "\(folder)/other"
      try FileTree.makeFolder(other, mode: 0o700)
      let second = try Shop(other)
      #expect(await second.run("process", "release", "vendor-onboarding").exit == 0)
      _ = try await second.vendor(Shop.large)
      _ = try await second.vendor(Shop.large)
      let forked = try await transcript(arguments, commands: .remit, environment: ["REMIT_WORKSPACE": other]).json()
      #expect(forked["ok"] == false && forked["problems"]?.arrayValue?.first?["kind"] == "fork", "\(forked.text())")
      #expect(FileTree.exists(store) && !FileTree.exists("\(other)/.remit/store.sqlite.checkpoint"))
    }
  }

  @Test("a witness's signature covers the moment at which it saw the checkpoint")
  func witness() async throws {
    try await withTemporaryDirectory { folder in
      let kept = try await Kept(folder)
      #expect(try await BundleTests.tool("openssl", ["genpkey", "-algorithm", "ed25519", "-out", "\(folder)/witness.pem"]).succeeded)
      let note = try SignedNote(parsing: kept.note())
      let seconds: Int64 = 1_764_000_000
      let (made, plain) = try await OpenSSL.sign(
        String(decoding: NoteKey.cosigned(note.text, at: seconds), as: UTF8.self), as: "example.net/witness",
        key: "\(folder)/witness.pem")
      let key = try #require(NoteKey(name: plain.name, algorithm: .cosignature, publicKey: plain.publicKey))
      #expect(NoteKey(parsing: key.description) == key && key.keyID != plain.keyID)
      let stamp = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> (56 - 8 * $0)) }
      let line = "— \(key.name) \(Base64.encode(key.keyID + stamp + made.signatures[0].bytes))\n"
      try kept.put(note.description + line)
      try kept.trust("\(kept.key)\n\(key.description)\n")
      let report = try await kept.verify()
      #expect(report["checkpoint"]?["signed_by"]?.arrayValue?.count == 2, "\(report.text())")
      #expect(report["checkpoint"]?["signed_by"]?.arrayValue?.last?["seen"] == "2025-11-24T16:00:00.000Z", "\(report.text())")
      // Another moment under the same signature.
      var later = stamp
      later[7] ^= 1
      try kept.put(note.description + "— \(key.name) \(Base64.encode(key.keyID + later + made.signatures[0].bytes))\n")
      #expect(try await kept.code() == "checkpoint-signature")
    }
  }
}
