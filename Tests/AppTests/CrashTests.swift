import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// The real program, killed at any moment of the demo.
@Suite("Killed processes", .serialized)
struct CrashTests {
  /// The `remit` that was built beside these tests.
  static let program = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("remit").path ?? ""
  static let isBuilt = access(program, X_OK) == 0

  private func start(_ arguments: [String]) throws -> (process: Process, output: Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/tmp"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    return (process, output)
  }

  private func run(_ arguments: [String]) throws -> (code: Int32, output: [UInt8]) {
    let (process, output) = try start(arguments)
    let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    return (process.terminationStatus, bytes)
  }

  @Test(
    "T16 T17 a demo that is killed leaves a whole log; work goes on, and no vendor is activated twice", .enabled(if: isBuilt),
    arguments: [300, 900, 1700, 2600])
  func killed(milliseconds: Int) throws {
    try withTemporaryDirectory { folder in
      let workspace = "\(folder)/w"
      let (demo, output) = try start(["demo", "--workspace", workspace])
      output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
      usleep(UInt32(milliseconds) * 1000)
      kill(demo.processIdentifier, SIGKILL)
      demo.waitUntilExit()
      output.fileHandleForReading.readabilityHandler = nil
      guard access("\(workspace)/.remit/store.sqlite", R_OK) == 0 else { return }  // killed before there was a store
      let after = try run(["audit", "verify", "--workspace", workspace, "--json"])
      let said = String(decoding: after.output, as: UTF8.self)
      // Killed while the empty store was made: the next command that writes makes the rest of it.
      if said.contains("has an older format") || said.contains(#""entries": 0,"#) { return }
      #expect(after.code == 0, "\(said)")
      // Whatever was under way is taken up again by another process.
      _ = try run(["agent", "work", "--workspace", workspace])
      let end = try run(["audit", "verify", "--workspace", workspace, "--json"])
      #expect(end.code == 0, "\(String(decoding: end.output, as: UTF8.self))")
      let receipts = (try? RegularFile.read("\(workspace)/.remit/tools/erp-receipts.tsv", maximumBytes: 1 << 20)) ?? []
      let keys = receipts.split(separator: 0x0A).compactMap { line -> String? in
        let parts = line.split(separator: 0x09)
        return parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : nil
      }
      #expect(Set(keys).count == keys.count, "\(keys)")
    }
  }
}
