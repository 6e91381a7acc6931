internal import Core
internal import Glibc

/// The address of a Unix socket in the file system.
struct UnixAddress {
  let path: String

  /// - Throws: ``SocketError`` for a path that is empty, too long or holds a NUL character.
  init(_ path: String) throws(SocketError) {
    let count = path.utf8.count
    guard count <= SocketLimits.pathBytes else {
      let shown = "`\(visible(path))`"
      throw SocketError(
        .pathTooLong, "\(shown) has \(count) bytes, the path of a socket takes \(SocketLimits.pathBytes): name a shorter one")
    }
    guard count > 0, !path.utf8.contains(0) else { throw SocketError(.system, "`\(visible(path))` cannot be the path of a socket") }
    self.path = path
  }

  /// Calls something with the kernel's form of the address.
  func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  /// A new socket that no child inherits.
  static func socket() throws(SocketError) -> Int32 {
    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = Glibc.socket(AF_UNIX, flags, 0)
    guard descriptor >= 0 else { throw .system("cannot make a socket") }
    return descriptor
  }
}

extension SocketError {
  /// The reason that the operating system gave last.
  static func system(_ what: String, _ problem: Int32 = errno) -> SocketError {
    SocketError(.system, "\(what): \(String(cString: strerror(problem)))")
  }
}
