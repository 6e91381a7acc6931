import CCurl
import Glibc
import Synchronization

/// What the engine's thread does; all of its state is that thread's own.
struct TransferLoop {
  let engine: TransferEngine
  let api: UnsafePointer<ccurl_api>
  let multi: UnsafeMutableRawPointer
  var active: [Transfer] = []
  var spare: [EasyHandle] = []
  var nextSweep: UInt64 = 0
  static let sweepInterval: UInt64 = 1_000_000_000

  init(_ engine: TransferEngine) {
    self.engine = engine
    api = engine.library.api
    multi = engine.multi
  }

  mutating func run() {
    while takeInbox() {
      var running: Int32 = 0
      _ = api.pointee.multi_perform(multi, &running)
      finishDone()
      if active.isEmpty == false { sweep() }
      let mustWait = engine.inbox.withLock { inbox in
        guard inbox.starts.isEmpty, inbox.cancels.isEmpty, !inbox.isClosing else { return false }
        inbox.isSleeping = true
        return true
      }
      guard mustWait else { continue }
      let code = api.pointee.multi_poll(multi, nil, 0, active.isEmpty ? 60_000 : 1_000, nil)
      engine.inbox.withLock { $0.isSleeping = false }
      // Out of memory or descriptors: do not spin.
      if code != CURLM_OK { usleep(10_000) }
    }
    shutDown()
  }

  /// Starts and cancels what callers asked for; `false` when the client is closing.
  private mutating func takeInbox() -> Bool {
    let (starts, cancels, isClosing) = engine.inbox.withLock { inbox in
      let taken = (inbox.starts, inbox.cancels, inbox.isClosing)
      inbox.starts = []
      inbox.cancels = []
      return taken
    }
    for transfer in starts {
      if isClosing {
        answer(transfer, .failure(HTTPError(.unavailable, "the HTTP client was shut down")))
      } else if let error = start(transfer) {
        answer(transfer, .failure(error))
      }
    }
    for transfer in cancels where transfer.slot >= 0 {
      let error = failure(transfer, .cancelled, "the request to `\(transfer.request.shownURL)` was cancelled")
      release(transfer)
      answer(transfer, .failure(error))
    }
    return !isClosing
  }

  private mutating func shutDown() {
    for transfer in active {
      let error = failure(transfer, .unavailable, "the HTTP client was shut down")
      release(transfer)
      answer(transfer, .failure(error))
    }
    engine.inbox.withLock { $0.isClosed = true }
    for handle in spare { handle.free(api) }
    _ = api.pointee.multi_cleanup(multi)
  }

  private func answer(_ transfer: Transfer, _ outcome: Transfer.Outcome) {
    let waiter = engine.inbox.withLock { inbox in
      inbox.count -= 1
      let waiter = transfer.waiter
      transfer.waiter = nil
      return waiter
    }
    waiter?.resume(returning: outcome)
  }

  // MARK: Starting

  private mutating func start(_ transfer: Transfer) -> HTTPError? {
    guard let handle = spare.popLast() ?? EasyHandle(api) else { return HTTPError(.library, "libcurl gave no handle") }
    transfer.handle = handle
    let error = configure(handle, transfer)
    let added = error == nil && api.pointee.multi_add_handle(multi, handle.easy) == CURLM_OK
    guard added else {
      transfer.handle = nil
      handle.free(api)
      return error ?? HTTPError(.library, "libcurl did not take the request")
    }
    transfer.slot = active.count
    active.append(transfer)
    return nil
  }

