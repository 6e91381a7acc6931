internal import Core
internal import Foundation
internal import Glibc

/// An HTTP server on 127.0.0.1 that does what a script says, the wrong things included.
public final class FakeEndpoint: Sendable {
  /// A request as it came.
  public struct Request: Sendable {
    /// Which request it is, from 0, over all connections.
    public let number: Int
    /// The request line.
    public let line: String
    /// Header names in lower case.
    public let headers: [String: String]
    /// The body.
    public let body: [UInt8]
  }

  /// What to do next on the connection.
  public enum Step: Sendable {
    /// Sends these bytes.
    case send([UInt8])
    /// Sends these bytes one at a time, with this pause after each.
    case drip([UInt8], Duration)
    /// Sends that many bytes of `x`.
    case flood(Int)
    /// Waits.
    case pause(Duration)
    /// Sends no more, and waits until the client goes away.
    case hang
    /// Ends our direction and goes on reading.
    case halfClose
    /// Closes the connection.
    case close
    /// Closes it so that the client sees a reset.
    case reset
  }

  /// A complete answer with a length.
  public static func answer(_ status: Int, _ body: String, type: String = "application/json", headers: [String] = []) -> [Step] {
    [.send(head(status, length: body.utf8.count, type: type, headers: headers) + Array(body.utf8))]
  }

  /// The header of an answer.
  public static func head(_ status: Int, length: Int?, type: String = "application/json", headers: [String] = []) -> [UInt8] {
    var lines = ["HTTP/1.1 \(status) Fake", "Content-Type: \(type)"] + headers
    if let length { lines.append("Content-Length: \(length)") }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  private struct State: Sendable {
    var requests: [Request] = []
    var connections: Set<Int32> = []
    var connectionCount = 0
    var aborted = 0
    var isStopped = false
  }

  /// Where it listens.
  public let port: Int
  /// `http://127.0.0.1:PORT`.
  public var base: String { "http://127.0.0.1:\(port)" }
  private let listener: Int32
  private let state = Locked(State())
  private let script: @Sendable (Request) -> [Step]

  /// Listens on a free port until ``stop()``.
  public init(_ script: @escaping @Sendable (Request) -> [Step]) throws {
    self.script = script
    let (socket, port) = try Self.listen()
    listener = socket
    self.port = port
    Thread.detachNewThread { self.accept() }
  }

  /// Runs the body with an endpoint of this script and stops it afterwards.
  public static func run<R>(_ script: @escaping @Sendable (Request) -> [Step], _ body: (FakeEndpoint) async throws -> R) async throws -> R {
    let endpoint = try FakeEndpoint(script)
    defer { endpoint.stop() }
    return try await body(endpoint)
  }

  /// A port of 127.0.0.1 on which nobody listens; it stays taken until the tests end, so that nobody else will.
  public static func refusingPort() throws -> Int { try bind().port }

  /// All requests so far.
  public var requests: [Request] { state.withLock { $0.requests } }
  /// How many connections were opened.
  public var connectionCount: Int { state.withLock { $0.connectionCount } }
  /// How many connections the client closed while an answer was under way.
  public var aborted: Int { state.withLock { $0.aborted } }

  /// Closes all connections and ends.
  public func stop() {
    let open = state.withLock { state in
      state.isStopped = true
      return state.connections
    }
    shutdown(listener, Int32(SHUT_RDWR))
    for connection in open { shutdown(connection, Int32(SHUT_RDWR)) }
  }

  private struct NoSocket: Error {}

  private static func listen() throws -> (Int32, Int) {
    let (socket, port) = try bind()
    guard Glibc.listen(socket, 1024) == 0 else { throw NoSocket() }
    return (socket, port)
  }

  private static func bind() throws -> (socket: Int32, port: Int) {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        Glibc.bind(socket, pointer, length) == 0 && getsockname(socket, pointer, &length) == 0
      }
    }
    guard socket >= 0, bound else { throw NoSocket() }
    return (socket, Int(UInt16(bigEndian: address.sin_port)))
  }

  private func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { break }
      let isStopped = state.withLock { state in
        if !state.isStopped {
          state.connections.insert(connection)
          state.connectionCount += 1
        }
        return state.isStopped
      }
      if isStopped {
        Glibc.close(connection)
        break
      }
      Thread.detachNewThread {
        self.serve(connection)
        self.state.withLock { _ = $0.connections.remove(connection) }
        Glibc.close(connection)
      }
    }
    Glibc.close(listener)
  }

  private func serve(_ connection: Int32) {
    var buffer: [UInt8] = []
    while let request = read(connection, &buffer) {
      for step in script(request) where !perform(step, connection) { return }
    }
  }

  /// Whether to go on.
  private func perform(_ step: Step, _ connection: Int32) -> Bool {
    switch step {
    case .send(let bytes): return send(bytes, connection)
    case .drip(let bytes, let pause):
      for byte in bytes {
        guard send([byte], connection), wait(pause, connection) else { return false }
      }
      return true
    case .flood(let count):
      let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
      var left = count
      while left > 0 {
        guard send(left >= chunk.count ? chunk : Array(chunk.prefix(left)), connection) else { return false }
        left -= min(left, chunk.count)
      }
      return true
    case .pause(let time): return wait(time, connection)
    case .hang:
      _ = wait(.seconds(30), connection)
      return false
    case .halfClose:
      shutdown(connection, Int32(SHUT_WR))
      return true
    case .close: return false
    case .reset:
      var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
      return false
    }
  }

  private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else {
        state.withLock { $0.aborted += 1 }
        return false
      }
      sent += count
    }
    return true
  }

  /// Waits, unless the client goes away or the endpoint stops.
  private func wait(_ time: Duration, _ connection: Int32) -> Bool {
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end {
      if state.withLock({ $0.isStopped }) { return false }
      let left = (end - ContinuousClock.now).milliseconds
      var watched = pollfd(fd: connection, events: Int16(POLLRDHUP_), revents: 0)
      if poll(&watched, 1, Int32(max(1, min(left, 50)))) > 0 {
        state.withLock { $0.aborted += 1 }
        return false
      }
    }
    return true
  }

  private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Request? {
    let mark = Array("\r\n\r\n".utf8)
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      if let end = buffer.indices.first(where: { buffer[$0...].starts(with: mark) }) {
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          guard let colon = line.firstIndex(of: ":") else { continue }
          headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        if buffer.count >= end + 4 + length {
          let body = Array(buffer[(end + 4)..<(end + 4 + length)])
          buffer.removeFirst(end + 4 + length)
          return state.withLock { state in
            let request = Request(number: state.requests.count, line: lines.first.map(String.init) ?? "", headers: headers, body: body)
            state.requests.append(request)
            return request
          }
        }
      }
      let count = recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      buffer.append(contentsOf: chunk[..<count])
    }
  }
}

/// `POLLRDHUP`, which Swift's module does not show.
private let POLLRDHUP_: Int32 = 0x2000
