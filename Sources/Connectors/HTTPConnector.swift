public import Core
public import Governance
public import HTTP
internal import ProcessModel

/// Tools that are HTTP endpoints: arguments as a JSON body (or as a query for `GET`), the result as a JSON body.
///
/// Redirects are never followed. The idempotency key goes along as `Idempotency-Key`.
public struct HTTPConnector: Connector {
  private let client: HTTPClient
  private let secrets: Secrets
  private let time: TimeSource
  /// The largest answer that is read.
  public static let resultBytes = 1 << 20
  /// The most of an answer's words that is kept where it says no.
  static let complaintBytes = 1000

  /// A connector that uses a client.
  public init(client: HTTPClient, secrets: Secrets, time: TimeSource = .system) {
    self.client = client
    self.secrets = secrets
    self.time = time
  }

  /// Makes the request of a granted call.
  ///
  /// 2xx is done and 4xx is not. Everything else leaves the effect in doubt, unless the tool only reads: 5xx, any failure after the request
  /// may have arrived, and 3xx, with which many servers answer what they have done.
  public func call(_ grant: borrowing Grant) async -> EffectOutcome {
    guard let definition = grant.definition, let template = definition.settings["url"]?.stringValue else {
      return .failed("misconfigured", "the tool has no URL")
    }
    var missing: String?
    guard let url = secrets.resolve(template, missing: &missing) else {
      return .failed("secret-missing", "the secret `\(missing ?? "")` is not set")
    }
    var used = url.used
    let method = definition.settings["method"]?.stringValue.flatMap { HTTPRequest.Method(rawValue: $0) } ?? .post
    var headers: HTTPHeaders = ["Accept": "application/json", "Idempotency-Key": grant.idempotencyKey]
    for (name, value) in definition.settings["headers"]?.objectValue ?? [:] {
      guard let resolved = secrets.resolve(value, missing: &missing) else {
        return .failed("secret-missing", "the secret `\(missing ?? "")` is not set")
      }
      used += resolved.used
      headers.append(name, resolved.text)
    }
    let arguments = grant.arguments
    let takesBody = method != .get && method != .head
    if takesBody { headers.append("Content-Type", "application/json") }
    let isHarmless = definition.effect == .read
    guard let left = grant.timeLeft(at: time.now()) else { return .tooLate }
    let limits = HTTPLimits(timeout: left, maximumBodyBytes: Self.resultBytes)
    let request = HTTPRequest(
      method: method, url: takesBody ? url.text : url.text + Self.query(arguments, after: url.text), headers: headers,
      body: takesBody ? Array(JSON.object(arguments).text().utf8) : [], limits: limits, reusesConnection: isHarmless)
    let blot = SecretBlot(used)
    do throws(HTTPError) {
      return outcome(of: try await client.send(request), isHarmless: isHarmless, blot)
    } catch {
      let message = blot.text(error.message)
      if isHarmless || !error.requestMayHaveArrived { return .failed(error.code.rawValue, message) }
      return .inDoubt(error.code.rawValue, message)
    }
  }

  private func outcome(of response: HTTPResponse, isHarmless: Bool, _ blot: SecretBlot) -> EffectOutcome {
    func text() -> String { "HTTP \(response.status): " + cut(blot.text(of: response.body), to: Self.complaintBytes) }
    switch response.status {
    case 200..<300: break
    case 400..<500: return .failed("http-\(response.status)", text())
    default: return isHarmless ? .failed("http-\(response.status)", text()) : .inDoubt("http-\(response.status)", text())
    }
    if response.body.isEmpty { return .finished(.object([:])) }
    do throws(JSONError) {
      return .finished(blot.json(try JSON.parse(response.body)))
    } catch {
      let message = "the endpoint said \(response.status), but its answer is not JSON: \(blot.text(error.description))"
      return isHarmless ? .failed("result-invalid", message) : .inDoubt("result-invalid", message)
    }
  }

  /// The arguments as a query: texts as they are, everything else as JSON.
  static func query(_ arguments: JSONObject, after url: String) -> String {
    let pairs = arguments.map { key, value in "\(encoded(key))=\(encoded(value.stringValue ?? value.text()))" }
    return pairs.isEmpty ? "" : (url.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
  }

  private static func encoded(_ text: String) -> String {
    var output = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        output.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        output += "%" + (byte < 16 ? "0" : "") + hex
      }
    }
    return output
  }
}
