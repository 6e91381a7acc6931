// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// One set of rules for every target, so that a file means the same wherever it lives.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// The dependency table of the design: a target may import what its row names and, transitively, theirs.
let table: [(name: String, imports: [String])] = [
  ("Core", ["CSHA256"]),
  ("CEL", ["Core"]),
  ("PolicyEngine", ["CEL"]),
  ("ProcessModel", ["CEL"]),
  ("ProcessMining", ["ProcessModel"]),
  ("Storage", ["Core", "CSQLite"]),
  ("HTTP", ["Core", "CCurl"]),
  ("Subprocess", ["Core"]),
  ("Audit", ["Storage"]),
  ("LLM", ["HTTP"]),
  ("Governance", ["PolicyEngine", "ProcessModel", "Audit"]),
  ("Connectors", ["Governance", "HTTP", "Subprocess"]),
  ("AgentRuntime", ["LLM", "Governance"]),
  ("EventData", ["Governance", "ProcessMining"]),
  ("Evals", ["AgentRuntime", "EventData"]),
  ("App", ["Connectors", "Evals"]),
]

let root = Context.packageDirectory
func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

/// A row's imports with everything that they import, so that a file can name what it uses.
func closure(_ name: String) -> [String] {
  guard let row = table.first(where: { $0.name == name }) else { return [] }
  var all: [String] = []
  for target in row.imports {
    for reached in closure(target).filter({ !$0.hasPrefix("C") || $0.hasPrefix("CE") || $0.hasPrefix("Co") }) + [target]
    where !all.contains(reached) { all.append(reached) }
  }
  return all
}
func dependencies(_ names: [String]) -> [Target.Dependency] {
  names.filter { exists("Sources/\($0)") }.map { .target(name: $0) }
}

var targets: [Target] = []
if exists("Sources/CSHA256") { targets.append(.target(name: "CSHA256", cSettings: [.unsafeFlags(["-O2"])])) }
if exists("Sources/CSQLite") { targets.append(.systemLibrary(name: "CSQLite", pkgConfig: "sqlite3")) }
if exists("Sources/CCurl") { targets.append(.systemLibrary(name: "CCurl")) }
for row in table where exists("Sources/\(row.name)") {
  targets.append(.target(name: row.name, dependencies: dependencies(closure(row.name)), swiftSettings: strict))
}
if exists("Sources/remit") {
  targets.append(.executableTarget(name: "remit", dependencies: dependencies(["App"]), swiftSettings: strict))
}
let everything = table.map(\.name)
if exists("Tests/TestSupport") {
  targets.append(.target(name: "TestSupport", dependencies: dependencies(["Core"]), path: "Tests/TestSupport", swiftSettings: strict))
}
for name in everything + ["Architecture"] where exists("Tests/\(name)Tests") {
  let own = name == "Architecture" ? [] : closure(name) + [name]
  targets.append(
    .testTarget(
      name: "\(name)Tests", dependencies: dependencies(own) + [.target(name: "TestSupport")], path: "Tests/\(name)Tests",
      swiftSettings: strict))
}
if exists("Tests/Benchmarks") {
  targets.append(
    .executableTarget(name: "bench", dependencies: dependencies(everything), path: "Tests/Benchmarks", swiftSettings: strict))
}

let package = Package(name: "Remit", targets: targets, swiftLanguageModes: [.v6])
