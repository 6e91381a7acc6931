import CEL
import Core
import Glibc
import TestSupport

/// One case of the language's conformance suite.
struct ConformanceCase {
  let name: String
  let line: JSON
  /// Nil where an error is expected.
  let expected: JSON?
  let deducedType: JSON?

  /// The cases of a file that need no protocol buffers, in order; repeated names are told apart by a number.
  static func load(_ file: String) throws -> [ConformanceCase] {
    var seen: [String: Int] = [:]
    return try Conformance.lines("cel/\(file).jsonl").filter { $0["needs_proto"]?.boolValue != true }.map { line in
      let plain = "\(file)/\(line["section"]?.stringValue ?? "")/\(line["name"]?.stringValue ?? "")"
      seen[plain, default: 0] += 1
      let count = seen[plain] ?? 1
      return ConformanceCase(
        name: count == 1 ? plain : "\(plain)#\(count)", line: line, expected: line["error"] == nil ? line["value"] : nil,
        deducedType: line["deduced_type"])
    }
  }

  var expectsError: Bool { expected == nil && !isCheckOnly }

  func run() throws -> TaggedExpression.Outcome {
    try expression().evaluate(timeZone: Self.timeZone)
  }

  /// The expression with its variables; the suite checks types where it does not say otherwise.
  func expression() throws -> TaggedExpression {
    var expression = try TaggedExpression(json: line)
    expression.isChecked = line["disable_check"]?.boolValue != true
    return expression
  }

  /// A time zone of this machine.
  static let timeZone: @Sendable (String) -> CELTimeZone? = { name in
    guard let path = realpath("/usr/share/zoneinfo/\(name)", nil) else { return nil }  // some zones are links to others
    defer { free(path) }
    guard let bytes = try? RegularFile.read(String(cString: path), maximumBytes: 1 << 20) else { return nil }
    return CELTimeZone(tzif: bytes)
  }

  /// Why the case does not pass; nil where it does.
  func failure() -> String? {
    do { return try checkedFailure() } catch { return "the case cannot be read: \(error)" }
  }

  private var isCheckOnly: Bool { line["check_only"]?.boolValue == true }

  private func checkedFailure() throws -> String? {
    let expression = line["expr"]?.stringValue ?? ""
    switch try run() {
    case .error(let message): return expectsError ? nil : "`\(expression)`: expected a value, got error: \(message)"
    case .checked(let type): return try misfit(of: type)
    case .value(let value, let type):
      if let failure = try misfit(of: type) { return failure }
      guard let expected else { return "`\(expression)`: expected an error, got \(value)" }
      return value == (try CELValue(tagged: expected)) ? nil : "`\(expression)`: expected \(expected.text()), got \(value)"
    }
  }

  private func misfit(of type: CELType) throws -> String? {
    guard let deducedType, try CELType(tagged: deducedType) != type else { return nil }
    return "expected type \(deducedType.text()), got \(type)"
  }
}
