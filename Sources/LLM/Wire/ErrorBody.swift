internal import Core

/// The error that an answer's body tells, whatever its shape: an object, a text, an array, HTML, or nothing.
struct ErrorBody: Hashable {
  /// At most 300 bytes, control characters made visible; empty when the body says nothing.
  var message = ""
  /// `type`, `code` and `status`, as text.
  var kinds: [String] = []

  init(bytes: [UInt8]) {
    let start = bytes.first { $0 != 0x20 && !(9...13).contains($0) }
    if bytes.count <= 1 << 20, start == UInt8(ascii: "{") || start == UInt8(ascii: "["), let json = try? JSON.parse(bytes) {
      read(json)
    } else if start == UInt8(ascii: "<") {
      message = Self.bounded(Self.textOfHTML(Array(bytes.prefix(64 << 10))))
    } else {
      message = Self.bounded(String(decoding: bytes.prefix(1200), as: UTF8.self))
    }
  }

  init(json: JSON) { read(json) }

  private mutating func read(_ json: JSON) {
    switch json {
    case .array(let elements):
      // Gemini's compatible route wraps its error in an array.
      if let first = elements.first, first.arrayValue == nil { read(first) }
    case .object(let object):
      switch object["error"] {
      case .string(let text)?: message = Self.bounded(text)
      case .object(let error)?: read(error)
      default: read(object)
      }
    case .string(let text): message = Self.bounded(text)
    default: break
    }
  }

  private mutating func read(_ object: JSONObject) {
    for key in ["type", "code", "status"] {
      switch object[key] {
      case .string(let text)?: kinds.append(String(visible(text).prefix(80)))
      case .number(let number)?: kinds.append(String(number.text.prefix(20)))
      default: continue
      }
    }
    for key in ["message", "detail", "error_description", "title"] {
      if let text = object[key]?.stringValue, !text.isEmpty {
        message = Self.bounded(text)
        return
      }
    }
    // FastAPI's validation errors.
    if let first = object["detail"]?.arrayValue?.first, let text = first["msg"]?.stringValue { message = Self.bounded(text) }
  }

  /// Whether one of the kinds is this word.
  func isKind(_ words: String...) -> Bool { kinds.contains { kind in words.contains { bytesEqual($0, kind) } } }

  private static func bounded(_ text: String) -> String {
    let line = text.split { $0.isWhitespace }.joined(separator: " ")
    let shown = visible(cut(line, to: 1000))
    return shown.utf8.count > 300 ? cut(shown, to: 300) + "…" : shown
  }

  /// The title, or the text without tags.
  private static func textOfHTML(_ bytes: [UInt8]) -> String {
    let lowered = bytes.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
    if let open = firstRange(of: Array("<title".utf8), in: lowered, from: 0),
      let begin = lowered[open.upperBound...].firstIndex(of: UInt8(ascii: ">")),
      let close = firstRange(of: Array("</title".utf8), in: lowered, from: begin)
    {
      return "an HTML page, `\(String(decoding: bytes[(begin + 1)..<close.lowerBound], as: UTF8.self))`"
    }
    var text: [UInt8] = []
    var isTag = false
    for byte in bytes {
      if byte == UInt8(ascii: "<") { isTag = true }
      if !isTag { text.append(byte) }
      if byte == UInt8(ascii: ">") {
        isTag = false
        text.append(0x20)
      }
    }
    return "an HTML page, `\(String(decoding: text.prefix(600), as: UTF8.self))`"
  }

  /// The error for an answer with this status; `nil` for an error inside a successful answer.
  func error(status: Int?, isRetryable: Bool) -> ModelError {
    let words = message.isEmpty ? "" : ": \(message)"
    let label = status.map { "answered \($0)" } ?? "answered with an error"
    func make(_ code: ModelError.Code, _ text: String, _ isTransient: Bool) -> ModelError {
      ModelError(code, text + words, isTransient: isTransient)
    }
    if isKind("insufficient_quota", "billing_hard_limit_reached", "billing_not_active") {
      return make(.quotaExhausted, "the quota of the endpoint's account is used up", false)
    }
    if isKind("content_filter", "content_policy_violation") {
      return make(.contentFilter, "the provider's filter refused the prompt", false)
    }
    if isKind("context_length_exceeded", "exceed_context_size_error") {
      return make(.contextLength, "the conversation is longer than the model's context", false)
    }
    switch status {
    case 401?, 403?: return make(.unauthorized, "the endpoint did not accept the key (\(status ?? 0))", false)
    case 404?: return make(.notFound, "the endpoint knows no such model or path (404); `base_url` usually ends in /v1", false)
    case 429?: return make(.rateLimited, "the endpoint \(label), too many requests", true)
    case 408?, 409?: return make(.serverError, "the endpoint \(label)", true)
    case let status? where status >= 500: return make(.serverError, "the endpoint \(label)", true)
    case nil: return make(.serverError, "the endpoint \(label)", isRetryable)
    default: return make(.refusedRequest, "the endpoint refused the request (\(status ?? 0))", false)
    }
  }
}
