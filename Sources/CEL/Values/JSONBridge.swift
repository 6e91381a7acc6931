public import Core

extension CELEnvironment {
  /// Makes a value of a declared type from JSON, as ``CELValue/init(json:as:)`` does, with the fields of declared objects in
  /// the types that they are declared with.
  ///
  /// Fields that are not declared are left out: no expression can name them.
  ///
  /// - Throws: ``CELBridgingError`` where the JSON is not of the type.
  /// - Complexity: O(n) for n values.
  public func value(_ json: JSON, as type: CELType) throws(CELBridgingError) -> CELValue {
    try JSONBridge(objects: objects).value(json, type)
  }
}

/// Turns JSON into values of declared types.
struct JSONBridge {
  let objects: [String: [(name: String, type: CELType)]]

  func value(_ json: JSON, _ type: CELType) throws(CELBridgingError) -> CELValue {
    if case .optional(let wrapped) = type { return json.isNull ? .optional(nil) : .optional(try value(json, wrapped)) }
    switch json {
    case .null: return .null
    case .bool(let truth):
      if type == .bool || type.isDynamic { return .bool(truth) }
    case .number(let number):
      if let value = value(number, type) { return value }
    case .string(let text):
      if let value = value(text, type) { return value }
    case .array(let elements):
      if type.isDynamic { return .list(try list(elements, .dyn)) }
      if case .list(let element) = type { return .list(try list(elements, element)) }
    case .object(let object):
      switch type {
      case .map(.string, let value), .map(.dyn, let value): return .map(try map(object, value))
      case .object(let name):
        guard let fields = objects[name] else { return .map(try map(object, .dyn)) }
        return .map(try map(object, fields))
      case .dyn, .error: return .map(try map(object, .dyn))
      default: break
      }
    }
    throw CELBridgingError(message: "a JSON \(json.typeName) cannot be of type `\(type)`")
  }

  private func value(_ number: JSONNumber, _ type: CELType) -> CELValue? {
    switch type {
    case .double: .double(number.double)
    case .int: number.int64.map { .int($0) }
    case .uint: number.isInteger ? UInt64(number.text).map { .uint($0) } : nil
    case .dyn, .error: number.int64.map { .int($0) } ?? .double(number.double)
    default: nil
    }
  }

  private func value(_ text: String, _ type: CELType) -> CELValue? {
    switch type {
    case .string, .dyn, .error: .string(text)
    case .timestamp: CELTimestamp(text).map { .timestamp($0) }
    case .duration: CELDuration(text).map { .duration($0) }
    case .bytes: Base64.decode(text).map { .bytes($0) }
    default: nil
    }
  }

  private func list(_ elements: [JSON], _ type: CELType) throws(CELBridgingError) -> [CELValue] {
    var values: [CELValue] = []
    values.reserveCapacity(elements.count)
    for element in elements { values.append(try value(element, type)) }
    return values
  }

  private func map(_ object: JSONObject, _ type: CELType) throws(CELBridgingError) -> CELMap {
    var map = CELMap()
    for (key, json) in object { map[.string(key)] = try value(json, type) }
    return map
  }

  private func map(_ object: JSONObject, _ fields: [(name: String, type: CELType)]) throws(CELBridgingError) -> CELMap {
    var map = CELMap()
    for (name, type) in fields { if let json = object[name] { map[.string(name)] = try value(json, type) } }
    return map
  }
}
