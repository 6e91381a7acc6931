internal import Core
internal import Glibc
internal import Governance
internal import LocalSocket

/// One command of one client of the service.
final class Session: Sendable {
  /// The workspace as the client has it: they act under their own name.
  let workspace: Workspace
  /// How the client names the folder of the workspace; it stands for files on their side only.
  let folder: String
  private let service: Service
  private let connection: UnixConnection
  private let hello: Hello

  init(_ service: Service, _ connection: UnixConnection, _ identity: Identity, _ hello: Hello) {
    self.service = service
    self.connection = connection
    self.hello = hello
    folder = hello.workspace
    workspace = service.workspace.seen(by: identity)
  }

  /// Runs the command and answers its exit code.
  func run() async -> Int32 {
    await RemitCommand.run(
      hello.arguments, environment: Environment([:]), terminal: hello.terminal, output: sink("out", waits: true),
      words: sink("err", waits: false), commands: service.commands, front: SocketFront(connection), session: self)
  }

  /// Results wait for a client that is slow; words, which other threads say as well, do not.
  private func sink(_ name: String, waits: Bool) -> Sink {
    Sink { [connection] bytes in
      for start in stride(from: 0, to: bytes.count, by: SocketLimits.chunkBytes) {
        let chunk = Array(bytes[start..<min(start + SocketLimits.chunkBytes, bytes.count)])
        do throws(SocketError) {
          try connection.send(.object([name: .string(Base64.encode(chunk))]), waits: waits)
        } catch {
          return EPIPE
        }
      }
      return nil
    }
  }
}
