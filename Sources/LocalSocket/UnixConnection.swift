public import Core
internal import Glibc

/// One end of a Unix socket that speaks in frames.
///
/// What is sent is kept until the other end takes it. Calls that wait hold their thread; each wait has a
/// deadline.
public final class UnixConnection: Sendable {
  /// Who is at the other end.
  public let peer: PeerCredentials
  let descriptor: Int32
  private let incoming = Locked(FrameReader())
  private let outgoing = Locked(Outgoing())

  private struct Outgoing: Sendable {
    var bytes: [UInt8] = []
    var isClosed = false
  }

  /// Takes a connected, non-blocking descriptor over.
  ///
  /// - Throws: ``SocketError`` where the kernel does not say who is at the other end; the descriptor is closed then.
  init(taking descriptor: Int32) throws(SocketError) {
    guard let peer = PeerCredentials(of: descriptor) else {
      close(descriptor)
      throw SocketError(.system, "the kernel does not say who is at the other end of the socket")
    }
    self.peer = peer
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Connects to whoever listens at a path.
  ///
  /// - Throws: ``SocketError``: `nobody` where nobody listens, `denied` where this account may not connect.
  public static func connect(to path: String) throws(SocketError) -> UnixConnection {
    let address = try UnixAddress(path)
    let descriptor = try UnixAddress.socket()
    var problem = address.withPointer { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
    var tries = 0
    while problem == EAGAIN, tries < 100 {  // its queue is full
      usleep(20_000)
      tries += 1
      problem = address.withPointer { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
    }
    if problem == 0 { return try UnixConnection(taking: descriptor) }
    close(descriptor)
    switch problem {
    case ENOENT, ECONNREFUSED, ENOTDIR, ENOTSOCK, ENXIO: throw SocketError(.nobody, "nobody listens at `\(visible(path))`")
    case EACCES, EPERM: throw SocketError(.denied, "this account may not connect to `\(visible(path))`")
    default: throw .system("cannot connect to `\(visible(path))`", problem)
    }
  }

  // MARK: Sending

  /// Sends a frame.
  ///
  /// - Parameters:
  ///   - frame: What is sent.
  ///   - waits: Whether to wait where the other end is slow. Otherwise the frame is kept, or the connection given up where too much is.
  /// - Throws: ``SocketError``: `gone`, `timedOut`.
  public func send(_ frame: JSON, waits: Bool = true) throws(SocketError) {
    let bytes = Array(frame.text().utf8) + [0x0A]
    let unsent = try outgoing.withLock { (outgoing) throws(SocketError) in
      if outgoing.isClosed { throw Self.gone }
      outgoing.bytes += bytes
      try flush(&outgoing)
      if outgoing.bytes.count > SocketLimits.unsentBytes, !waits {
        outgoing.isClosed = true
        throw Self.gone
      }
      return outgoing.bytes.count
    }
    if waits, unsent > 1 << 20 { try drain() }
  }

  /// Waits until the other end has taken all that was sent.
  ///
  /// - Throws: ``SocketError``: `gone`, `timedOut`.
  public func drain() throws(SocketError) {
    while try outgoing.withLock({ (outgoing) throws(SocketError) in
      if outgoing.isClosed { throw Self.gone }
      try flush(&outgoing)
      return !outgoing.bytes.isEmpty
    }) {
      guard wait(for: POLLOUT, milliseconds: SocketLimits.sendSeconds * 1000) else {
        outgoing.withLock { $0.isClosed = true }
        throw SocketError(.timedOut, "the other end did not take what it was sent")
      }
    }
  }

  private func flush(_ outgoing: inout Outgoing) throws(SocketError) {
    var sent = 0
    defer { outgoing.bytes.removeFirst(sent) }
    while sent < outgoing.bytes.count {
      let count = outgoing.bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        return
      } else if errno != EINTR {
        outgoing.isClosed = true
        throw Self.gone
      }
    }
  }

  // MARK: Receiving

  /// Reads what is there, without waiting.
  ///
  /// - Returns: Whether a whole frame has come.
  /// - Throws: ``SocketError``: `gone`, `tooLarge`.
  func take(limit: Int) throws(SocketError) -> Bool {
    try incoming.withLock { (reader) throws(SocketError) in
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while try !reader.hasFrame(limit: limit) {
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN { return false }
        if count <= 0 { throw Self.gone }
        reader.append(chunk[..<count])
      }
      return true
    }
  }

  /// Waits for the next frame.
  ///
  /// - Throws: ``SocketError``: `gone`, `timedOut`, `tooLarge`, `garbled`.
  public func receive(limit: Int = SocketLimits.frameBytes, seconds: Int = SocketLimits.sendSeconds) throws(SocketError) -> JSON {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if try take(limit: limit), let frame = try incoming.withLock({ (reader) throws(SocketError) in try reader.next(limit: limit) }) {
        return frame
      }
      let left = (end - ContinuousClock.now) / .milliseconds(1)
      guard left > 0, wait(for: POLLIN, milliseconds: Int(left.rounded(.up))) else {
        throw SocketError(.timedOut, "there was no answer within \(seconds) seconds")
      }
    }
  }

  /// Waits until the descriptor is ready or the other end is gone.
  private func wait(for events: Int32, milliseconds: Int) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while true {
      let left = (end - ContinuousClock.now) / .milliseconds(1)
      let ready = Glibc.poll(&entry, 1, Int32(clamping: Int(max(0, left).rounded(.up))))
      if ready > 0 { return true }
      if ready == 0 || errno != EINTR { return false }
    }
  }

  /// Ends the connection: whoever waits on it, here or there, goes on.
  public func end() {
    outgoing.withLock { $0.isClosed = true }
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  private static var gone: SocketError { SocketError(.gone, "the other end of the socket went away") }
}
