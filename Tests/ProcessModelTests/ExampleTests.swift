import Core
import ProcessModel
import Testing

/// The bytes of a file of the package.
func packageFile(_ path: String) throws -> [UInt8] {
  let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  return try RegularFile.read("/\(root)/\(path)", maximumBytes: 1 << 20)
}

@Suite("Examples")
struct ExampleTests {
  static let roles = [
    "requester": 3, "procurement": 2, "procurement-lead": 1, "compliance": 2, "finance": 2, "manager": 2, "security": 2, "security-lead": 1,
    "iam-admin": 1,
  ]

  static func loadExample(_ name: String) throws -> (process: ProcessDefinition, warnings: [Diagnostic]) {
    let policy = DocumentClauses(markdown: String(decoding: try packageFile("Policies/\(name)/policy.md"), as: UTF8.self))
    let context = ProcessContext(
      roles: roles, prompts: ["classify-risk", "check-entitlement"], models: ["default"], documents: ["policy.md": policy.ids])
    return try ProcessDefinition.load(
      packageFile("Policies/\(name)/process.json5"), file: "Policies/\(name)/process.json5", context: context)
  }

  @Test(arguments: ["vendor-onboarding", "access-request"])
  func loadsWithoutAWarning(_ name: String) throws {
    let (process, warnings) = try Self.loadExample(name)
    #expect(warnings.map(\.description) == [])
    #expect(process.id == name)
    print(process.outline().joined(separator: "\n"))
  }
}
