import Foundation
import Testing

/// The package's own rules, read from its files: which module may import which, what a pure module must not do, what may lie
/// where.
@Suite struct ArchitectureTests {
  static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

  /// The dependency table of `Package.swift`: a row for each target, with what it imports.
  static let table: [(name: String, imports: [String])] = {
    let manifest = (try? String(contentsOfFile: "\(root)/Package.swift", encoding: .utf8)) ?? ""
    return manifest.matches(of: /(?m)^ {2}\("(\w+)", \[(.*)\]\),$/).map { row in
      (String(row.1), row.2.matches(of: /"(\w+)"/).map { String($0.1) })
    }
  }()

  /// Targets that hold C; what they import is the system.
  static let cTargets: Set<String> = ["CSHA256", "CSQLite", "CCurl"]
  /// Targets whose functions depend on their arguments alone.
  static let pureTargets: Set<String> = ["CEL", "PolicyEngine", "ProcessModel", "ProcessMining"]
  /// Modules of the system and the toolchain that any impure target may import.
  ///
  /// Foundation is not among them: it brings ICU, which every start of the program would pay for.
  static let system: Set<String> = ["Glibc", "Synchronization", "Dispatch", "FoundationEssentials"]

  /// What a target may import of the package: its row and, transitively, the rows it names; C targets only where they are named.
  static func allowed(_ name: String) -> Set<String> {
    guard let row = table.first(where: { $0.name == name }) else { return [] }
    var all = Set(row.imports)
    for target in row.imports where !cTargets.contains(target) { all.formUnion(allowed(target).subtracting(cTargets)) }
    return all
  }

  static func swiftFiles(under folder: String) -> [String] {
    guard let files = FileManager.default.enumerator(atPath: "\(root)/\(folder)") else { return [] }
    return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { "\(folder)/\($0)" }
  }

  static func text(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }

  /// The source without comments and the contents of string literals, so that words in them do not count.
  static func code(_ path: String) throws -> String {
    var result: [UInt8] = []
    var rest = Array(try text(path).utf8)[...]
    func skip(past end: String, escapes: Bool = false) {
      while !rest.isEmpty, !rest.starts(with: end.utf8) { rest = rest.dropFirst(escapes && rest.first == UInt8(ascii: "\\") ? 2 : 1) }
      rest = rest.dropFirst(end.utf8.count)
    }
    while let byte = rest.first {
      if rest.starts(with: "//".utf8) {
        skip(past: "\n")
        result.append(0x0A)
      } else if rest.starts(with: "/*".utf8) {
        skip(past: "*/")
      } else if rest.starts(with: "\"\"\"".utf8) {
        rest = rest.dropFirst(3)
        skip(past: "\"\"\"", escapes: true)
      } else if byte == UInt8(ascii: "\"") {
        rest = rest.dropFirst()
        skip(past: "\"", escapes: true)
      } else {
        result.append(byte)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  static func imports(_ path: String) throws -> [String] {
    try code(path).matches(
      of:
        /(?m)^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    )
    .map { String($0.1) }
  }

  static let targets = table.map(\.name)

  @Test func theTableIsReadAndHasNoCycle() {
    #expect(Self.table.count >= 16)
    for (index, row) in Self.table.enumerated() {
      let earlier = Set(Self.table[..<index].map(\.name)).union(Self.cTargets)
      #expect(Set(row.imports).isSubset(of: earlier), "`\(row.name)` imports only rows above it")
    }
  }

  @Test func everySourceFolderIsARowOfTheTable() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/Sources").filter { !$0.hasPrefix(".") }
    #expect(Set(folders).subtracting(Self.targets).subtracting(Self.cTargets) == ["remit"])
  }

  @Test(arguments: targets + ["remit"]) func importsFollowTheTable(_ target: String) throws {
    let permitted = target == "remit" ? ["App", "Glibc"] : Self.allowed(target).union(Self.system)
    for file in Self.swiftFiles(under: "Sources/\(target)") {
      for module in try Self.imports(file) {
        #expect(permitted.contains(module), "\(file) imports `\(module)`, which the row of `\(target)` does not name")
      }
    }
  }

  /// What a pure target must not contain, and why.
  static let impurities: [(pattern: String, why: String)] = [
    (#"\b(async|await)\b"#, "suspends"), (#"\b(Task|TaskGroup|actor)\b(?=\s*[\.\{(A-Z])"#, "runs by itself"),
    (#"\b(Date|ContinuousClock|SuspendingClock)\s*[\.(]"#, "reads a clock"),
    (#"\b(clock_gettime|gettimeofday|time)\s*\("#, "reads a clock"),
    (#"TimeSource\.system"#, "reads a clock"), (#"\bSystemRandomNumberGenerator\b"#, "draws lots"),
    (#"\.(random|randomElement|shuffled|shuffle)\(\s*\)"#, "draws lots"), (#"\.random\(in:[^,()]*\)"#, "draws lots"),
    (#"\b(fopen|opendir|readdir|getenv|RegularFile|FileManager|FileHandle)\b"#, "reads what is not its argument"),
    (#"\bGlibc\.(open|read|write|stat|unlink)\s*\("#, "calls the operating system"), (#"\bprint\s*\("#, "writes"),
  ]

  @Test(arguments: pureTargets.sorted()) func pureTargetsDependOnTheirArgumentsAlone(_ target: String) throws {
    for file in Self.swiftFiles(under: "Sources/\(target)") {
      let code = try Self.code(file)
      for module in try Self.imports(file) {
        #expect(!["Foundation", "FoundationEssentials", "Dispatch"].contains(module), "\(file) imports `\(module)`")
      }
      for (pattern, why) in Self.impurities {
        let found = code.firstMatch(of: try Regex(pattern)).map { String(code[$0.range]) }
        #expect(found == nil, "\(file) \(why): `\(found ?? "")`")
      }
    }
  }

  @Test func theTopLevelHoldsWhatTheDesignNames() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.root).filter { !$0.hasPrefix(".") }
    #expect(
      Set(names).subtracting(["Package.swift", "Package.resolved", "Sources", "Tests", "Policies", "Prompts", "Evals", "README.md"]) == [])
  }

  /// Marks that promise something for later or switch a check off.
  ///
  /// They are spelled apart here, so that this file passes itself.
  static let marks = ["TO" + "DO", "FIX" + "ME", "try" + "!", "as" + "! ", "@preconcurrency " + "import", "swift-format" + "-ignore"]

  @Test func noFilePromisesSomethingForLater() throws {
    for file in Self.swiftFiles(under: "Sources") + Self.swiftFiles(under: "Tests") {
      let text = try Self.text(file)
      for mark in Self.marks { #expect(!text.contains(mark), "\(file) contains `\(mark)`") }
    }
  }

  @Test func theDocumentedModuleTableIsTheManifests() throws {
    let readme = try Self.text("README.md")
    let rows = readme.matches(of: /(?m)^\| `(\w+)` \|.*\| ([^|]*) \|$/).map { row in
      (name: String(row.1), imports: Set(row.2.matches(of: /\w+/).map { String($0.0) }))
    }
    for row in Self.table {
      let documented = rows.first { $0.name == row.name }
      #expect(documented?.imports == Set(row.imports), "the row of `\(row.name)` in README.md")
    }
  }
}
