internal import Core

/// An event as CloudEvents 1.0 has it in JSON: who says that what happened, and its data.
///
/// - SeeAlso: CloudEvents 1.0.2, and its JSON event format.
struct CloudEvent: Sendable {
  /// Unique together with ``source``.
  let id: String
  let source: String
  let type: String
  /// The members of `data`; none where there is no data.
  let data: JSONObject

  /// How long `id`, `source` and `type` may be, in bytes.
  static let maximumAttributeBytes = 1024

  /// Reads one event; attributes that mean nothing to a process are left out.
  ///
  /// - Throws: ``CommandError`` that says what is no event about it.
  init(_ json: JSON) throws {
    guard let event = json.objectValue else { throw Self.wrong("it is no object") }
    guard event["specversion"] == "1.0" else { throw Self.wrong("`specversion` is not \"1.0\"") }
    func attribute(_ name: String) throws -> String {
      guard let text = event[name]?.stringValue, !text.isEmpty else { throw Self.wrong("`\(name)` is missing") }
      guard text.utf8.count <= Self.maximumAttributeBytes else {
        throw Self.wrong("`\(name)` is longer than \(Self.maximumAttributeBytes) bytes")
      }
      return text
    }
    (id, source, type) = (try attribute("id"), try attribute("source"), try attribute("type"))
    if event["data_base64"] != nil { throw Self.wrong("its data is not JSON") }
    switch event["data"] {
    case nil, .null: data = [:]
    case .object(let members): data = members
    default: throw Self.wrong("`data` is no object")
    }
  }

  private static func wrong(_ problem: String) -> CommandError {
    CommandError(.usage, "event-invalid", "this is no CloudEvents 1.0 event: \(problem)")
  }

  /// The run that the event starts in a process: the same however often it is delivered.
  func run(of process: String) throws -> String {
    let key = try JSON.array(["event", .string(process), .string(source), .string(id)]).canonicalBytes()
    return "r-" + String(SHA256.hash(key).hex.prefix(24))
  }

  /// The events of a file: one, a list of them, or one a line.
  ///
  /// - Returns: What each is, or why it is none.
  static func all(in bytes: [UInt8]) -> [Result<CloudEvent, CommandError>] {
    if let whole = try? JSON.parse(bytes) {
      return (whole.arrayValue ?? [whole]).map { json in Self.read { json } }
    }
    return bytes.split(separator: UInt8(ascii: "\n")).filter { line in !line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 } }.map {
      line in Self.read { try JSON.parse(Array(line)) }
    }
  }

  private static func read(_ json: () throws -> JSON) -> Result<CloudEvent, CommandError> {
    do {
      return .success(try CloudEvent(try json()))
    } catch let error as CommandError {
      return .failure(error)
    } catch {
      return .failure(wrong("\(error)"))
    }
  }
}
