import Core
import Foundation
import Glibc
import TestSupport
import Testing

@testable import App

@Suite("eval run, score and compare", .serialized)
struct EvalSuiteCommandTests {
  @Test("every suite that ships for an agent runs offline", arguments: ["classify-risk", "check-entitlement"])
  func shipped(suite: String) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let path = "\(folder)/r.jsonl"
      let run = await shop.run("eval", "run", suite, "--out", path, "--json")
      #expect(run.exit == 0, "\(run.output)\(run.words)")
      let report = try run.json()
      #expect(report["ok"] == true && report["missing"] == 0 && report["endpoint"] == "scripted")
      #expect(report["measures"]?["agreement"]?["mean"]?.numberValue?.double == 1)
      let scored = await shop.run("eval", "score", path, "--suite", suite, "--json")
      #expect(try scored.json()["measures"] == report["measures"])
      let compared = try await shop.json("eval", "compare", path, path)
      #expect(compared["verdict"]?.stringValue?.hasPrefix("Both agree with people") == true)
      #expect(await shop.run("eval", "export", path, "--out", "\(folder)/log.txt").exit == ExitCode.usage.rawValue)
      #expect(await shop.run("eval", "export", path, "--out", "\(folder)/log.json").exit == 0)
      let log = try JSON.parse(try RegularFile.read("\(folder)/log.json", maximumBytes: 1 << 20))
      #expect(log["version"] == 2 && log["status"] == "success" && log["eval"]?["metadata"]?["release"] == report["release"])
      #expect(log["samples"]?.arrayValue?.count == report["samples"]?.intValue.map { Int($0) })
      // A second run finds nothing to do, and says the same.
      #expect(try await shop.json("eval", "run", suite, "--out", path) == report)
    }
  }

  @Test func aThresholdThatIsNotMetIsAnExitStatus() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let file = "\(folder)/Evals/classify-risk/suite.json5"
      let text = String(decoding: try RegularFile.read(file, maximumBytes: 1 << 20), as: UTF8.self)
      let strict = text.replacing("rule_violations: { max: 0.5 }", with: "rule_violations: { max: 0 }, cost: { max: 1 }")
      try RegularFile.writeAtomically(Array(strict.utf8), to: file)
      let run = await shop.run("eval", "run", "classify-risk", "--out", "\(folder)/r.jsonl")
      #expect(run.exit == ExitCode.failed.rawValue)
      #expect(run.output.contains("not met: at most 0") && run.output.contains("not measured: at most 1"), "\(run.output)")
      for rules in ["adaptive-attacks", "activation-limit"] {
        let refused = await shop.run("eval", "run", rules)
        #expect(refused.exit == ExitCode.failed.rawValue && refused.words.contains("remit eval replay --suite"), "\(refused.words)")
      }
      #expect(await shop.run("eval", "run", "nothing").exit == ExitCode.notFound.rawValue)
      #expect(await shop.run("eval", "run", "classify-risk", "--model", "huge").exit == ExitCode.notFound.rawValue)
      #expect(await shop.run("eval", "run", "classify-risk", "--recorded", "--model", "default").exit == ExitCode.usage.rawValue)
    }
  }

  @Test("a run that is killed goes on where it was", .enabled(if: CrashTests.isBuilt), arguments: [60, 200, 450])
  func killed(milliseconds: Int) throws {
    try withTemporaryDirectory { folder in
      _ = try Shop(folder)
      let path = "\(folder)/r.jsonl"
      let words = ["eval", "run", "classify-risk", "--repeat", "3", "--workspace", folder, "--json", "--out"]
      func start(_ path: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CrashTests.program)
        process.arguments = words + [path]
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": folder, "TMPDIR": folder]
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
      }
      let first = try start(path)
      usleep(UInt32(milliseconds) * 1000)
      kill(first.processIdentifier, SIGKILL)
      first.waitUntilExit()
      for target in [path, "\(folder)/whole.jsonl"] {
        let process = try start(target)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
      }
      let bytes = try RegularFile.read(path, maximumBytes: 1 << 20)
      // Every trial is there once; how long a script took is the only thing that may differ.
      func facts(_ bytes: [UInt8]) throws -> [JSON] {
        try bytes.split(separator: 0x0A).map { line in
          var object = try JSON.parse(Array(line)).objectValue ?? [:]
          object["latency_ms"] = nil
          return .object(object)
        }
      }
      #expect(try facts(bytes) == facts(RegularFile.read("\(folder)/whole.jsonl", maximumBytes: 1 << 20)))
      #expect(bytes.split(separator: 0x0A).count == 1 + 3 * 14)
    }
  }
}
