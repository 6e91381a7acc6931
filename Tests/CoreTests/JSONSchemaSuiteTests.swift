import Core
import TestSupport
import Testing

/// The JSON Schema Test Suite, draft 2020-12.
@Suite("JSON Schema test suite", .enabled(if: Conformance.isPresent))
struct JSONSchemaSuiteTests {
  static let folder = "jsonschema/draft2020-12"

  /// The documents that the suite expects at `http://localhost:1234`.
  static func remotes(_ path: String = "") throws -> [String: JSON] {
    var documents: [String: JSON] = [:]
    for name in try Conformance.entries("jsonschema/remotes\(path)") {
      if name.hasSuffix(".json") {
        documents["http://localhost:1234\(path)/\(name)"] = try JSON.parse(Conformance.bytes("jsonschema/remotes\(path)/\(name)"))
      } else {
        documents.merge(try remotes("\(path)/\(name)")) { first, _ in first }
      }
    }
    return documents
  }

  /// Runs a file; returns how many tests it holds, and describes those that went wrong.
  static func run(_ file: String, options: JSONSchema.Options) throws -> (count: Int, wrong: [String]) {
    var count = 0
    var wrong: [String] = []
    for group in try JSON.parse(Conformance.bytes("\(folder)/\(file).json")).arrayValue ?? [] {
      let name = "\(file): \(group["description"]?.stringValue ?? "")"
      let tests = group["tests"]?.arrayValue ?? []
      count += tests.count
      do {
        let schema = try JSONSchema(#require(group["schema"]), options: options)
        for test in tests {
          let data = try #require(test["data"])
          let expected = try #require(test["valid"]?.boolValue as Bool?)
          let place = "\(name): \(test["description"]?.stringValue ?? "")"
          let violations = schema.validate(data)
          if violations.isEmpty != expected { wrong.append("\(place): \(violations.map(\.message))") }
          if schema.isValid(data) != expected { wrong.append("\(place): isValid") }
        }
      } catch let error as Diagnostic {
        wrong.append("\(name): \(error)")
      }
    }
    return (count, wrong)
  }

  /// Runs a part of the suite and compares how many tests there are with what the summary says.
  static func runPart(
    _ part: String, folder: String = "", options: JSONSchema.Options = JSONSchema.Options(), only: Set<String>? = nil
  ) throws -> (passed: Int, found: Int, listed: Int, wrong: [String]) {
    let summary = try JSON.parse(Conformance.bytes("jsonschema/summary.json"))
    var (found, listed) = (0, 0)
    var wrong: [String] = []
    for (file, count) in try #require(summary[part]?["by_file"]?.objectValue) where only?.contains(file) ?? true {
      let result = try run(folder + file, options: options)
      found += result.count
      listed += Int(count.intValue ?? 0)
      wrong += result.wrong
    }
    return (found - Set(wrong).count, found, listed, wrong)
  }

  @Test("T01 the part that tool arguments use: 868 of 868")
  func toolArguments() throws {
    let result = try Self.runPart("tool-args-core")
    #expect(result.wrong == [])
    #expect("\(result.passed) of \(result.listed)" == "868 of 868")
  }

  @Test("the rest of the required part: 431 of 431")
  func required() throws {
    let result = try Self.runPart("required-other", options: JSONSchema.Options(documents: Self.remotes()))
    #expect(result.wrong == [])
    #expect("\(result.passed) of \(result.listed)" == "431 of 431")
  }

  @Test("the optional part: 162 of 162")
  func optional() throws {
    let result = try Self.runPart("optional", folder: "optional/", options: JSONSchema.Options(documents: Self.remotes()))
    #expect(result.wrong == [])
    #expect("\(result.passed) of \(result.listed)" == "162 of 162")
  }

  /// Not asserted: the international forms and URI templates.
  static let assertedFormats: Set<String> = [
    "date", "date-time", "duration", "ecmascript-regex", "email", "hostname", "ipv4", "ipv6", "json-pointer", "regex",
    "relative-json-pointer", "time", "unknown", "uri", "uri-reference", "uuid",
  ]

  @Test("asserted formats: 563 of 581, the rest names that only the contextual rules of RFC 5892 forbid")
  func formats() throws {
    let result = try Self.runPart(
      "format", folder: "optional/format/", options: JSONSchema.Options(assertsFormats: true), only: Self.assertedFormats)
    #expect(result.listed == 581)
    #expect(result.wrong.filter { !$0.hasPrefix("optional/format/hostname: validation of A-label (punycode) host names: ") } == [])
    #expect(result.found == result.listed)
    // Each is accepted, and counted for `validate` and for `isValid`.
    #expect(result.wrong.count == 2 * 18)
  }

  @Test("every schema of the suite follows the metaschema, and the metaschema follows itself")
  func metaschema() throws {
    let metaschema = try JSONSchema.metaschema()
    let own = try JSONSchema(["$id": "https://example.com/own", "$ref": "https://json-schema.org/draft/2020-12/schema"])
    var count = 0
    for file in try Conformance.entries(Self.folder) where file.hasSuffix(".json") {
      for group in try JSON.parse(Conformance.bytes("\(Self.folder)/\(file)")).arrayValue ?? [] {
        let schema = try #require(group["schema"])
        #expect(metaschema.validate(schema) == [], "\(file): \(group["description"]?.stringValue ?? "")")
        #expect(own.isValid(schema))
        count += 1
      }
    }
    #expect(count == 383)
  }
}
