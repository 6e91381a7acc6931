internal import Core

/// Reads object-centric event logs in OCEL 2.0's JSON, strictly: kinds and attributes are declared, ids are there once, and no relationship
/// names an object that is not there.
///
/// The whole file lies in memory while it is read, some ten times its size at worst.
///
/// - SeeAlso: OCEL (Object-Centric Event Log) 2.0 specification, 2023.
public struct OCELReader {
  /// The largest file, in bytes.
  public static let maximumBytes = 256 << 20

  /// A step on the way from the root to a value.
  private enum Step {
    case key(String)
    case index(Int)
  }

  private typealias Fields = [[UInt8]: ObjectLog.ValueType]

  private let bytes: [UInt8]
  private let file: String?
  private var objectTypes: [[UInt8]: Fields] = [:]
  private var eventTypes: [[UInt8]: Fields] = [:]
  private var objectIDs: Set<[UInt8]> = []

  /// Reads a whole log.
  ///
  /// - Parameters:
  ///   - bytes: The file's bytes.
  ///   - file: Its name, for errors.
  /// - Returns: The log.
  /// - Throws: `Diagnostic` with line and column for the first thing that is wrong.
  /// - Complexity: O(bytes).
  public static func read(_ bytes: [UInt8], file: String? = nil) throws -> ObjectLog {
    guard bytes.count <= maximumBytes else { throw Diagnostic("ocel-limit", at: nil, "the file is larger than \(maximumBytes) bytes") }
    var reader = OCELReader(bytes: bytes, file: file)
    do { return try reader.log(try JSON.parse(bytes, file: file)) } catch let error as JSONError { throw error.diagnostic }
  }

  private init(bytes: [UInt8], file: String?) {
    self.bytes = bytes
    self.file = file
  }

  private mutating func log(_ json: JSON) throws -> ObjectLog {
    guard json.objectValue != nil else { throw failure([], "an OCEL log is an object") }
    var log = ObjectLog()
    for (index, kind) in try list(json, "objectTypes", []).enumerated() {
      let path = [Step.key("objectTypes"), .index(index)]
      log.objectTypes.append(try self.kind(kind, path, &objectTypes))
    }
    for (index, kind) in try list(json, "eventTypes", []).enumerated() {
      let path = [Step.key("eventTypes"), .index(index)]
      log.eventTypes.append(try self.kind(kind, path, &eventTypes))
    }
    let objects = try list(json, "objects", [])
    // All ids first: objects may name those that come later.
    for (index, object) in objects.enumerated() {
      let path = [Step.key("objects"), .index(index)]
      let id = try text(object, "id", path)
      guard objectIDs.insert(Array(id.utf8)).inserted else {
        throw failure(path + [.key("id")], "another object has the id `\(visible(id))`")
      }
    }
    log.objects.reserveCapacity(objects.count)
    for (index, object) in objects.enumerated() { log.objects.append(try self.object(object, [.key("objects"), .index(index)])) }
    let events = try list(json, "events", [])
    var eventIDs: Set<[UInt8]> = []
    log.events.reserveCapacity(events.count)
    for (index, json) in events.enumerated() {
      let path = [Step.key("events"), .index(index)]
      let event = try self.event(json, path)
      guard eventIDs.insert(Array(event.id.utf8)).inserted else {
        throw failure(path + [.key("id")], "another event has the id `\(visible(event.id))`")
      }
      log.events.append(event)
    }
    return log
  }

  // MARK: Parts

  private func kind(_ json: JSON, _ path: [Step], _ known: inout [[UInt8]: Fields]) throws -> ObjectLog.Kind {
    var kind = ObjectLog.Kind(try text(json, "name", path))
    var fields: Fields = [:]
    for (index, field) in try list(json, "attributes", path).enumerated() {
      let path = path + [.key("attributes"), .index(index)]
      let name = try text(field, "name", path)
      let word = try text(field, "type", path)
      // pm4py writes `date` and `int`.
      guard let type = ObjectLog.ValueType(rawValue: word) ?? ["date": .time, "timestamp": .time, "int": .integer][word] else {
        throw failure(
          path + [.key("type")], "`\(visible(word))` is no type of values", "there are string, time, integer, float and boolean")
      }
      guard fields.updateValue(type, forKey: Array(name.utf8)) == nil else {
        throw failure(path + [.key("name")], "`\(visible(name))` is declared twice")
      }
      kind.fields.append(ObjectLog.Kind.Field(name, type))
    }
    guard known.updateValue(fields, forKey: Array(kind.name.utf8)) == nil else {
      throw failure(path + [.key("name")], "`\(visible(kind.name))` is declared twice")
    }
    return kind
  }

