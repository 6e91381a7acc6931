import Core
import Storage
import TestSupport
import Testing

@testable import Audit

@Suite struct CheckpointTests {
  static let key = NoteKey(name: "example.com/log", publicKey: [UInt8](repeating: 7, count: 32))

  @Test func aSignedNoteIsReadAsItWasWrittenAndInNoOtherWay() throws {
    let key = try #require(Self.key)
    #expect(NoteKey(parsing: key.description) == key)
    #expect(NoteKey(parsing: key.description + "A") == nil)
    let checkpoint = Checkpoint(origin: "example.com/log", size: 3, root: MerkleTree.emptyRoot)
    let note = SignedNote(checkpoint.text, signature: [UInt8](repeating: 9, count: 64), by: key)
    #expect(try SignedNote(parsing: note.description) == note)
    #expect(try Checkpoint(parsing: note.description) == checkpoint)
    #expect(note.signatures(by: key).count == 1)
    let text = note.description
    for wrong in [
      checkpoint.text, checkpoint.text + "\n", text + "\n", text + "x", String(text.dropLast()),
      text.replacing("— ", with: "- "), text.replacing("=\n", with: "\n"),
    ] where wrong != text {
      #expect(throws: AuditError.self, "\(wrong)") { try SignedNote(parsing: wrong) }
    }
  }

  @Test("T12 nothing is appended to a store that a checkpoint beside it contradicts")
  func aStoreThatWasRolledBackOrReplaced() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 300)
      try VerifyTests.copy(path, "\(directory)/old.sqlite")
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      try await store.append([draft("run-1")])
      let kept = try await store.checkpoint(origin: "log")
      try await store.keep(kept.text)
      // An older one takes nothing away from what is known.
      try await store.keep(Checkpoint(origin: "log", size: 0, root: MerkleTree.emptyRoot).text)
      #expect(try KeptCheckpoint.read(besideStore: path) == kept)
      try await store.append([draft("run-1")])
      await store.close()
      func open() async throws {
        try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions()).close()
      }
      try await open()

      try VerifyTests.copy("\(directory)/old.sqlite", path)
      let cut = await #expect(throws: AuditError.self) { try await open() }
      #expect(cut?.code == .forked && cut?.message.contains("rolled back") == true)

      // The wrong end was written anew: as long as before, and whole in itself.
      try await makeLog("\(directory)/other.sqlite", entries: 302)
      try VerifyTests.copy("\(directory)/other.sqlite", path)
      let fork = await #expect(throws: AuditError.self) { try await open() }
      #expect(fork?.code == .forked && fork?.message.contains("another log") == true)
    }
  }
}
