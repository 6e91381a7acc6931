internal import Core
internal import Glibc
internal import LocalSocket

/// Where the service of a workspace listens.
enum ServicePlace {
  /// The socket in the store's folder.
  static func inWorkspace(_ folder: String) -> String { "\(folder)/\(Workspace.stateFolder)/socket" }

  /// The socket in the person's own runtime folder, for a workspace whose path is too long for one; nil where there is no such folder.
  static func inRuntimeFolder(_ folder: String, _ environment: Environment) -> String? {
    guard let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") else { return nil }
    return "\(runtime)/remit-\(SHA256.hash(Workspace.absolute(folder)).hex.prefix(16)).socket"
  }

  /// Where a service listens that is told nothing else.
  ///
  /// - Throws: ``CommandError`` where no path is short enough.
  static func forListening(_ folder: String, _ environment: Environment) throws -> String {
    let usual = inWorkspace(folder)
    if usual.utf8.count <= SocketLimits.pathBytes { return usual }
    if let other = inRuntimeFolder(folder, environment), other.utf8.count <= SocketLimits.pathBytes { return other }
    throw CommandError.usage(
      "the path of the workspace is too long for a socket, which takes \(SocketLimits.pathBytes) bytes",
      hint: "name a shorter one: `--socket PATH`, and `REMIT_SOCKET` for those who speak to it")
  }

  /// Connects to the service of a workspace, where one listens.
  ///
  /// `REMIT_SOCKET` names one that listens elsewhere; then there has to be one.
  /// - Returns: Nil where nobody listens: then the store's file is opened.
  /// - Throws: ``CommandError`` with exit code 4 where this account may not connect, or somebody listens who cannot be the service.
  static func connect(_ folder: String, _ environment: Environment) throws -> UnixConnection? {
    if let path = environment["REMIT_SOCKET"], !path.isEmpty { return try connect(to: path) }
    for path in [inWorkspace(folder), inRuntimeFolder(folder, environment)].compactMap({ $0 }) {
      if path.utf8.count > SocketLimits.pathBytes { continue }
      do throws(SocketError) {
        return try connect(to: path)
      } catch {
        if error.code == .nobody { continue }
        // Who may not even look for the socket hears from the store's file why.
        if error.code == .denied, !FileTree.exists(path) { continue }
        throw CommandError(describing: error)
      }
    }
    return nil
  }

  private static func connect(to path: String) throws(SocketError) -> UnixConnection {
    let connection = try UnixConnection.connect(to: path)
    let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    var folder = stat()
    let trusted = [0, geteuid()] + (stat(parent, &folder) == 0 ? [folder.st_uid] : [])
    guard trusted.contains(connection.peer.uid) else {
      let account = Account.name(of: connection.peer.uid)
      throw SocketError(.impostor, "`\(visible(account))` listens at `\(visible(path))`, who is not the owner of that folder")
    }
    return connection
  }
}
