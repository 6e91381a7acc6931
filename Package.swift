// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every target, so that a file means the same wherever it lives.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
  // The core's small generic types are used in every target: without their bodies a release is a fifth slower.
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// The dependency table of the design: a target may import what its row names and, transitively, theirs, C targets excepted.
let table: [(name: String, imports: [String])] = [
  ("Core", ["CSHA256"]),
  ("CEL", ["Core"]),
  ("PolicyEngine", ["CEL"]),
  ("ProcessModel", ["CEL"]),
  ("ProcessMining", ["ProcessModel"]),
  ("Storage", ["Core", "CSQLite"]),
  ("HTTP", ["Core", "CCurl"]),
  ("Subprocess", ["Core"]),
  ("LocalSocket", ["Core"]),
  ("Audit", ["Storage"]),
  ("LLM", ["HTTP"]),
  ("Governance", ["PolicyEngine", "ProcessModel", "Audit"]),
  ("Connectors", ["Governance", "HTTP", "Subprocess"]),
  ("AgentRuntime", ["LLM", "Governance"]),
  ("EventData", ["Governance", "ProcessMining"]),
  ("Evals", ["AgentRuntime", "EventData"]),
  ("App", ["Connectors", "Evals", "LocalSocket"]),
]

let foreign: Set = ["CSHA256", "CSQLite", "CCurl"]

/// A row's imports with everything that they import, so that a file can name what it uses.
func closure(_ name: String) -> [String] {
  var all: [String] = []
  for target in table.first(where: { $0.name == name })?.imports ?? [] {
    for reached in closure(target).filter({ !foreign.contains($0) }) + [target] where !all.contains(reached) { all.append(reached) }
  }
  return all
}

func dependencies(_ names: [String]) -> [Target.Dependency] { names.map { .target(name: $0) } }

let library = table.map { row in
  Target.target(name: row.name, dependencies: dependencies(closure(row.name)), swiftSettings: strict)
}

let tests = table.map { row in
  Target.testTarget(
    name: "\(row.name)Tests", dependencies: dependencies(closure(row.name) + [row.name, "TestSupport"]), path: "Tests/\(row.name)Tests",
    swiftSettings: strict)
}

let package = Package(
  name: "Remit",
  targets: [
    .target(name: "CSHA256", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    .systemLibrary(name: "CCurl"),
    .executableTarget(name: "remit", dependencies: ["App"], swiftSettings: strict),
    .executableTarget(name: "bench", dependencies: dependencies(table.map(\.name)), path: "Tests/Benchmarks", swiftSettings: strict),
    .target(name: "TestSupport", dependencies: ["Core"], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], path: "Tests/ArchitectureTests", swiftSettings: strict),
  ] + library + tests,
  swiftLanguageModes: [.v6])
