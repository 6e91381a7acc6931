import Glibc

/// A model server that answers every request at once with the same reply: one thread, `poll`, keep-alive.
///
/// It runs in a process of its own, so that its CPU is not counted.
enum ModelStub {
  static let answer = """
    {"id":"chatcmpl-stub-000000000000","object":"chat.completion","created":1700000000,"model":"stub-1","choices":[{"index":0,"message":\
    {"role":"assistant","content":"The invoice matches the purchase order and the goods receipt. Amount 1200 EUR is within the limit of the clerk. \
    Recommended action: approve and schedule the payment for the next run on Friday.","refusal":null},"logprobs":null,"finish_reason":"stop"}],\
    "usage":{"prompt_tokens":612,"completion_tokens":41,"total_tokens":653,"prompt_tokens_details":{"cached_tokens":0},\
    "completion_tokens_details":{"reasoning_tokens":0}},"system_fingerprint":"fp_stub"}
    """

  /// Serves until the process is ended, at most ten minutes; writes its port to a file first.
  static func serve(portFile: String) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isReady = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) == 0 && listen(listener, 1024) == 0 && getsockname(listener, pointer, &length) == 0
      }
    }
    guard isReady, let file = fopen(portFile, "w") else { throw BenchError("the stub cannot listen") }
    fputs("\(UInt16(bigEndian: address.sin_port))\n", file)
    fclose(file)
    signal(SIGPIPE, SIG_IGN)

    let reply = Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)".utf8)
    var watched = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    var pending: [Int32: [UInt8]] = [:]
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let end = wallSeconds() + 600
    while wallSeconds() < end {
      guard poll(&watched, nfds_t(watched.count), 500) > 0 else { continue }
      var closed: Set<Int32> = []
      for entry in watched where entry.revents != 0 {
        if entry.fd == listener {
          let connection = accept(listener, nil, nil)
          if connection >= 0 { watched.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0)) }
          continue
        }
        let got = recv(entry.fd, &buffer, buffer.count, 0)
        guard got > 0 else {
          closed.insert(entry.fd)
          continue
        }
        var bytes = (pending[entry.fd] ?? []) + buffer[..<got]
        while let size = requestSize(bytes), bytes.count >= size {
          _ = send(entry.fd, reply, reply.count, 0)
          bytes.removeFirst(size)
        }
        pending[entry.fd] = bytes.isEmpty ? nil : bytes
      }
      guard !closed.isEmpty else { continue }
      watched.removeAll { closed.contains($0.fd) }
      for descriptor in closed {
        pending[descriptor] = nil
        close(descriptor)
      }
    }
  }

  /// The bytes of the first request, or `nil` while its header is not complete.
  private static func requestSize(_ bytes: [UInt8]) -> Int? {
    let mark: [UInt8] = [13, 10, 13, 10]
    let name = Array("content-length:".utf8)
    var length = 0
    var place = 0
    while place + 4 <= bytes.count {
      if bytes[place] == 13, bytes[place..<place + 4].elementsEqual(mark) { return place + 4 + length }
      if bytes[place] == 10, place + 1 + name.count < bytes.count,
        zip(bytes[(place + 1)...], name).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 })
      {
        length = bytes[(place + 1 + name.count)...].drop { $0 == 32 }.prefix { (48...57).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 48 }
      }
      place += 1
    }
    return nil
  }
}
