import Core
import TestSupport
import Testing

@testable import App

/// Event logs in files: what `remit mine export` writes and `--log` reads.
@Suite struct LogFileTests {
  @Test func whatIsExportedIsMinedAsTheWorkspaceIs() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      #expect(await shop.run("process", "release", "vendor-onboarding").exit == 0)
      _ = try await shop.vendor(Shop.large)
      #expect(await shop.run("agent", "work").exit == 0)
      for format in ["xes", "csv"] {
        let path = "\(folder)/log.\(format)"
        let written = try await shop.json("mine", "export", path)
        #expect(written["cases"] == 1 && written["format"] == .string(format))
        for view in ["map", "variants", "bottlenecks"] {
          #expect(try await shop.json("mine", view, "--log", path) == shop.json("mine", view), "\(view) of \(format)")
        }
        #expect(
          await shop.run("mine", "export", "-", "--format", format).output.utf8.elementsEqual(
            try RegularFile.read(path, maximumBytes: 1 << 20)))
      }
      let objects = "\(folder)/log.jsonocel"
      #expect(try await shop.json("mine", "export", objects)["cases"] == 1)
      let mined = try await shop.json("mine", "map", "--log", objects, "--map", "object=run", "--map", "resource=by")
      #expect(mined["cases"] == 1)
      #expect(await shop.run("mine", "map", "--log", objects).exit == ExitCode.usage.rawValue)
      #expect(await shop.run("mine", "map", "--log", objects, "--map", "object=runs").words.contains("did you mean `run`?"))
      #expect(await shop.run("mine", "export", "\(folder)/x.json", "--log", "\(folder)/log.xes").exit == ExitCode.usage.rawValue)
      // From one format to the other and back, nothing is lost of what Remit exports.
      #expect(await shop.run("mine", "export", "\(folder)/again.xes", "--log", "\(folder)/log.csv").exit == 0)
      #expect(await shop.run("mine", "export", "\(folder)/again.csv", "--log", "\(folder)/again.xes").exit == 0)
      #expect(
        try RegularFile.read("\(folder)/again.csv", maximumBytes: 1 << 20) == RegularFile.read("\(folder)/log.csv", maximumBytes: 1 << 20))
    }
  }

  @Test func aLogNeedsNoWorkspace() async throws {
    try await withTemporaryDirectory { folder in
      let table = "Order,Step,At\n1,a,2026-01-01T00:00:02Z\n1,b,2026-01-01T00:00:01Z\n2,a,2026-01-01T00:00:00Z\n"
      try RegularFile.writeAtomically(Array(table.utf8), to: "\(folder)/orders.csv")
      let command = [
        "mine", "variants", "--log", "\(folder)/orders.csv", "--map", "case=Order", "--map", "activity=Step", "--map", "time=At",
      ]
      let environment = ["REMIT_WORKSPACE": "\(folder)/none"]
      let json = await transcript(command + ["--json"], commands: .remit, environment: environment)
      #expect(try json.json()["variants"]?.arrayValue?.count == 2)
      let shown = await transcript(command, commands: .remit, environment: environment)
      #expect(shown.words.contains("1 event stood after a later one of the same case"))
    }
  }

  struct Refused: Sendable, CustomStringConvertible {
    var file: String
    var content: String
    var options: [String] = []
    var words: String
    var exit = ExitCode.failed
    var description: String { words }
  }

  static let refused = [
    Refused(file: "a.xes", content: "<log>\n<trace/></log>", words: "a.xes:2:1: this trace has no `concept:name`"),
    Refused(
      file: "a.xes", content: "<!DOCTYPE log [<!ENTITY a 'b'>]><log/>",
      words: "a.xes:1:1: document types and entity declarations are refused"),
    Refused(file: "a.xes", content: "<log/>", options: ["--map", "case=x"], words: "`--map` is about tables", exit: .usage),
    Refused(
      file: "a.csv", content: "Order,Step,At\n", options: ["--map", "case=Ordr"],
      words: "a.csv:1:1: unknown column `Ordr`\nhint: did you mean `Order`?"),
    Refused(
      file: "a.csv", content: "x\n", options: ["--map", "chase=x"], words: "unknown part of a map `chase`\nhint: did you mean `case`?"),
    Refused(file: "a.csv", content: "x\n", options: ["--map", "case"], words: "NAME=VALUE is needed", exit: .usage),
    Refused(file: "a.csv", content: "x\n", options: ["--process", "x"], words: "`--process` is about this workspace's log", exit: .usage),
    Refused(file: "a.gz", content: "\u{1F}\u{8B}", words: "is packed with gzip"),
  ]

  @Test(arguments: refused) func whatIsWrongIsSaidWithItsPlace(_ test: Refused) async throws {
    try await withTemporaryDirectory { folder in
      let bytes = test.file.hasSuffix("gz") ? [0x1F, 0x8B, 8, 0] : Array(test.content.utf8)
      try RegularFile.writeAtomically(bytes, to: "\(folder)/\(test.file)")
      let shown = await transcript(["mine", "map", "--log", "\(folder)/\(test.file)"] + test.options, commands: .remit)
      #expect(shown.exit == test.exit.rawValue)
      #expect(shown.words.contains(test.words), "\(shown.words)")
    }
  }

  @Test(arguments: [
    (["mine", "map", "--map", "case=x"], ExitCode.usage), (["mine", "export", "log.txt"], .usage), (["mine", "export", "-"], .usage),
    (["mine", "export", "-", "--format", "xes", "--json"], .usage), (["mine", "export"], .usage),
    (["mine", "map", "--log", "/nonexistent"], .notFound),
  ])
  func commandLinesThatMeanNothingAreRefused(arguments: [String], exit: ExitCode) async throws {
    #expect(await transcript(arguments, commands: .remit).exit == exit.rawValue)
  }
}
