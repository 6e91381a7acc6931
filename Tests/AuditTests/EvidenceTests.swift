import Audit
import Core
import Dispatch
import Glibc
import Storage
import TestSupport
import Testing

@Suite struct EvidenceTests {
  @Test func evidenceIsStoredOnceWithTheEntryThatNamesIt() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      let small = Array("small".utf8)
      let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try FileCopy.write(large, "\(directory)/large.bin")
      var entry = draft("run-1")
      entry.evidence = [
        try Evidence.bytes(small, media: "text/plain"),
        try Evidence.file("large.bin", within: directory, media: "application/octet-stream"),
      ]
      try await store.append([entry])
      var again = draft("run-1")
      again.evidence = [.stored(EvidenceReference(digest: SHA256.hash(small), media: "text/plain", size: small.count))]
      try await store.append([again])
      let (bytes, rows, named) = try await store.read { context in
        (
          [try context.evidence(SHA256.hash(small)), try context.evidence(SHA256.hash(large))],
          try context.database.first("SELECT count(*) FROM evidence", [], { $0.int(0) }),
          try context.entry(at: 0)?.evidence.map(\.size).sorted()
        )
      }
      #expect(bytes == [small, large])
      #expect(rows == 2)
      #expect(named == [5, 1_000_000])
      #expect(try await store.verify().evidence == 2)
      var missing = draft("run-1")
      missing.evidence = [.stored(EvidenceReference(digest: SHA256.hash("x"), media: "text/plain", size: 1))]
      await #expect(throws: AuditError.self) { try await store.append([missing]) }
      #expect(try await store.read { $0.head.size } == 2)
      await store.close()
    }
  }

  @Test func sizesAreLimited() throws {
    #expect(throws: AuditError.self) { try Evidence.bytes([1, 2, 3], media: "a/b", limit: 2) }
  }

  struct Form: Sendable, CustomTestStringConvertible {
    let name: String
    let path: String
    /// Part of the error; nil where the file is taken.
    let error: String?
    var testDescription: String { name }
  }

  static let forms = [
    Form(name: "a file", path: "good.txt", error: nil),
    Form(name: "a file in a folder", path: "sub/./good.txt", error: nil),
    Form(name: "an absolute path below the root", path: "ROOT/good.txt", error: nil),
    Form(name: "upwards", path: "../secret.txt", error: "`..`"),
    Form(name: "upwards and back", path: "sub/../good.txt", error: "`..`"),
    Form(name: "absolute elsewhere", path: "/etc/hostname", error: "does not lie in"),
    Form(name: "a sibling with the same beginning", path: "ROOT-other/secret.txt", error: "does not lie in"),
    Form(name: "a link to a file", path: "link.txt", error: "symbolic link"),
    Form(name: "a link to a folder", path: "linked/good.txt", error: "symbolic link `linked`"),
    Form(name: "a dangling link", path: "dangling", error: "symbolic link"),
    Form(name: "a second name", path: "hard.txt", error: "hard links"),
    Form(name: "a pipe", path: "pipe", error: "named pipe"),
    Form(name: "a socket", path: "socket", error: "socket"),
    Form(name: "a device", path: "device", error: "device"),
    Form(name: "a folder", path: "sub", error: "folder"),
    Form(name: "below a file", path: "good.txt/x", error: "not a folder"),
    Form(name: "nothing", path: "", error: "names no file"),
    Form(name: "absent", path: "absent.txt", error: "there is no file"),
    Form(name: "a NUL", path: "good.txt\u{0}.pdf", error: "NUL"),
    Form(name: "too large", path: "big.bin", error: "the limit is 1000"),
  ]

  @Test("T32 evidence comes only from regular files below the root", arguments: forms)
  func paths(_ form: Form) throws {
    try withTemporaryDirectory { directory in
      let root = "\(directory)/root"
      mkdir(root, 0o700)
      mkdir("\(root)/sub", 0o700)
      mkdir("\(directory)/root-other", 0o700)
      for path in ["\(root)/good.txt", "\(root)/sub/good.txt", "\(directory)/secret.txt", "\(directory)/root-other/secret.txt"] {
        try FileCopy.write(Array("good".utf8), path)
      }
      try FileCopy.write([UInt8](repeating: 1, count: 1001), "\(root)/big.bin")
      symlink("\(directory)/secret.txt", "\(root)/link.txt")
      symlink("sub", "\(root)/linked")
      symlink("nowhere", "\(root)/dangling")
      link("\(directory)/secret.txt", "\(root)/hard.txt")
      mkfifo("\(root)/pipe", 0o600)
      try bindSocket("\(root)/socket")
      if mknod("\(root)/device", S_IFCHR | 0o600, 0x103) != 0 {
        if form.path == "device" { return }  // only root can make one
      }
      do {
        let evidence = try Evidence.file(form.path.replacing("ROOT", with: root), within: root, media: "text/plain", limit: 1000)
        #expect(form.error == nil)
        #expect(evidence.reference == EvidenceReference(digest: SHA256.hash("good"), media: "text/plain", size: 4))
      } catch let error as AuditError {
        #expect(form.error.map { error.message.contains($0) } == true, "\(error)")
      }
    }
  }

  func bindSocket(_ path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(result == 0)
  }

  @Test("T32 a file swapped for a link while it is taken in never gives the link's target")
  func swapRace() throws {
    try withTemporaryDirectory { directory in
      let root = "\(directory)/root"
      mkdir(root, 0o700)
      let target = "\(root)/file.txt"
      try FileCopy.write(Array("good".utf8), "\(directory)/good.txt")
      try FileCopy.write(Array("SECRET".utf8), "\(directory)/secret.txt")
      let done = Locked(false)
      let swapping = DispatchGroup()
      DispatchQueue.global().async(group: swapping) {
        while !done.withLock({ $0 }) {
          symlink("\(directory)/secret.txt", "\(root)/link")
          rename("\(root)/link", target)
          let file = fopen("\(root)/fresh", "wb")
          fputs("good", file)
          fclose(file)
          rename("\(root)/fresh", target)
        }
      }
      var taken = 0
      let deadline = ContinuousClock.now + .seconds(20)
      var tries = 0
      while tries < 2000 || (taken == 0 && .now < deadline) {
        tries += 1
        guard let evidence = try? Evidence.file("file.txt", within: root, media: "text/plain") else { continue }
        taken += 1
        #expect(evidence.reference.digest != SHA256.hash("SECRET"))
      }
      done.withLock { $0 = true }
      swapping.wait()
      #expect(taken > 0)
    }
  }
}
