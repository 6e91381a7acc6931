/// One HTTP request, as a value.
public struct HTTPRequest: Hashable, Sendable {
  /// The methods that connectors use.
  public enum Method: String, Hashable, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// What to do with the resource.
  public var method: Method
  /// An absolute `http:` or `https:` URL without user information.
  public var url: String
  /// Sent as given, in order.
  ///
  /// `Content-Length`, `Transfer-Encoding` and `Expect` are the client's own and refused here.
  public var headers: HTTPHeaders
  /// Sent with its length; empty for none.
  ///
  /// `GET` and `HEAD` take none.
  public var body: [UInt8]
  /// What the exchange may cost.
  public var limits: HTTPLimits
  /// Whether a connection that is already open may carry this request.
  ///
  /// libcurl silently sends a request again when a reused connection turns out to be dead before any byte of the answer came. Set
  /// this to `false` where a second delivery would be a second effect.
  public var reusesConnection: Bool

  /// A request with these parts.
  public init(
    method: Method = .get, url: String, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [], limits: HTTPLimits = HTTPLimits(),
    reusesConnection: Bool = true
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.limits = limits
    self.reusesConnection = reusesConnection
  }

  /// The URL as it may be shown: without query, fragment and user information, which often carry keys.
  public var shownURL: String { Self.shown(url) }

  /// A URL without query, fragment and user information, at most 200 bytes, control characters replaced.
  public static func shown(_ url: String) -> String {
    var bytes = Array(url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }.prefix(2000))
    if let authority = authorityRange(bytes), let at = bytes[authority].lastIndex(of: UInt8(ascii: "@")) {
      bytes.removeSubrange(authority.lowerBound...at)
    }
    let text = bytes.prefix(200).map { $0 < 0x21 || $0 > 0x7E ? UInt8(ascii: "?") : $0 }
    return String(decoding: text, as: UTF8.self) + (bytes.count > 200 ? "…" : "")
  }

  /// Whether these can stand in a header: a token, and a value without control characters.
  public static func isHeader(_ name: String, _ value: String) -> Bool {
    isToken(name) && !value.utf8.contains { ($0 < 0x20 && $0 != 9) || $0 == 0x7F }
  }

  /// Why this request cannot be sent, or `nil`.
  public var flaw: String? {
    let bytes = Array(url.utf8)
    let scheme = String(decoding: bytes.prefix { $0 != UInt8(ascii: ":") }.prefix(32), as: UTF8.self)
    if !sameName(scheme, "http") && !sameName(scheme, "https") { return "only http: and https: URLs are allowed, not `\(shownURL)`" }
    guard let authority = authorityRange(bytes), !authority.isEmpty else { return "the URL `\(shownURL)` names no host" }
    if bytes[authority].contains(UInt8(ascii: "@")) { return "the URL `\(shownURL)` carries user information; use a header" }
    if bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "the URL `\(shownURL)` contains white space or a control character" }
    if !body.isEmpty && (method == .get || method == .head) { return "a \(method.rawValue) request takes no body" }
    for field in headers.fields {
      guard isToken(field.name) else { return "`\(HTTPRequest.shown(field.name))` is no header name" }
      guard Self.isHeader(field.name, field.value) else { return "the value of the header `\(field.name)` contains a control character" }
      for own in ["Content-Length", "Transfer-Encoding", "Expect"] where sameName(own, field.name) {
        return "the header `\(own)` is set by the client itself"
      }
    }
    return nil
  }
}

private func isToken(_ name: String) -> Bool {
  !name.isEmpty
    && name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
    }
}

/// Where host and port stand in `scheme://user@host:port/path`.
private func authorityRange(_ url: [UInt8]) -> Range<Int>? {
  guard let colon = url.firstIndex(of: UInt8(ascii: ":")), url[colon...].starts(with: "://".utf8) else { return nil }
  let start = colon + 3
  let delimiters: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\\")]
  let end = url[start...].firstIndex { delimiters.contains($0) } ?? url.endIndex
  return start..<end
}
