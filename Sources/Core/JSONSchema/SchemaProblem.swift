/// Something wrong with a schema, before it is known where the schema stands in a file.
struct SchemaProblem: Error {
  var code: String
  /// The schema.
  var location: SchemaLibrary.Location
  /// Its keyword, if one is to blame.
  var keyword: String?
  var message: String
  var hint: String?
  var severity = Diagnostic.Severity.error

  /// The problem with its place in a file; `position` gives that of a JSON pointer into the schema that is compiled.
  func diagnostic(_ position: (String) -> SourcePosition?) -> Diagnostic {
    let pointer = location.pointer.string + (keyword.map { JSONPointer.token($0) } ?? "")
    return Diagnostic(code, at: location.document == 0 ? position(pointer) : nil, message, hint: hint, severity: severity)
  }
}
