import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// The real program, killed at system calls of `remit store restore`.
@Suite("Killed restores", .serialized)
struct RestoreCrashTests {
  static let strace: String? = ["/usr/bin/strace", "/bin/strace"].first { access($0, X_OK) == 0 }

  private static func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/tmp"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }

  private static func remit(_ arguments: String...) throws -> (code: Int32, json: JSON) {
    let (code, output) = try run(CrashTests.program, arguments + ["--json"])
    return (code, (try? JSON.parse(Array(output.utf8))) ?? .null)
  }

  /// The system calls that change files, and how many of them a restore makes.
  private static let calls = ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename"]

  @Test(
    "T16 a restore that is killed at any write leaves the old store or the new one, whole, and can be given again",
    .enabled(if: CrashTests.isBuilt && strace != nil, "the program is not built, or strace is not installed"))
  func killed() throws {
    let strace = try #require(Self.strace)
    try withTemporaryDirectory { folder in
      let (base, workspace) = ("\(folder)/base", "\(folder)/w")
      let copy = "\(folder)/copy.sqlite"
      _ = try Self.remit("demo", "--workspace", base, "--requests", "2")
      #expect(try Self.remit("store", "backup", copy, "--workspace", base).code == 0)
      // What the copy lacks.
      #expect(try Self.remit("stop", "--all", "--workspace", base).code == 0)
      let before = try #require(try Self.remit("audit", "verify", "--workspace", base).json["entries"]?.intValue)
      let store = "/.remit/store.sqlite"

      func fresh() throws {
        _ = try Self.run("/bin/rm", ["-rf", workspace])
        _ = try Self.run("/bin/cp", ["-r", base, workspace])
      }
      let restore = ["store", "restore", copy, "--discard", "1", "--json", "--workspace", workspace]
      var (tried, killed) = (0, 0)
      for call in Self.calls {
        // Every place of the call where there are few, a spread over them where there are many.
        try fresh()
        let trace = "\(folder)/trace"
        _ = try Self.run(strace, ["-f", "-c", "-U", "name,calls", "-e", "trace=\(call)", "-o", trace, CrashTests.program] + restore)
        let count =
          try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").compactMap { line -> Int? in
            let words = line.split(separator: " ")
            return words.first == Substring(call) ? words.last.flatMap { Int($0) } : nil
          }.first ?? 0
        let step = max(1, count / 10)
        for number in stride(from: 1, through: count, by: step) {
          try fresh()
          _ = try Self.run(
            strace,
            [
              "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):signal=SIGKILL:when=\(number)", CrashTests.program,
            ] + restore)
          tried += 1
          let after = try Self.remit("audit", "verify", "--workspace", workspace)
          let entries = after.json["entries"]?.intValue ?? -1
          // The old log, the copy, or the copy with the record of the restore behind it.
          #expect(after.code == 0 && (before - 1...before).contains(entries), "\(call) \(number): \(after.json.text())")
          if entries == before - 1 { killed += 1 }
          // Given again, it does what it was to do; nothing is left that would be in its way.
          let size = after.json["entries"]?.intValue ?? 0
          let isOld = access("\(workspace)\(store)", R_OK) == 0 && size == before && !Self.isRestored(workspace)
          let again = try Self.run(
            CrashTests.program,
            isOld || Self.isRestored(workspace) ? restore : restore.filter { $0 != "--discard" && $0 != "1" })
          let end = try Self.remit("audit", "verify", "--workspace", workspace)
          #expect(again.code == 0 && end.code == 0 && Self.isRestored(workspace), "\(call) \(number): \(again.output) \(end.json.text())")
        }
      }
      print("restores killed: \(tried) points, \(killed) of them between the copy and its record")
      #expect(tried >= 40)
    }
  }

  /// Whether the log says that a copy was put in its place.
  private static func isRestored(_ workspace: String) -> Bool {
    (try? run(CrashTests.program, ["audit", "export", "--without-content", "--workspace", workspace]).output.contains("store.restored@1"))
      ?? false
  }
}
