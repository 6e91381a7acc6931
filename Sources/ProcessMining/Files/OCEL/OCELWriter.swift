internal import Core

/// Writes object-centric event logs as OCEL 2.0 in JSON to a stream, an object or event a line.
public struct OCELWriter {
  private var sink: ByteSink

  /// Writes a whole log.
  ///
  /// - Parameters:
  ///   - log: The log.
  ///   - sink: Takes the file's bytes, some 64 KiB at a time.
  /// - Throws: `Diagnostic` for a year outside of 0 to 9999 and for a number that JSON cannot hold; what the sink throws.
  /// - Complexity: O(log).
  public static func write(_ log: ObjectLog, to sink: @escaping ([UInt8]) throws -> Void) throws {
    var writer = OCELWriter(sink: ByteSink(sink))
    writer.sink.append("{")
    try writer.list("objectTypes", log.objectTypes.map { Self.json($0) })
    writer.sink.append(",")
    try writer.list("eventTypes", log.eventTypes.map { Self.json($0) })
    writer.sink.append(",")
    try writer.list("objects", log.objects.lazy.map { Result(catching: $0) { try Self.json($0) } })
    writer.sink.append(",")
    try writer.list("events", log.events.lazy.map { Result(catching: $0) { try Self.json($0) } })
    writer.sink.append("}\n")
    try writer.sink.flush()
  }

  private mutating func list(_ name: StaticString, _ elements: some Sequence<Result<JSON, any Error>>) throws {
    sink.append("\"")
    sink.append(name)
    sink.append("\":[")
    var isFirst = true
    for element in elements {
      sink.append(isFirst ? "\n" : ",\n")
      isFirst = false
      sink.append(try element.get().text())
      try sink.flushIfFull()
    }
    sink.append("]")
  }

  private static func json(_ kind: ObjectLog.Kind) -> Result<JSON, any Error> {
    let fields = kind.fields.map { field -> JSON in ["name": .string(field.name), "type": .string(field.type.rawValue)] }
    return .success(["name": .string(kind.name), "attributes": .array(fields)])
  }

  private static func json(_ object: ObjectLog.Object) throws -> JSON {
    let attributes = try object.attributes.map { change -> JSON in
      ["name": .string(change.attribute.key), "time": .string(try text(change.time)), "value": try json(change.attribute.value)]
    }
    return [
      "id": .string(object.id), "type": .string(object.type), "attributes": .array(attributes),
      "relationships": json(object.relationships),
    ]
  }

  private static func json(_ event: ObjectLog.Event) throws -> JSON {
    let attributes = try event.attributes.map { attribute -> JSON in
      ["name": .string(attribute.key), "value": try json(attribute.value)]
    }
    return [
      "id": .string(event.id), "type": .string(event.type), "time": .string(try text(event.time)), "attributes": .array(attributes),
      "relationships": json(event.relationships),
    ]
  }

  private static func json(_ relationships: [ObjectLog.Relationship]) -> JSON {
    .array(relationships.map { ["objectId": .string($0.object), "qualifier": .string($0.qualifier)] })
  }

  private static func json(_ value: LogAttribute.Value) throws -> JSON {
    switch value {
    case .text(let text), .id(let text): return .string(text)
    case .moment(let moment): return .string(try text(moment))
    case .integer(let integer): return .int(integer)
    case .flag(let flag): return .bool(flag)
    case .number(let number):
      guard let number = JSONNumber(number) else { throw Diagnostic("ocel-value", at: nil, "JSON cannot hold the number \(number)") }
      return .number(number)
    case .list, .container: throw Diagnostic("ocel-value", at: nil, "OCEL has no lists", hint: "leave the attribute out")
    }
  }

  private static func text(_ milliseconds: Int64) throws -> String { try FileTime.text(milliseconds, code: "ocel-value") }
}

extension Result where Failure == any Error {
  /// What a function makes of a value, or what it throws.
  fileprivate init<Value>(catching value: Value, _ body: (Value) throws -> Success) {
    do { self = .success(try body(value)) } catch { self = .failure(error) }
  }
}
