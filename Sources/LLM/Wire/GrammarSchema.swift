internal import Core

/// Reduces a JSON Schema to what grammar converters (llama.cpp and its like) support.
///
/// What cannot be said in a grammar is left out, since the gate checks the arguments against the whole schema anyway; and an object
/// that names its properties is closed, since a model offered further ones invents them.
enum GrammarSchema {
  /// Longer repetitions make grammars that take seconds to compile.
  private static let longestRepetition: Int64 = 256
  private static let deepest = 12

  static func reduced(_ schema: JSON) -> JSON {
    var converter = Converter(root: schema)
    let result = converter.convert(schema, depth: 0)
    // The arguments of a call are an object in any case.
    return result["type"] == "object" || result["anyOf"] != nil ? result : ["type": "object"]
  }

  private struct Converter {
    let root: JSON
    /// A schema of shared definitions can unfold to exponential size; this bounds it.
    var budget = 2_000

    private let anything: JSON = [:]

    mutating func convert(_ schema: JSON, depth: Int) -> JSON {
      budget -= 1
      guard depth < GrammarSchema.deepest, budget > 0, let object = schema.objectValue else { return anything }
      if let reference = object["$ref"]?.stringValue {
        return resolve(reference).map { convert($0, depth: depth + 1) } ?? anything
      }
      if let value = object["const"] { return ["const": value] }
      if let values = object["enum"]?.arrayValue, !values.isEmpty { return ["enum": .array(values)] }
      if let alternatives = (object["anyOf"] ?? object["oneOf"])?.arrayValue, !alternatives.isEmpty {
        // Beside its own keywords a union cannot be said in a grammar; the union alone allows more.
        var converted: [JSON] = []
        for alternative in alternatives { converted.append(convert(alternative, depth: depth + 1)) }
        return converted.contains(anything) ? anything : ["anyOf": .array(converted)]
      }
      if let types = object["type"]?.arrayValue {
        var converted: [JSON] = []
        for type in types {
          var one = object
          one["type"] = type
          converted.append(convert(.object(one), depth: depth + 1))
        }
        return converted.isEmpty ? anything : ["anyOf": .array(converted)]
      }
      return convertPlain(object, depth: depth)
    }

    private mutating func convertPlain(_ object: JSONObject, depth: Int) -> JSON {
      let type = object["type"]?.stringValue ?? (object["properties"] != nil ? "object" : object["items"] != nil ? "array" : "")
      switch type {
      case "object": return convertObject(object, depth: depth)
      case "array":
        var result: JSONObject = ["type": "array"]
        result["items"] = object["items"].map { convert($0, depth: depth + 1) }
        copyCounts(["minItems", "maxItems"], of: object, to: &result)
        return .object(result)
      case "string":
        var result: JSONObject = ["type": "string"]
        copyCounts(["minLength", "maxLength"], of: object, to: &result)
        return .object(result)
      case "integer":
        var result: JSONObject = ["type": "integer"]
        for key in ["minimum", "maximum"] {
          if let bound = object[key], let value = bound.intValue, abs(value) < 1 << 53 { result[key] = bound }
        }
        return .object(result)
      case "number", "boolean", "null": return ["type": .string(type)]
      default: return anything
      }
    }

    private mutating func convertObject(_ object: JSONObject, depth: Int) -> JSON {
      guard let properties = object["properties"]?.objectValue, !properties.isEmpty else {
        return object["additionalProperties"] == false
          ? ["type": "object", "properties": [:], "required": [], "additionalProperties": false] : ["type": "object"]
      }
      var converted = JSONObject()
      for (key, value) in properties { converted[key] = convert(value, depth: depth + 1) }
      var required: [JSON] = []
      for name in object["required"]?.arrayValue ?? [] {
        if let key = name.stringValue, properties[key] != nil { required.append(name) }
      }
      return ["type": "object", "properties": .object(converted), "required": .array(required), "additionalProperties": false]
    }

    private func copyCounts(_ keys: [String], of object: JSONObject, to result: inout JSONObject) {
      for key in keys {
        if let bound = object[key], let count = bound.intValue, (0...GrammarSchema.longestRepetition).contains(count) {
          result[key] = bound
        }
      }
    }

    /// What a reference within the schema names: `#` and JSON pointers.
    private func resolve(_ reference: String) -> JSON? {
      guard reference.hasPrefix("#") else { return nil }
      var place = root
      for part in reference.dropFirst().split(separator: "/") {
        let name = unescaped(String(part))
        guard let next = place[name] else { return nil }
        place = next
      }
      return place
    }

    private func unescaped(_ part: String) -> String {
      var result = ""
      var rest = part[...]
      while let character = rest.popFirst() {
        if character == "~", let code = rest.popFirst() { result += code == "1" ? "/" : "~" } else { result.append(character) }
      }
      return result
    }
  }
}
