internal import Core
internal import Glibc

/// Where bytes go: a descriptor, or memory for tests.
struct Sink: Sendable {
  /// Writes all bytes, or answers the `errno` of the failure.
  let write: @Sendable ([UInt8]) -> Int32?

  /// A file descriptor, written completely, through interruptions and short writes.
  static func descriptor(_ descriptor: Int32) -> Sink {
    Sink { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
          offset += count
        } else if errno == EAGAIN {
          var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&wait, 1, -1)
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }

  /// Memory.
  static func memory(_ buffer: Locked<[UInt8]>) -> Sink {
    Sink { bytes in
      buffer.withLock { $0 += bytes }
      return nil
    }
  }
}
