internal import Glibc

/// Which account and process is at the other end of a Unix socket, as the kernel recorded it when they connected.
public struct PeerCredentials: Hashable, Sendable {
  /// The process.
  public let process: Int32
  /// The number of the effective account.
  public let uid: UInt32
  /// The number of the effective group.
  public let gid: UInt32

  /// Asks the kernel.
  ///
  /// - Returns: Nil where it does not say: then nobody is known.
  init?(of descriptor: Int32) {
    // `struct ucred`, which the Glibc module does not have: three numbers of four bytes.
    var numbers: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: numbers))
    let peerCredentials: Int32 = 17  // SO_PEERCRED
    guard getsockopt(descriptor, SOL_SOCKET, peerCredentials, &numbers, &size) == 0, size == 12 else { return nil }
    (process, uid, gid) = numbers
  }
}
