public import Core

/// One turn as it happened: which request, and the bytes that answered it.
public struct RecordedTurn: Hashable, Sendable {
  /// The digest of the request, ``ModelRequest/digest``.
  public var request: Digest
  /// The bytes on the wire, both ways.
  public var exchange: ModelExchange
  /// Whether a script answered.
  public var isScripted: Bool
  /// What was odd about the reply.
  public var warnings: [ModelWarning]

  /// The record of a reply.
  public init(request: Digest, reply: ModelReply) {
    self.request = request
    exchange = reply.exchange
    isScripted = reply.isScripted
    warnings = reply.warnings
  }

  /// The record as JSON; one line of a recording.
  public var json: JSON {
    var object: JSONObject = [
      "request": .string(request.hex), "sent": .string(String(decoding: exchange.requestBytes, as: UTF8.self)),
      "received": .string(String(decoding: exchange.responseBytes, as: UTF8.self)), "latency_ns": .int(nanoseconds(exchange.latency)),
      "attempts": .int(exchange.attempts), "scripted": .bool(isScripted),
      "warnings": .array(warnings.map { ["code": .string($0.code.rawValue), "message": .string($0.message)] }),
    ]
    if let status = exchange.httpStatus { object["status"] = .int(status) }
    return .object(object)
  }

  /// A record from its ``json``; `nil` for anything else.
  public init?(json: JSON) {
    guard let request = json["request"]?.stringValue.flatMap({ Digest(hex: $0) }), let sent = json["sent"]?.stringValue,
      let received = json["received"]?.stringValue, let latency = json["latency_ns"]?.intValue, let attempts = json["attempts"]?.intValue,
      let isScripted = json["scripted"]?.boolValue, let warnings = json["warnings"]?.arrayValue
    else { return nil }
    self.request = request
    exchange = ModelExchange(
      requestBytes: Array(sent.utf8), responseBytes: Array(received.utf8), httpStatus: json["status"]?.intValue.map { Int($0) },
      latency: .nanoseconds(latency), attempts: Int(attempts))
    self.isScripted = isScripted
    self.warnings = []
    for warning in warnings {
      guard let code = warning["code"]?.stringValue.flatMap({ ModelWarning.Code(rawValue: $0) }),
        let message = warning["message"]?.stringValue
      else { return nil }
      self.warnings.append(ModelWarning(code, message))
    }
  }

  /// The records of a recording, one JSON object a line; empty lines are allowed.
  ///
  /// - Throws: `Diagnostics` that name the line.
  public static func parse(_ bytes: [UInt8], file: String? = nil) throws(Diagnostics) -> [RecordedTurn] {
    var turns: [RecordedTurn] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
      let place = SourcePosition(file: file, line: index + 1, column: 1, offset: line.startIndex)
      let json: JSON
      do throws(JSONError) {
        json = try JSON.parse(Array(line))
      } catch {
        throw Diagnostics([Diagnostic("bad-recording", at: place, "this line is no JSON: \(error.message)")])
      }
      guard let turn = RecordedTurn(json: json) else {
        throw Diagnostics([Diagnostic("bad-recording", at: place, "this line is no recorded turn of a model")])
      }
      turns.append(turn)
    }
    return turns
  }
}

private func nanoseconds(_ duration: Duration) -> Int64 {
  let (seconds, attoseconds) = duration.components
  return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
}
