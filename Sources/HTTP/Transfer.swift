import CCurl
import Glibc

/// One exchange on its way: its request, what has come of the answer, and who waits for it.
///
/// `@unchecked Sendable`: made by the caller, and from ``TransferEngine/submit(_:)`` on touched by the engine's thread alone, except
/// for the two fields that the engine guards with its inbox lock.
final class Transfer: @unchecked Sendable {
  typealias Outcome = Result<HTTPResponse, HTTPError>

  let request: HTTPRequest
  let queued: UInt64

  // Guarded by the engine's inbox lock.
  var isCancelled = false
  var waiter: UnsafeContinuation<Outcome, Never>?

  // The engine's thread only.
  var handle: EasyHandle?
  var slot = -1
  var headerBytes: [UInt8] = []
  var body: [UInt8] = []
  var windowStart: UInt64 = 0
  var windowBytes = 0
  var hasBegun = false
  /// A limit that a callback found broken; it makes curl stop with an error of its own.
  var broken: HTTPError.Code?

  init(_ request: HTTPRequest) {
    self.request = request
    queued = monotonicNanoseconds()
  }

  func took(_ bytes: UnsafeRawBufferPointer, header: Bool) -> Bool {
    if !hasBegun {
      hasBegun = true
      windowStart = monotonicNanoseconds()
    }
    windowBytes += bytes.count
    if header {
      guard headerBytes.count + bytes.count <= request.limits.maximumHeaderBytes else {
        broken = .headersTooLarge
        return false
      }
      headerBytes.append(contentsOf: bytes)
    } else {
      guard body.count + bytes.count <= request.limits.maximumBodyBytes else {
        broken = .bodyTooLarge
        return false
      }
      body.append(contentsOf: bytes)
    }
    return true
  }

  /// Whether the answer has begun and came too slowly in the window that ends now; starts the next window when one is over.
  func isTooSlow(now: UInt64) -> Bool {
    let window = UInt64(request.limits.slowWindow.atLeastOneMillisecond) * 1_000_000
    guard hasBegun, now >= windowStart + window else { return false }
    if windowBytes < request.limits.minimumBytesPerWindow { return true }
    windowStart = now
    windowBytes = 0
    return false
  }
}

/// A curl easy handle with its error buffer, reused from exchange to exchange.
final class EasyHandle {
  let easy: UnsafeMutableRawPointer
  let errorText: UnsafeMutablePointer<CChar>
  var list: UnsafeMutablePointer<curl_slist>?

  init?(_ api: UnsafePointer<ccurl_api>) {
    guard let easy = api.pointee.easy_init() else { return nil }
    self.easy = easy
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  func free(_ api: UnsafePointer<ccurl_api>) {
    dropList(api)
    api.pointee.easy_cleanup(easy)
    errorText.deallocate()
  }

  func dropList(_ api: UnsafePointer<ccurl_api>) {
    api.pointee.slist_free_all(list)
    list = nil
  }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
