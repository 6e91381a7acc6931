/// A schema object that is being compiled, with the checks of its keywords' values.
struct SchemaSource {
  let json: JSONObject
  let location: SchemaLibrary.Location
  let resource: Int
  let dialect: SchemaDialect
  let library: SchemaLibrary

  func has(_ vocabulary: SchemaDialect.Vocabularies) -> Bool { dialect.vocabularies.contains(vocabulary) }

  func fault(_ keyword: String, _ message: String, hint: String? = nil) -> SchemaProblem {
    library.fault("schema-keyword", at: location, keyword: keyword, "`\(visible(keyword))` \(message)", hint: hint)
  }

  func text(_ keyword: String) throws(SchemaProblem) -> String? {
    guard let value = json[keyword] else { return nil }
    guard let text = value.stringValue else { throw fault(keyword, "must be a string, not \(value.described)") }
    return text
  }

  func flag(_ keyword: String) throws(SchemaProblem) -> Bool {
    guard let value = json[keyword] else { return false }
    guard let flag = value.boolValue else { throw fault(keyword, "must be a boolean, not \(value.described)") }
    return flag
  }

  /// A count; those that do not fit are as large as can be.
  func count(_ keyword: String) throws(SchemaProblem) -> Int? {
    guard let value = json[keyword] else { return nil }
    guard let number = value.numberValue else { throw fault(keyword, "must be a number, not \(value.described)") }
    if let count = number.int64 {
      if count >= 0 { return Int(count) }
    } else if number.isInteger, JSONNumber(0) < number {
      return .max
    }
    throw fault(keyword, "must be a whole number ≥ 0, not \(number.text)")
  }

  func number(_ keyword: String) throws(SchemaProblem) -> JSONNumber? {
    guard let value = json[keyword] else { return nil }
    guard let number = value.numberValue else {
      let isOld = value.boolValue != nil && keyword.hasPrefix("exclusive")
      throw fault(
        keyword, "must be a number, not \(value.described)", hint: isOld ? "since draft 6 it holds the limit itself" : nil)
    }
    return number
  }

  func list(_ keyword: String) throws(SchemaProblem) -> [JSON]? {
    guard let value = json[keyword] else { return nil }
    guard let list = value.arrayValue else { throw fault(keyword, "must be an array, not \(value.described)") }
    return list
  }

  func map(_ keyword: String) throws(SchemaProblem) -> JSONObject? {
    guard let value = json[keyword] else { return nil }
    guard let map = value.objectValue else { throw fault(keyword, "must be an object, not \(value.described)") }
    return map
  }

  func names(_ value: JSON, _ keyword: String) throws(SchemaProblem) -> [String] {
    guard let list = value.arrayValue else {
      let hint = keyword == "required" && value.boolValue != nil ? "it stands beside `properties` and lists the names" : nil
      throw fault(keyword, "must be an array of names, not \(value.described)", hint: hint)
    }
    var names: [String] = []
    var seen: Set<ExactString> = []
    for element in list {
      guard let name = element.stringValue else { throw fault(keyword, "must be an array of names, but holds \(element.described)") }
      guard seen.insert(ExactString(name)).inserted else { throw fault(keyword, "names `\(visible(name))` twice") }
      names.append(name)
    }
    return names
  }

  func types() throws(SchemaProblem) -> SchemaTypes {
    guard let value = json["type"] else { return .any }
    let names: [JSON]
    switch value {
    case .string: names = [value]
    case .array(let list) where !list.isEmpty: names = list
    default: throw fault("type", "must be the name of a type or an array of them")
    }
    var types: SchemaTypes = []
    for name in names {
      guard let text = name.stringValue else { throw fault("type", "must be the name of a type, not \(name.described)") }
      guard let row = SchemaTypes.names.first(where: { $0.name == text }) else {
        let known = SchemaTypes.names.map(\.name)
        throw fault(
          "type", "does not know `\(visible(text))`",
          hint: nearestName(to: text, in: known).map { "did you mean `\($0)`?" } ?? "the types are \(known.joined(separator: ", "))")
      }
      types.insert(row.types)
    }
    return types
  }

  func numberRules() throws(SchemaProblem) -> NumberRules? {
    let rules = NumberRules(
      minimum: try number("minimum"), maximum: try number("maximum"), exclusiveMinimum: try number("exclusiveMinimum"),
      exclusiveMaximum: try number("exclusiveMaximum"), multipleOf: try number("multipleOf"))
    if let divisor = rules.multipleOf, divisor <= JSONNumber(0) { throw fault("multipleOf", "must be > 0, not \(divisor)") }
    let isEmpty =
      rules.minimum == nil && rules.maximum == nil && rules.exclusiveMinimum == nil && rules.exclusiveMaximum == nil
      && rules.multipleOf == nil
    return isEmpty ? nil : rules
  }

  func regex(_ pattern: String, _ keyword: String) throws(SchemaProblem) -> LinearRegex {
    do throws(Diagnostic) {
      return try LinearRegex(pattern, dialect: .ecma)
    } catch {
      throw library.fault(error.code, at: location, keyword: keyword, "`\(keyword)`: \(error.message)", hint: error.hint)
    }
  }
}
