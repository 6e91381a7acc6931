import CCurl

/// libcurl's functions.
///
/// The library is opened once, on first use, and stays open.
struct CurlLibrary: Sendable {
  nonisolated(unsafe) let api: UnsafePointer<ccurl_api>

  /// The loaded library, or why there is none.
  static let loaded: Result<CurlLibrary, HTTPError> = {
    let api = UnsafeMutablePointer<ccurl_api>.allocate(capacity: 1)
    api.initialize(to: ccurl_api())
    let (code, detail) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      buffer.initialize(repeating: 0)
      let code = ccurl_load(api, buffer.baseAddress, buffer.count)
      return (code, String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    let why: String
    switch code {
    case CCURL_LOADED: return .success(CurlLibrary(api: UnsafePointer(api)))
    case CCURL_NO_LIBRARY: why = "libcurl could not be loaded (\(detail)); install the package `libcurl4`"
    case CCURL_NO_SYMBOL: why = "libcurl lacks the function `\(detail)`; version 7.87 or newer is needed"
    case CCURL_TOO_OLD: why = "libcurl \(detail) is too old; version 7.87 or newer is needed"
    default: why = "libcurl could not be started"
    }
    api.deallocate()
    return .failure(HTTPError(.library, why))
  }()

  func text(_ code: CURLcode) -> String { api.pointee.easy_strerror(code).map { String(cString: $0) } ?? "code \(code.rawValue)" }
}
