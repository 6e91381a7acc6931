internal import Audit
internal import Core
internal import Governance
internal import LocalSocket

/// What keeps a store open for several people: each connection of its socket runs one command as the person whose account it is.
final class Service: Sendable {
  /// The workspace as the service itself has it.
  let workspace: Workspace
  let commands: CommandTable
  /// The account of a number.
  private let account: @Sendable (UInt32) -> String
  /// The account that the service runs under.
  private let own: UInt32

  /// A service of an open workspace.
  ///
  /// - Parameters:
  ///   - workspace: Opened with ``Workspace/Access/serve``.
  ///   - commands: What clients may ask for.
  ///   - own: The number of the account that the service runs under.
  ///   - account: The name of an account's number.
  init(
    _ workspace: Workspace, commands: CommandTable = .remit, own: UInt32,
    account: @escaping @Sendable (UInt32) -> String = Account.name(of:)
  ) {
    self.workspace = workspace
    self.commands = commands
    self.own = own
    self.account = account
  }

  /// Does what a client wants whose first frame is there.
  func serve(_ connection: UnixConnection) async {
    do {
      let hello = try Hello(try connection.receive(limit: SocketLimits.firstFrameBytes))
      let identity = try await identity(of: connection.peer)
      let exit = await Session(self, connection, identity, hello).run()
      try connection.send(["exit": .int(Int(exit))])
    } catch {
      try? connection.send(Self.refusal(CommandError(describing: error)))
    }
    try? connection.drain()
  }

  /// The person at the other end, as the kernel and the directory know them.
  ///
  /// - Throws: ``CommandError`` with exit code 4, which is recorded, for an account that is nobody's or an agent's.
  private func identity(of peer: PeerCredentials) async throws -> Identity {
    let account = account(peer.uid)
    let (directory, isTeam) = try await workspace.store.read { view in
      let shared = try view.shared()
      return (shared.directory, shared.isTeam)
    }
    do {
      return try Account.identity(in: directory, uid: peer.uid, account: account, mayOperate: peer.uid == own && !isTeam)
    } catch let error as CommandError {
      try await workspace.gate.recordRefusedAccess(uid: peer.uid, account: account, by: .socket, code: error.code)
      throw error
    }
  }

  /// The frame that says why nothing was done.
  static func refusal(_ error: CommandError) -> JSON {
    var body: JSONObject = ["exit": .int(Int(error.exit.rawValue)), "code": .string(error.code), "message": .string(error.message)]
    body["hint"] = error.hint.map { .string($0) }
    return ["error": .object(body)]
  }
}
