internal import Core

/// Collects what is wrong with one file, so that a person sees all of it at once.
final class DiagnosticSink {
  private(set) var all: [Diagnostic] = []

  /// What a person is shown: all, without what may only follow from a misspelt key, which is named.
  var reported: [Diagnostic] {
    guard all.contains(where: { $0.code == "unknown-key" && $0.hint?.hasPrefix("did you mean") == true }) else { return all }
    return all.filter { !Self.consequences.contains($0.code) }
  }

  /// Where a key stands under another name it is missing, does not go with the others, or declares nothing.
  private static let consequences: Set = [
    "missing-key", "wrong-key", "missing-argument", "no-calendar", "type-mismatch", "overlapping-rules", "unknown-field", "unknown-agent",
    "unknown-tool", "unknown-step",
    "unknown-argument",
  ]

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