  private func object(_ json: JSON, _ path: [Step]) throws -> ObjectLog.Object {
    var object = ObjectLog.Object(try text(json, "id", path), try text(json, "type", path))
    guard let fields = objectTypes[Array(object.type.utf8)] else { throw unknownType(object.type, path) }
    for (index, json) in try list(json, "attributes", path).enumerated() {
      let path = path + [.key("attributes"), .index(index)]
      let time = json["time"] == nil ? 0 : try moment(json, path)
      object.attributes.append(ObjectLog.Object.Change(try attribute(json, path, fields), from: time))
    }
    object.relationships = try relationships(json, path)
    return object
  }

  private func event(_ json: JSON, _ path: [Step]) throws -> ObjectLog.Event {
    var event = ObjectLog.Event(try text(json, "id", path), try text(json, "type", path), at: try moment(json, path))
    guard let fields = eventTypes[Array(event.type.utf8)] else { throw unknownType(event.type, path) }
    for (index, json) in try list(json, "attributes", path).enumerated() {
      event.attributes.append(try attribute(json, path + [.key("attributes"), .index(index)], fields))
    }
    event.relationships = try relationships(json, path)
    return event
  }

  private func relationships(_ json: JSON, _ path: [Step]) throws -> [ObjectLog.Relationship] {
    try list(json, "relationships", path).enumerated().map { index, json in
      let path = path + [.key("relationships"), .index(index)]
      let id = try text(json, "objectId", path)
      guard objectIDs.contains(Array(id.utf8)) else {
        throw failure(path + [.key("objectId")], "there is no object `\(visible(id))`", "every object that is named stands under `objects`")
      }
      return ObjectLog.Relationship(id, try text(json, "qualifier", path))
    }
  }

  private func attribute(_ json: JSON, _ path: [Step], _ fields: Fields) throws -> LogAttribute {
    let name = try text(json, "name", path)
    guard let type = fields[Array(name.utf8)] else {
      throw failure(path + [.key("name")], "`\(visible(name))` is not declared for this type")
    }
    guard let json = json["value"] else { throw failure(path, "`value` is missing") }
    guard let value = Self.value(json, type) else { throw failure(path + [.key("value")], "this is no value of the type \(type.rawValue)") }
    return LogAttribute(name, value)
  }

  /// A value of a type; numbers and truth values may stand as texts, as they do in the files of some tools.
  private static func value(_ json: JSON, _ type: ObjectLog.ValueType) -> LogAttribute.Value? {
    switch (type, json) {
    case (.string, .string(let text)): return .text(text)
    case (.time, .string(var text)):
      guard case .moment(let moment) = text.withUTF8({ FileTime.read($0) }) else { return nil }
      return .moment(moment)
    case (.integer, .number(let number)):
      return number.int64.map { .integer($0) } ?? Int64(exactly: number.double).map { .integer($0) }
    case (.integer, .string(let text)): return Int64(text).map { .integer($0) }
    case (.float, .number(let number)): return .number(number.double)
    case (.float, .string(let text)): return JSONNumber(decimal: text).map { .number($0.double) }
    case (.boolean, .bool(let flag)): return .flag(flag)
    case (.boolean, .string("true")): return .flag(true)
    case (.boolean, .string("false")): return .flag(false)
    default: return nil
    }
  }

  // MARK: Members

  private func list(_ json: JSON, _ key: String, _ path: [Step]) throws -> [JSON] {
    guard let value = json[key] else {
      // Only what a log consists of must be there.
      if path.isEmpty { throw failure(path, "`\(key)` is missing") }
      return []
    }
    guard let list = value.arrayValue else { throw failure(path + [.key(key)], "`\(key)` is no list") }
    return list
  }

  private func text(_ json: JSON, _ key: String, _ path: [Step]) throws -> String {
    guard let value = json[key] else { throw failure(path, "`\(key)` is missing") }
    guard let text = value.stringValue else { throw failure(path + [.key(key)], "`\(key)` is no text") }
    return text
  }

  private func moment(_ json: JSON, _ path: [Step]) throws -> Int64 {
    var text = try text(json, "time", path)
    switch text.withUTF8({ FileTime.read($0) }) {
    case .moment(let moment): return moment
    case .withoutZone: throw failure(path + [.key("time")], "a time without a zone", "end it with `Z` or an offset such as `+02:00`")
    case .invalid:
      throw failure(path + [.key("time")], "this is no time", "write `2026-01-31T10:00:00.000+00:00`, a day and a time that exist")
    }
  }

  private func unknownType(_ type: String, _ path: [Step]) -> Diagnostic {
    failure(path + [.key("type")], "the type `\(visible(type))` is not declared")
  }

  /// What is wrong, with its place: the file is read a second time for it.
  private func failure(_ path: [Step], _ message: String, _ hint: String? = nil) -> Diagnostic {
    var place = try? PositionedJSON.parseJSON5(bytes, file: file)
    for step in path {
      switch step {
      case .key(let key): place = place?[key]
      case .index(let index): place = place?.arrayValue.flatMap { index < $0.count ? $0[index] : nil }
      }
    }
    return Diagnostic("ocel-invalid", at: place?.position, message, hint: hint)
  }
}
