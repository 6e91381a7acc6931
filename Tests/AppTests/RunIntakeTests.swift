import Core
import Glibc
import TestSupport
import Testing

@testable import App

/// Many runs from a table.
@Suite("run start --from")
struct RunIntakeTests {
  private func withShop(_ body: (Shop, (String) throws -> String) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      let released = await shop.run("process", "release", "vendor-onboarding")
      #expect(released.exit == 0, "\(released.words)")
      try await body(shop) { text in
        try RegularFile.writeAtomically(Array(text.utf8), to: "\(folder)/rows.csv")
        return "\(folder)/rows.csv"
      }
    }
  }

  private static let header = "vendor,country,category,purchase,amount,personal_data\n"

  private func row(_ place: Int) -> String { "\"Vendor \(place), Inc.\",DE,goods,Desks,\(100 + place),false\n" }

  @Test func badRowsAreNamedAndKeepNoOtherFromStarting() async throws {
    try await withShop { shop, write in
      let bad = [
        "Short,DE\n", "\"Open\"x,DE,goods,Desks,1,false\n", "Many,DE,goods,Desks,lots,false\n", "Odd,nowhere,goods,Desks,1,false\n",
      ]
      let path = try write(Self.header + row(1) + bad[0] + row(2) + bad[1] + bad[2] + "\n" + row(3) + bad[3])
      let result = await shop.run("run", "start", "vendor-onboarding", "--from", path, "--json")
      let report = try result.json()
      #expect(result.exit == ExitCode.failed.rawValue && report["started"] == 3 && report["failed"] == 4, "\(report.text())")
      let failed = report["rows"]?.arrayValue?.filter { $0["status"] == "failed" } ?? []
      #expect(failed.compactMap { $0["line"]?.intValue } == [3, 5, 6, 9], "\(report.text())")
      // Mended, the same file starts only what was missing.
      let mended = try write(Self.header + row(1) + row(4) + row(2) + row(5) + row(6) + "\n" + row(3) + row(7))
      let again = try await shop.json("run", "start", "vendor-onboarding", "--from", mended)
      #expect(again["started"] == 4 && again["present"] == 3 && again["failed"] == 0, "\(again.text())")
      #expect(try await shop.json("run", "list")["total"] == 7)
    }
  }

  @Test func equalRowsAreRunsOfTheirOwnAndBatchesApart() async throws {
    try await withShop { shop, write in
      let path = try write(Self.header + row(1) + row(1))
      #expect(try await shop.json("run", "start", "vendor-onboarding", "--from", path)["started"] == 2)
      #expect(try await shop.json("run", "start", "vendor-onboarding", "--from", path)["present"] == 2)
      #expect(try await shop.json("run", "start", "vendor-onboarding", "--from", path, "--batch", "may")["started"] == 2)
    }
  }

  static let mistakes: [(String, String)] = [
    ("", "no header"), ("vendor,cuntry\n", "did you mean `country`?"), ("vendor,vendor\n", "is named twice"), ("\"vendor\n", "no header"),
  ]

  @Test(arguments: mistakes) func aHeaderThatNamesNoFieldsStartsNothing(_ text: String, _ message: String) async throws {
    try await withShop { shop, write in
      let result = await shop.run("run", "start", "vendor-onboarding", "--from", try write(text))
      let said = result.words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(result.exit == ExitCode.usage.rawValue && said.contains(message), "\(said)")
      #expect(try await shop.json("run", "list")["total"] == 0)
    }
  }

  @Test func aThousandRowsStartAndHostileTextIsOnlyText() async throws {
    try await withShop { shop, write in
      let hostile = "\"\u{1B}[2J\u{202E}x\",DE,goods,Desks,1,false\n\"broken \u{1B}[2J\",nowhere,goods,Desks,1,false\n"
      let result = await shop.run(
        "run", "start", "vendor-onboarding", "--from", try write(Self.header + (0..<1000).map(row).joined() + hostile))
      #expect(result.exit == ExitCode.failed.rawValue && !result.output.contains("\u{1B}"), "\(result.words)")
      #expect(result.words.contains("1001 started"), "\(result.words)")
      #expect(try await shop.json("audit", "verify")["ok"] == true)
    }
  }
}
