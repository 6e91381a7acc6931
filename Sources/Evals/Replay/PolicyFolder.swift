internal import CEL
public import Core
internal import Glibc
internal import Governance
public import PolicyEngine

/// A folder of rules over recorded calls: `rules.json5`, `rules.tests.json5`, `facts.json5` and the documents whose clauses the rules cite.
public struct PolicyFolder: Sendable {
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 4 << 20

  /// The folder as it was given.
  public let path: String
  /// Which records belong to a call; nil where the folder has no `facts.json5`.
  public let facts: FactDescription?
  /// The clauses of the documents, such as `policy.md#4.1`.
  public let clauses: Set<String>

  /// Reads the facts and the documents of a folder.
  ///
  /// - Throws: Every problem of `facts.json5`, or that the folder cannot be read.
  public init(path: String) throws(Diagnostics) {
    self.path = path
    var facts: FactDescription?
    if let bytes = try Self.bytes("\(path)/facts.json5", isRequired: false) {
      facts = try FactDescription.load(bytes, file: "\(path)/facts.json5")
    }
    self.facts = facts
    var clauses: Set<String> = []
    for name in try Self.documents(in: path) {
      let bytes = try Self.bytes("\(path)/\(name)", isRequired: true) ?? []
      guard let document = ControlledDocument(name: name, bytes: bytes) else {
        throw Diagnostics([Diagnostic("not-utf8", at: nil, "`\(visible(path))/\(visible(name))` is no UTF-8 text")])
      }
      for clause in document.clauses { clauses.insert("\(name)#\(clause.id)") }
    }
    self.clauses = clauses
  }

  /// What the rules of the folder may name.
  public func environment(catalogue: ToolCatalogue?) -> PolicyEnvironment {
    PolicyEnvironment(facts: facts?.facts.map { ($0.name, .dyn) }, tools: catalogue?.policyTools, clauses: clauses)
  }

  /// Checks and compiles `rules.json5`.
  ///
  /// - Parameter catalogue: The tools that rules may name; nil where they are not known, so that every name is accepted.
  /// - Returns: The rules, ready to decide.
  /// - Throws: Every problem that was found, each with its place.
  public func rules(catalogue: ToolCatalogue?) throws(Diagnostics) -> RuleSet { try rules(in: environment(catalogue: catalogue)) }

  /// Checks and compiles `rules.json5` as rules about something else: a process.
  ///
  /// - Throws: Every problem that was found, each with its place.
  public func rules(in environment: PolicyEnvironment) throws(Diagnostics) -> RuleSet {
    let file = "\(path)/rules.json5"
    return try RuleSet.load(try Self.bytes(file, isRequired: true) ?? [], file: file, environment: environment)
  }

  /// Reads `rules.tests.json5`; nil where there is none.
  ///
  /// - Throws: Every problem that was found, each with its place.
  public func tests(of rules: RuleSet, catalogue: ToolCatalogue?) throws(Diagnostics) -> RuleTests? {
    let file = "\(path)/rules.tests.json5"
    guard let bytes = try Self.bytes(file, isRequired: false) else { return nil }
    return try RuleTests.load(bytes, file: file, rules: rules, environment: environment(catalogue: catalogue))
  }

  private static func bytes(_ path: String, isRequired: Bool) throws(Diagnostics) -> [UInt8]? {
    do throws(FileError) {
      return try RegularFile.read(path, maximumBytes: maximumBytes)
    } catch {
      if error.code == .notFound, !isRequired { return nil }
      throw Diagnostics([Diagnostic(error)])
    }
  }

  /// The Markdown files of a folder, by name.
  private static func documents(in path: String) throws(Diagnostics) -> [String] {
    guard let folder = opendir(path) else {
      throw Diagnostics([
        Diagnostic("unreadable-file", at: nil, "`\(visible(path))`: cannot read the folder: \(String(cString: strerror(errno)))")
      ])
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".md"), !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted(by: bytesLess)
  }
}
