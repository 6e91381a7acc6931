internal import Core
internal import Glibc

/// A socket that listens at a path; who may connect is its mode and its folder's.
public final class UnixListener: Sendable {
  /// Where it listens.
  public let path: String
  let descriptor: Int32
  private let lock: Int32

  /// Listens at a path.
  ///
  /// A lock beside the socket, which the kernel gives back when its holder dies, tells a live listener from a socket file that a killed one
  /// left: only who has it removes the file and makes a new one, so two that start at the same moment never both listen.
  /// - Parameters:
  ///   - path: At most ``SocketLimits/pathBytes`` bytes.
  ///   - group: The number of the group whose members may connect; nil for the process's own.
  /// - Throws: ``SocketError``: `inUse` where another process listens, `pathTooLong`, `system`.
  public init(path: String, group: UInt32? = nil) throws(SocketError) {
    let address = try UnixAddress(path)
    let lock = try Self.lock("\(path).lock", for: path)
    do throws(SocketError) {
      descriptor = try Self.listen(address, group: group)
    } catch {
      close(lock)
      throw error
    }
    self.lock = lock
    self.path = path
  }

  private static func lock(_ path: String, for socket: String) throws(SocketError) -> Int32 {
    let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw .system("cannot make the lock `\(visible(path))`") }
    if flock(lock, LOCK_EX | LOCK_NB) == 0 { return lock }
    let problem = errno
    close(lock)
    if problem == EWOULDBLOCK { throw SocketError(.inUse, "another process listens at `\(visible(socket))`") }
    throw .system("cannot lock `\(visible(path))`", problem)
  }

  private static func listen(_ address: UnixAddress, group: UInt32?) throws(SocketError) -> Int32 {
    let path = address.path
    let shown = visible(path)
    var status = stat()
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFSOCK else {
        throw SocketError(.system, "`\(shown)` is there already and is no socket, so it is not replaced")
      }
      unlink(path)
    }
    let descriptor = try UnixAddress.socket()
    // Nobody may connect before the group is right.
    let mask = umask(0o177)
    let isBound = address.withPointer { bind(descriptor, $0, $1) == 0 }
    let problem = errno
    umask(mask)
    guard isBound else {
      close(descriptor)
      throw .system("cannot listen at `\(shown)`", problem)
    }
    if let group, chown(path, uid_t.max, group) != 0 {
      let problem = errno
      close(descriptor)
      unlink(path)
      throw .system("cannot give `\(shown)` to the group", problem)
    }
    guard chmod(path, 0o660) == 0, Glibc.listen(descriptor, 128) == 0 else {
      let problem = errno
      close(descriptor)
      unlink(path)
      throw .system("cannot listen at `\(shown)`", problem)
    }
    return descriptor
  }

  /// Takes the next connection; nil where none waits, or it went away again.
  ///
  /// - Throws: ``SocketError`` where the process has no descriptor left, or the socket is closed.
  func accept() throws(SocketError) -> UnixConnection? {
    let taken = Glibc.accept(descriptor, nil, nil)
    guard taken >= 0 else {
      if errno == EAGAIN || errno == EINTR || errno == ECONNABORTED { return nil }
      throw .system("cannot take a connection")
    }
    _ = fcntl(taken, F_SETFD, FD_CLOEXEC)
    _ = fcntl(taken, F_SETFL, fcntl(taken, F_GETFL) | O_NONBLOCK)
    return try? UnixConnection(taking: taken)
  }

  /// Removes the socket; connections that were taken go on.
  public func remove() {
    unlink(path)
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  deinit {
    close(descriptor)
    close(lock)
  }
}
