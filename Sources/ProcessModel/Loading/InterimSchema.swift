internal import Core

/// The part of JSON Schema that fields need most, until `Core` has all of it.
struct JSONSchema: Sendable {
  private let schema: JSONObject

  init(_ schema: JSON) throws(Diagnostic) {
    guard let object = schema.objectValue else { throw Diagnostic("bad-schema", at: nil, "a schema is an object") }
    self.schema = object
  }

  func validate(_ value: JSON) -> [SchemaViolation] {
    var found: [SchemaViolation] = []
    func report(_ keyword: String, _ message: String) { found.append(SchemaViolation(at: "", keyword: keyword, message: message)) }
    if let type = schema["type"]?.stringValue, !fits(value, type) { report("type", "must be of type \(type)") }
    if let choices = schema["enum"]?.arrayValue, !choices.contains(value) {
      report("enum", "must be one of \(choices.map { $0.text() }.joined(separator: ", "))")
    }
    if let number = value.numberValue {
      if let minimum = schema["minimum"]?.numberValue, number < minimum { report("minimum", "must be at least \(minimum.text)") }
      if let maximum = schema["maximum"]?.numberValue, maximum < number { report("maximum", "must be at most \(maximum.text)") }
    }
    if let text = value.stringValue {
      let length = Int64(text.unicodeScalars.count)
      if let least = schema["minLength"]?.intValue, length < least { report("minLength", "must have at least \(least) characters") }
      if let most = schema["maxLength"]?.intValue, length > most { report("maxLength", "must have at most \(most) characters") }
    }
    return found
  }

  private func fits(_ value: JSON, _ type: String) -> Bool {
    switch value {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .number(let number): type == "number" || type == "integer" && number.isInteger
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    }
  }
}

struct SchemaViolation: Hashable, Sendable {
  let at: String
  let keyword: String
  let message: String
}
