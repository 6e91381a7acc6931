import CEL
import Core
import Glibc
import TestSupport

/// One case of the language's conformance suite.
struct ConformanceCase {
  let name: String
  let expression: String
  let container: String
  let isChecked: Bool
  let isCheckOnly: Bool
  let declarations: [JSON]
  let bindings: JSONObject
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
        name: count == 1 ? plain : "\(plain)#\(count)", expression: line["expr"]?.stringValue ?? "",
        container: line["container"]?.stringValue ?? "", isChecked: line["disable_check"]?.boolValue != true,
        isCheckOnly: line["check_only"]?.boolValue == true, declarations: line["type_env"]?.arrayValue ?? [],
        bindings: line["bindings"]?.objectValue ?? [:], expected: line["error"] == nil ? line["value"] : nil,
        deducedType: line["deduced_type"])
    }
  }

  enum Outcome {
    case value(CELValue, type: CELType)
    case error(String)
  }

  /// The environment that the case describes.
  func environment() throws -> CELEnvironment {
    var environment = CELEnvironment()
    environment.container = container
    environment.isChecked = isChecked
    environment.timeZone = { name in
      guard let path = realpath("/usr/share/zoneinfo/\(name)", nil) else { return nil }  // some zones are links to others
      defer { free(path) }
      guard let bytes = try? RegularFile.read(String(cString: path), maximumBytes: 1 << 20) else { return nil }
      return CELTimeZone(tzif: bytes)
    }
    for (name, _) in bindings { environment.declare(name, .dyn) }
    for declaration in declarations {
      guard let name = declaration["name"]?.stringValue else { continue }
      if let type = declaration["ident"]?["type"] { environment.declare(name, try Self.type(type)) }
      for overload in declaration["function"]?["overloads"]?.arrayValue ?? [] {
        let parameters = try (overload["params"]?.arrayValue ?? []).map(Self.type)
        let result = try overload["result_type"].map(Self.type) ?? .dyn
        environment.declareFunction(name, parameters, returns: result) { _ throws(CELEvaluationError) in
          throw CELEvaluationError(.invalidArgument, "declared for checking only")
        }
      }
    }
    return environment
  }

  /// The values that the case gives to variables.
  func variables() throws -> [String: CELValue] {
    var variables: [String: CELValue] = [:]
    for (name, binding) in bindings { variables[name] = try Self.value(binding["value"] ?? .null) }
    return variables
  }

  var expectsError: Bool { expected == nil && !isCheckOnly }

  func run() throws -> Outcome {
    let environment = try environment()
    let program: CELProgram
    do {
      program = try environment.compile(expression)
    } catch {
      return .error("\(error)")
    }
    if isCheckOnly { return .value(.null, type: program.type) }
    let variables = try variables()
    do {
      return .value(try program.evaluate(variables), type: program.type)
    } catch {
      return .error(error.message)
    }
  }

  /// Why the case does not pass; nil where it does.
  func failure() -> String? {
    do { return try checkedFailure() } catch { return "the case cannot be read: \(error)" }
  }

  private func checkedFailure() throws -> String? {
    switch try run() {
    case .error(let message): return expectsError ? nil : "`\(expression)`: expected a value, got error: \(message)"
    case .value(let value, let type):
      if let deducedType, try Self.type(deducedType) != type { return "`\(expression)`: expected type \(deducedType.text()), got \(type)" }
      if isCheckOnly { return nil }
      guard let expected else { return "`\(expression)`: expected an error, got \(value)" }
      return value == (try Self.value(expected)) ? nil : "`\(expression)`: expected \(expected.text()), got \(value)"
    }
  }

  struct Malformed: Error { var json: JSON }

  /// A value with its type written beside it.
  static func value(_ json: JSON) throws -> CELValue {
    guard let (kind, content) = json.objectValue?.first.map({ ($0.key, $0.value) }) else { throw Malformed(json: json) }
    switch kind {
    case "null": return .null
    case "bool": return .bool(content.boolValue ?? false)
    case "int": return .int(content.stringValue.flatMap { Int64($0) } ?? 0)
    case "uint": return .uint(content.stringValue.flatMap { UInt64($0) } ?? 0)
    case "double": return .double(content.stringValue.flatMap { Double($0 == "Infinity" ? "inf" : $0 == "-Infinity" ? "-inf" : $0) } ?? 0)
    case "string": return .string(content.stringValue ?? "")
    case "bytes":
      return try CELValue(json: content, as: .bytes)
    case "list": return .list(try (content.arrayValue ?? []).map(value))
    case "map":
      var map = CELMap()
      for pair in content.arrayValue ?? [] {
        guard let key = CELMap.Key(try value(pair.arrayValue?[0] ?? .null)) else { throw Malformed(json: pair) }
        map[key] = try value(pair.arrayValue?[1] ?? .null)
      }
      return .map(map)
    case "type":
      let names: [String: CELType] = [
        "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes, "null_type": .null,
        "list": .list(.dyn), "map": .map(.dyn, .dyn), "type": .type,
      ]
      guard let type = names[content.stringValue ?? ""] else { throw Malformed(json: json) }
      return .type(type)
    default: throw Malformed(json: json)
    }
  }

  /// A type as the suite writes it.
  static func type(_ json: JSON) throws -> CELType {
    guard let (kind, content) = json.objectValue?.first.map({ ($0.key, $0.value) }) else { throw Malformed(json: json) }
    switch kind {
    case "primitive":
      let names: [String: CELType] = ["BOOL": .bool, "INT64": .int, "UINT64": .uint, "DOUBLE": .double, "STRING": .string, "BYTES": .bytes]
      guard let type = names[content.stringValue ?? ""] else { throw Malformed(json: json) }
      return type
    case "null": return .null
    case "dyn": return .dyn
    case "list_type": return .list(try content["elem_type"].map(type) ?? .dyn)
    case "map_type": return .map(try content["key_type"].map(type) ?? .dyn, try content["value_type"].map(type) ?? .dyn)
    case "type_param": return .parameter(content.stringValue ?? "")
    case "abstract_type" where content["name"] == "optional_type":
      return .optional(try (content["parameter_types"]?.arrayValue?.first).map(type) ?? .dyn)
    default: throw Malformed(json: json)
    }
  }
}
