import Core
import Glibc
internal import PolicyEngine
import TestSupport
import Testing

@testable import App
@testable import Governance

/// A new user's first steps.
@Suite("remit init and process new")
struct InitTests {
  private func remit(_ folder: String, _ words: [String]) async -> Transcript {
    await transcript(words, commands: .remit, environment: ["REMIT_WORKSPACE": folder])
  }

  @Test("what a template writes is checked, released and run", arguments: ["people", "agent"])
  func templates(_ template: String) async throws {
    try await withTemporaryDirectory { folder in
      let office = "\(folder)/office"
      let made = await remit(office, ["init"])
      #expect(made.exit == 0, "\(made.words)")
      let written = await remit(office, ["process", "new", "purchase-request", "--template", template, "--limit", "500"])
      #expect(written.exit == 0 && written.words.contains("remit process check purchase-request"), "\(written.words)")
      let checked = try await remit(office, ["process", "check", "purchase-request", "--json"]).json()
      #expect(checked["ok"] == true, "\(checked.text())")
      let report = checked["processes"]?.arrayValue?.first
      #expect(report?["problems"]?.arrayValue?.isEmpty ?? true, "\(checked.text())")
      let released = await remit(office, ["process", "release", "purchase-request"])
      #expect(released.exit == 0, "\(released.words)")
      let started = try await remit(
        office,
        [
          "run", "start", "purchase-request", "-f", "subject=Desks", "-f", "details=Two desks for the new people", "-f", "amount=900",
          "--json",
        ]
      ).json()
      let run = try #require(started["id"]?.stringValue, "\(started.text())")
      if template == "agent" { return }
      // Whoever asks cannot decide, a colleague can, and a second one has to agree.
      let own = await remit(office, ["step", "complete", run, "decide", "-f", "decision=agree", "-f", "note=Mine"])
      #expect(own.exit == ExitCode.refused.rawValue, "\(own.output) \(own.words)")
      let workspace = try await Workspace.open(office, .write, environment: Environment([:]))
      let held = try await workspace.gate.submit(
        Proposal(
          id: workspace.gate.mintID(), principal: "user:kim", identity: .scripted("user:kim"), tool: "complete_step",
          arguments: ["fields": ["decision": "agree", "note": "Needed"]], run: run, step: "decide"))
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      let outcome = try await workspace.gate.decide(held.proposal, .approve, by: .scripted("user:lee"), digest: held.digest)
      guard case .approved = outcome.standing else { Issue.record("\(outcome.standing)"); return }
      await workspace.close()
      let done = await remit(office, ["step", "complete", run, "do-it", "-f", "outcome=Bought"])
      #expect(done.exit == 0, "\(done.words)")
      #expect(try await remit(office, ["run", "show", run, "--json"]).json()["status"] == "completed")
      #expect(try await remit(office, ["audit", "verify", "--json"]).json()["ok"] == true)
    }
  }

  @Test func nothingThatExistsIsChanged() async throws {
    try await withTemporaryDirectory { folder in
      #expect(await remit(folder, ["init", "--colleague", "ben", "--colleague", "cleo"]).exit == 0)
      let before = try RegularFile.read("\(folder)/Policies/organisation.json5", maximumBytes: 1 << 20)
      #expect(!String(decoding: before, as: UTF8.self).contains("invented"))
      #expect(await remit(folder, ["init"]).exit == ExitCode.conflict.rawValue)
      #expect(await remit(folder, ["process", "new", "a"]).exit == 0)
      #expect(await remit(folder, ["process", "new", "a"]).exit == ExitCode.conflict.rawValue)
      #expect(try RegularFile.read("\(folder)/Policies/organisation.json5", maximumBytes: 1 << 20) == before)
    }
  }

  static let mistakes: [[String]] = [
    ["init", "--colleague", "a b"], ["process", "new", "A"], ["process", "new", "../x"], ["process", "new", "-x"],
    ["process", "new", "x", "--template", "robot"], ["process", "new", "x", "--limit", "-1"], ["process", "new", "x", "--limit", "many"],
    ["process", "new", "x", "--title", ""],
  ]

  @Test(arguments: mistakes) func aMistakeWritesNothing(_ words: [String]) async throws {
    try await withTemporaryDirectory { folder in
      let result = await remit(folder, words)
      #expect(result.exit == ExitCode.usage.rawValue, "\(result.output) \(result.words)")
      let written = try Conformance.names(in: folder)
      #expect(written.isEmpty)
    }
  }

  @Test func aTitleIsDataInEveryFile() async throws {
    try await withTemporaryDirectory { folder in
      #expect(await remit(folder, ["init"]).exit == 0)
      let title = "A \"quoted\"\n} title, */ // \u{202E}"
      #expect(await remit(folder, ["process", "new", "x", "--title", title]).exit == 0)
      let checked = try await remit(folder, ["process", "check", "x", "--json"]).json()
      #expect(checked["ok"] == true, "\(checked.text())")
    }
  }
}
