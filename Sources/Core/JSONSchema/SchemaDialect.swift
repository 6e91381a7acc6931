/// Which keywords a schema resource gives a meaning to.
struct SchemaDialect: Hashable, Sendable {
  enum Draft: Sendable { case draft7, draft2019, draft2020 }

  struct Vocabularies: OptionSet, Hashable, Sendable {
    let rawValue: Int
    static let core = Vocabularies(rawValue: 1)
    static let applicator = Vocabularies(rawValue: 2)
    static let unevaluated = Vocabularies(rawValue: 4)
    static let validation = Vocabularies(rawValue: 8)
    static let metaData = Vocabularies(rawValue: 16)
    static let formatAnnotation = Vocabularies(rawValue: 32)
    static let formatAssertion = Vocabularies(rawValue: 64)
    static let content = Vocabularies(rawValue: 128)
    static let standard: Vocabularies = [.core, .applicator, .unevaluated, .validation, .metaData, .formatAnnotation, .content]
  }

  var draft: Draft
  var vocabularies: Vocabularies

  static let draft2020 = SchemaDialect(draft: .draft2020, vocabularies: .standard)

  static let metaschema2020 = "https://json-schema.org/draft/2020-12/schema"

  /// The dialects that are known without a document; draft 6 is a part of draft 7.
  static func standard(_ uri: String) -> SchemaDialect? {
    switch uri {
    case metaschema2020: .draft2020
    case "https://json-schema.org/draft/2019-09/schema": SchemaDialect(draft: .draft2019, vocabularies: .standard)
    case "http://json-schema.org/draft-07/schema", "https://json-schema.org/draft-07/schema", "http://json-schema.org/draft-06/schema":
      SchemaDialect(draft: .draft7, vocabularies: .standard)
    default: nil
    }
  }

  static func vocabulary(_ uri: String) -> Vocabularies? {
    for prefix in ["https://json-schema.org/draft/2020-12/vocab/", "https://json-schema.org/draft/2019-09/vocab/"]
    where uri.hasPrefix(prefix) {
      switch uri.dropFirst(prefix.count) {
      case "core": return .core
      case "applicator": return prefix.contains("2019") ? [.applicator, .unevaluated] : .applicator
      case "unevaluated": return .unevaluated
      case "validation": return .validation
      case "meta-data": return .metaData
      case "format-annotation", "format": return .formatAnnotation
      case "format-assertion": return .formatAssertion
      case "content": return .content
      default: return nil
      }
    }
    return nil
  }

  /// How a keyword's value holds schemas.
  enum Holds { case one, list, map, oneOrList, mapOfSchemasOrLists }

  /// The keywords whose values hold schemas, and so may hold identifiers.
  func holders() -> [(keyword: String, holds: Holds)] {
    var holders: [(String, Holds)] = [("definitions", .map)]
    if draft != .draft7 { holders.append(("$defs", .map)) }
    guard vocabularies.contains(.applicator) else { return holders }
    holders += [
      ("properties", .map), ("patternProperties", .map), ("additionalProperties", .one), ("propertyNames", .one), ("contains", .one),
      ("not", .one), ("if", .one), ("then", .one), ("else", .one), ("allOf", .list), ("anyOf", .list), ("oneOf", .list),
      ("dependencies", .mapOfSchemasOrLists),
    ]
    if draft != .draft7 { holders += [("dependentSchemas", .map), ("contentSchema", .one)] }
    holders += draft == .draft2020 ? [("items", .one), ("prefixItems", .list)] : [("items", .oneOrList), ("additionalItems", .one)]
    if vocabularies.contains(.unevaluated), draft != .draft7 { holders += [("unevaluatedItems", .one), ("unevaluatedProperties", .one)] }
    return holders
  }

  /// Every keyword that some draft knows, to tell a slip of the pen from an annotation.
  static let keywords: Set<String> = [
    "$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary", "$comment",
    "$defs", "definitions", "properties", "patternProperties", "additionalProperties", "propertyNames", "contains", "not", "if", "then",
    "else", "allOf", "anyOf", "oneOf", "dependencies", "dependentSchemas", "dependentRequired", "items", "prefixItems", "additionalItems",
    "unevaluatedItems", "unevaluatedProperties", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains",
    "maxProperties", "minProperties", "required", "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples",
    "example",
    "format", "contentEncoding", "contentMediaType", "contentSchema", "unit", "sensitivity",
  ]
}
