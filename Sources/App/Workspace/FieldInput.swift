internal import Core
internal import ProcessModel

/// Values of fields as people give them on a command line: `name=value`, or a JSON object in a file.
enum FieldInput {
  /// The values, in the type that the process declares for each field.
  ///
  /// - Parameters:
  ///   - pairs: `name=value` as they were given. A value for a text field is the text itself; for any other type it is JSON.
  ///   - file: A file with a JSON or JSON5 object; `-` is standard input.
  ///   - process: The process that declares the fields.
  ///   - front: Where the file is.
  /// - Returns: The values by name, those of the file first.
  /// - Throws: ``CommandError`` for an unknown field or a value of another type, `JSONError` for a file that cannot be read.
  static func values(
    _ pairs: [(name: String, value: String)], file: String?, process: ProcessDefinition, front: any Front
  ) async throws -> JSONObject {
    var values: JSONObject = [:]
    if let file { values = try await front.object(file, "of fields") }
    for (name, value) in try self.values(pairs, process: process) { values[name] = value }
    return values
  }

  /// The values of `name=value` pairs alone, or of the cells of a table.
  ///
  /// - Throws: ``CommandError`` for an unknown field or a value of another type.
  static func values(_ pairs: [(name: String, value: String)], process: ProcessDefinition) throws -> JSONObject {
    var values: JSONObject = [:]
    for (name, text) in pairs {
      guard let field = process.field(name) else {
        let nearest = nearestName(to: name, in: process.fields.map(\.name)).map { "did you mean `\($0)`?" }
        throw CommandError.usage(
          "the process `\(process.id)` has no field `\(visible(name))`",
          hint: nearest ?? "its fields: \(process.fields.map(\.name).joined(separator: ", "))")
      }
      values[name] = try value(text, of: field)
    }
    return values
  }

  private static func value(_ text: String, of field: FieldDefinition) throws -> JSON {
    if field.type == .string { return .string(text) }
    if let choices = field.choices, choices.contains(.string(text)) { return .string(text) }
    do throws(JSONError) {
      return try JSON.parse(Array(text.utf8))
    } catch {
      throw CommandError.usage("`\(field.name)=\(visible(text))`: a value of type \(field.type.rawValue) is needed")
    }
  }
}
