internal import Core

/// Collects what is wrong with one file, so that a person sees all of it at once.
final class DiagnosticSink {
  private(set) var all: [Diagnostic] = []

  var hasErrors: Bool { all.contains { $0.severity == .error } }

  func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }

  func error(_ code: String, at position: SourcePosition?, _ message: String, hint: String? = nil) {
    add(Diagnostic(code, at: position, message, hint: hint))
  }

  func warning(_ code: String, at position: SourcePosition?, _ message: String, hint: String? = nil) {
    add(Diagnostic(code, at: position, message, hint: hint, severity: .warning))
  }

  func unknown(_ kind: String, _ name: String, known: some Sequence<String>, at position: SourcePosition?) {
    add(.unknown(kind, name, known: known, at: position))
  }
}

extension PositionedJSON {
  /// The kind of value, as messages name it.
  var kind: String {
    switch value {
    case .scalar(.null): "null"
    case .scalar(.bool): "a truth value"
    case .scalar(.number): "a number"
    case .scalar(.string): "a text"
    case .scalar, .array: "a list"
    case .object: "an object"
    }
  }
}