  private func configure(_ handle: EasyHandle, _ transfer: Transfer) -> HTTPError? {
    let easy = handle.easy
    let request = transfer.request
    let limits = request.limits
    let waited = (monotonicNanoseconds() - transfer.queued) / 1_000_000
    let remaining = limits.timeout.atLeastOneMillisecond - Int(waited)
    guard remaining > 0 else { return failure(transfer, .timeout, timeoutText(transfer)) }
    handle.errorText.pointee = 0
    var code = CURLE_OK
    func check(_ result: CURLcode) { if code == CURLE_OK { code = result } }
    func long(_ option: CURLoption, _ value: Int) { check(ccurl_set_long(api, easy, option, value)) }

    check(ccurl_set_pointer(api, easy, CURLOPT_ERRORBUFFER, handle.errorText))
    check(ccurl_set_string(api, easy, CURLOPT_URL, request.url))
    check(ccurl_set_string(api, easy, CURLOPT_PROTOCOLS_STR, "http,https"))
    check(ccurl_set_string(api, easy, CURLOPT_REDIR_PROTOCOLS_STR, "https"))
    long(CURLOPT_FOLLOWLOCATION, 0)
    long(CURLOPT_NOSIGNAL, 1)
    // Without it, giving up on a name that is being looked up waits for the resolver, and every other exchange with it.
    long(CURLOPT_QUICK_EXIT, 1)
    long(CURLOPT_TIMEOUT_MS, remaining)
    long(CURLOPT_CONNECTTIMEOUT_MS, min(remaining, limits.connectTimeout.atLeastOneMillisecond))
    check(ccurl_set_offset(api, easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(limits.maximumBodyBytes)))
    if !request.reusesConnection { long(CURLOPT_FRESH_CONNECT, 1) }
    if let bundle = engine.configuration.certificateBundle { check(ccurl_set_string(api, easy, CURLOPT_CAINFO, bundle)) }
    if let directory = engine.configuration.certificateDirectory { check(ccurl_set_string(api, easy, CURLOPT_CAPATH, directory)) }

    let context = Unmanaged.passUnretained(transfer).toOpaque()
    check(ccurl_set_pointer(api, easy, CURLOPT_PRIVATE, context))
    check(ccurl_set_pointer(api, easy, CURLOPT_WRITEDATA, context))
    check(ccurl_set_pointer(api, easy, CURLOPT_HEADERDATA, context))
    check(
      ccurl_set_write(api, easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
        received(bytes, size &* count, context, header: false)
      })
    check(
      ccurl_set_write(api, easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
        received(bytes, size &* count, context, header: true)
      })

    func sendBody() {
      check(ccurl_set_offset(api, easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
      request.body.withUnsafeBytes { body in
        // An empty array has no address, and a null pointer would make curl read the body from stdin.
        if let start = body.baseAddress {
          check(ccurl_set_pointer(api, easy, CURLOPT_COPYPOSTFIELDS, start))
        } else {
          check(ccurl_set_string(api, easy, CURLOPT_COPYPOSTFIELDS, ""))
        }
      }
    }
    switch request.method {
    case .get: long(CURLOPT_HTTPGET, 1)
    case .head: long(CURLOPT_NOBODY, 1)
    case .post: sendBody()
    case .put, .patch, .delete:
      if !request.body.isEmpty || request.method != .delete { sendBody() }
      check(ccurl_set_string(api, easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue))
    }
    check(setHeaders(handle, request))
    guard code == CURLE_OK else {
      return HTTPError(.invalidRequest, "libcurl refused the request to `\(request.shownURL)`: \(engine.library.text(code))")
    }
    return nil
  }

  private func setHeaders(_ handle: EasyHandle, _ request: HTTPRequest) -> CURLcode {
    func add(_ line: String) -> Bool {
      guard let list = api.pointee.slist_append(handle.list, line) else { return false }
      handle.list = list
      return true
    }
    var agent = false
    for field in request.headers.fields {
      // curl takes `name:` for "leave this header out", and `name;` for "send it empty".
      guard add(field.value.isEmpty ? field.name + ";" : "\(field.name): \(field.value)") else { return CURLE_OUT_OF_MEMORY }
      agent = agent || sameName(field.name, "User-Agent")
    }
    guard agent || add("User-Agent: \(engine.configuration.userAgent)"), add("Expect:") else { return CURLE_OUT_OF_MEMORY }
    return ccurl_set_list(api, handle.easy, CURLOPT_HTTPHEADER, handle.list)
  }

  // MARK: Finishing

  private mutating func finishDone() {
    var left: Int32 = 0
    while let message = api.pointee.multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      let code = ccurl_message_result(message)
      var context: UnsafeMutableRawPointer?
      _ = ccurl_info_pointer(api, easy, CURLINFO_PRIVATE, &context)
      guard let context else { continue }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      var status = 0
      _ = ccurl_info_long(api, easy, CURLINFO_RESPONSE_CODE, &status)
      let outcome: Transfer.Outcome
      if code == CURLE_OK {
        let duration = Duration.nanoseconds(Int64(monotonicNanoseconds() - transfer.queued))
        outcome = .success(
          HTTPResponse(status: status, headers: HTTPHeaders(lastBlockOf: transfer.headerBytes), body: transfer.body, duration: duration))
      } else {
        outcome = .failure(failure(transfer, code))
      }
      release(transfer)
      answer(transfer, outcome)
    }
  }

  /// Ends answers that drip.
  ///
  /// curl's own low-speed limit would also count the time in which a model thinks.
  private mutating func sweep() {
    let now = monotonicNanoseconds()
    guard now >= nextSweep else { return }
    nextSweep = now + Self.sweepInterval
    for transfer in active where transfer.isTooSlow(now: now) {
      let limits = transfer.request.limits
      let error = failure(
        transfer, .tooSlow,
        "`\(transfer.request.shownURL)` sent fewer than \(limits.minimumBytesPerWindow) bytes in \(limits.slowWindow.shown), which is the limit"
      )
      release(transfer)
      answer(transfer, .failure(error))
    }
  }

  /// Takes a transfer out of curl and keeps its handle for the next one.
  private mutating func release(_ transfer: Transfer) {
    guard let handle = transfer.handle else { return }
    _ = api.pointee.multi_remove_handle(multi, handle.easy)
    api.pointee.easy_reset(handle.easy)
    handle.dropList(api)
    transfer.handle = nil
    if spare.count < engine.configuration.maximumConnections { spare.append(handle) } else { handle.free(api) }
    let last = active.removeLast()
    if last !== transfer {
      active[transfer.slot] = last
      last.slot = transfer.slot
    }
    transfer.slot = -1
  }

  // MARK: Errors

  private func failure(_ transfer: Transfer, _ code: HTTPError.Code, _ message: String) -> HTTPError {
    HTTPError(code, message, requestMayHaveArrived: wasSent(transfer))
  }

  /// Whether any byte of the request left.
  private func wasSent(_ transfer: Transfer) -> Bool {
    var sent = 0
    if let handle = transfer.handle { _ = ccurl_info_long(api, handle.easy, CURLINFO_REQUEST_SIZE, &sent) }
    return sent > 0 || transfer.hasBegun
  }

  private func timeoutText(_ transfer: Transfer) -> String {
    "`\(transfer.request.shownURL)` did not answer in full within \(transfer.request.limits.timeout.shown), which is the limit"
  }

  private func failure(_ transfer: Transfer, _ code: CURLcode) -> HTTPError {
    let url = transfer.request.shownURL
    let limits = transfer.request.limits
    switch transfer.broken {
    case .bodyTooLarge?:
      return failure(transfer, .bodyTooLarge, "the answer of `\(url)` is larger than the limit of \(limits.maximumBodyBytes) bytes")
    case .headersTooLarge?:
      return failure(transfer, .headersTooLarge, "the header of `\(url)` is larger than the limit of \(limits.maximumHeaderBytes) bytes")
    default: break
    }
    let detail = transfer.handle.map { String(cString: $0.errorText) } ?? ""
    let words = detail.isEmpty ? engine.library.text(code) : detail
    switch code {
    case CURLE_FILESIZE_EXCEEDED:
      return failure(transfer, .bodyTooLarge, "the answer of `\(url)` is larger than the limit of \(limits.maximumBodyBytes) bytes")
    case CURLE_OPERATION_TIMEDOUT:
      let waited = Duration.nanoseconds(Int64(monotonicNanoseconds() - transfer.queued))
      if !wasSent(transfer) && limits.connectTimeout < limits.timeout && waited < limits.timeout {
        return failure(transfer, .timeout, "no connection to `\(url)` within \(limits.connectTimeout.shown), which is the limit")
      }
      return failure(transfer, .timeout, timeoutText(transfer))
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      return failure(transfer, .resolve, "the host of `\(url)` is not known: \(words)")
    case CURLE_COULDNT_CONNECT:
      return failure(transfer, .connect, "no connection to `\(url)`: \(words)")
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      return failure(transfer, .tls, "no trusted TLS connection to `\(url)`: \(words)")
    case CURLE_URL_MALFORMAT where !wasSent(transfer), CURLE_UNSUPPORTED_PROTOCOL where !wasSent(transfer):
      return failure(transfer, .invalidRequest, "`\(url)` cannot be requested: \(engine.library.text(code))")
    case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE:
      return failure(transfer, .connectionLost, "the connection to `\(url)` closed before the answer was complete: \(words)")
    default:
      return failure(transfer, .malformed, "the answer of `\(url)` cannot be read: \(words)")
    }
  }
}

/// What both curl callbacks do: hand the bytes to their transfer; any other count than the full one makes curl stop.
private func received(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?, header: Bool) -> Int {
  guard let bytes, let context else { return 0 }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  return transfer.took(UnsafeRawBufferPointer(start: bytes, count: count), header: header) ? count : 0
}
