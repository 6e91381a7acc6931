import Core
import Glibc
import TestSupport
import Testing

@testable import LocalSocket

@Suite struct ListenerTests {
  @Test func onlyOneOfManyThatStartAtOnceListens() async throws {
    try await withTemporaryDirectory { folder in
      let path = "\(folder)/s"
      let listeners = await withTaskGroup(of: UnixListener?.self) { group in
        for _ in 0..<20 { group.addTask { try? UnixListener(path: path) } }
        return await group.reduce(into: [UnixListener]()) { if let listener = $1 { $0.append(listener) } }
      }
      #expect(listeners.count == 1)
      let peer = try UnixConnection.connect(to: path).peer
      #expect(peer.process == getpid())
      let error = #expect(throws: SocketError.self) { try UnixListener(path: path) }
      #expect(error?.code == .inUse)
    }
  }

  @Test func whatADeadOneLeftIsReplacedAndNothingElseIs() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/s"
      _ = try UnixListener(path: path)  // gone at once, and its socket stays
      #expect(access(path, F_OK) == 0)
      let error = #expect(throws: SocketError.self) { try UnixConnection.connect(to: path) }
      #expect(error?.code == .nobody)
      let listener = try UnixListener(path: path)
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
      listener.remove()
      #expect(access(path, F_OK) != 0)

      let file = "\(folder)/file"
      try RegularFile.writeAtomically(Array("kept".utf8), to: file)
      #expect(throws: SocketError.self) { try UnixListener(path: file) }
      let kept = try RegularFile.read(file, maximumBytes: 10)
      #expect(kept == Array("kept".utf8))
    }
  }

  @Test func aPathThatTheKernelHasNoRoomForIsRefused() throws {
    try withTemporaryDirectory { folder in
      let longest = folder + "/" + String(repeating: "s", count: SocketLimits.pathBytes - folder.utf8.count - 1)
      _ = try UnixListener(path: longest)
      let error = #expect(throws: SocketError.self) { try UnixListener(path: longest + "s") }
      #expect(error?.code == .pathTooLong)
    }
  }

  @Test func theOtherEndIsWhoTheKernelSays() throws {
    try withTemporaryDirectory { folder in
      let listener = try UnixListener(path: "\(folder)/s")
      let client = try UnixConnection.connect(to: "\(folder)/s")
      let server = try #require(try listener.accept())
      for peer in [client.peer, server.peer] { #expect((peer.uid, peer.gid, peer.process) == (geteuid(), getegid(), getpid())) }
    }
  }
}

@Suite struct ServerTests {
  /// Answers each frame with itself until the client goes.
  private func withEcho(_ body: (String) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let path = "\(folder)/s"
      let server = try SocketServer(
        try UnixListener(path: path), refusal: { ["refused": .string($0.code.rawValue)] },
        handler: { connection in
          while let frame = try? connection.receive(seconds: 5) { try? connection.send(frame) }
        })
      let task = Task { await server.run() }
      try await body(path)
      server.stop()
      await task.value
      #expect(access(path, F_OK) != 0)
    }
  }

  @Test func oneClientAfterTheOtherIsServed() async throws {
    try await withEcho { path in
      for number in 0..<100 {
        let client = try UnixConnection.connect(to: path)
        try client.send(["n": .int(number)])
        let answer = try client.receive()
        #expect(answer == ["n": .int(number)])
      }
    }
  }

  @Test func whoSendsAFrameWithoutEndIsLetGo() async throws {
    try await withEcho { path in
      let endless = try UnixConnection.connect(to: path)
      let bytes = [UInt8](repeating: 0x20, count: 1 << 16)
      var count = 0
      while count < 1 << 30 {
        let written = send(endless.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if written < 0, errno == EAGAIN { usleep(1000) } else if written < 0 { break } else { count += written }
      }
      #expect(count < 4 << 20)
      let next = try UnixConnection.connect(to: path)
      try next.send(["still": "there"])
      let answer = try next.receive()
      #expect(answer == ["still": "there"])
    }
  }

  @Test func aThousandIdleConnectionsKeepNobodyOut() async throws {
    try await withEcho { path in
      var held: [UnixConnection] = []
      for _ in 0..<1000 { if let client = try? UnixConnection.connect(to: path) { held.append(client) } }
      let client = try UnixConnection.connect(to: path)
      try client.send(["hello": true])
      let answer = try client.receive()
      #expect(answer == ["hello": true])
      #expect(held.count > SocketLimits.waitingPerAccount)
    }
  }
}
