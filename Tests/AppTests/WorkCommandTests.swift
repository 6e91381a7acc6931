import Core
import TestSupport
import Testing

@testable import App

/// Work queues, and what people do with steps and runs from the command line.
@Suite("step list, claim, skip and the like")
struct WorkCommandTests {
  static let process = """
    { process: "visit", title: "Visit", owner: "role:procurement-lead", purpose: "See for ourselves.",
      triggers: [ { form: "visit", role: "requester", fields: ["site"] } ],
      fields: { site: { type: "string" }, seen: { type: "boolean" } },
      steps: [
        { step: "plan", role: "requester", due: "P1D" },
        { step: "go", role: "requester", form: ["seen"], skip: "role:procurement-lead", comment: "required" },
        { step: "report", role: "requester" },
      ] }
    """

  private func withShop(_ body: (Shop) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let shop = try Shop(folder)
      try FileTree.makeFolder("\(folder)/Policies/visit")
      try RegularFile.writeAtomically(Array(Self.process.utf8), to: "\(folder)/Policies/visit/process.json5")
      try RegularFile.writeAtomically(Array(#"{ policy: "visit", rules: [] }"#.utf8), to: "\(folder)/Policies/visit/rules.json5")
      let released = await shop.run("process", "release", "visit")
      #expect(released.exit == 0, "\(released.words)")
      try await body(shop)
    }
  }

  private func start(_ shop: Shop, _ site: String) async throws -> String {
    let started = try await shop.json("run", "start", "visit", "-f", "site=\(site)")
    return try #require(started["id"]?.stringValue, "\(started.text())")
  }

  private func steps(_ shop: Shop, _ words: String...) async throws -> [String] {
    let list = try await shop.run(["step", "list", "--json"] + words).json()
    return (list["steps"]?.arrayValue ?? []).compactMap { $0["step"]?.stringValue }
  }

  @Test func queuesShowWhatIsWhose() async throws {
    try await withShop { shop in
      let (first, _) = (try await start(shop, "Kassel"), try await start(shop, "Jena"))
      #expect(try await steps(shop) == ["plan", "plan"])
      #expect(try await steps(shop, "--role", "requester", "--limit", "1") == ["plan"])
      #expect(try await steps(shop, "--late") == [])
      #expect(await shop.run("step", "claim", first, "plan").exit == 0)
      let mine = try await shop.json("step", "list")
      #expect(mine["steps"]?.arrayValue?.compactMap { $0["assignee"]?.stringValue }.count == 1, "\(mine.text())")
      #expect(try await steps(shop, "--person", "ana") == [])
      #expect(await shop.run("step", "release", first, "plan").exit == 0)
      let given = await shop.run("step", "delegate", first, "plan", "--to", "dora")
      #expect(given.exit == 0, "\(given.words)")
      #expect(try await steps(shop, "--person", "dora") == ["plan"])
      #expect(try await steps(shop) == ["plan"], "what another has is not in one's own queue")
      #expect(try await steps(shop, "--everybody", "--process", "visit") == ["plan", "plan"])
      let unknown = await shop.run("step", "list", "--role", "requestr")
      #expect(unknown.exit == ExitCode.notFound.rawValue && unknown.words.contains("did you mean `requester`?"), "\(unknown.words)")
      #expect(await shop.run("step", "list", "--role", "requester", "--everybody").exit == ExitCode.usage.rawValue)
    }
  }

  @Test func aStepIsSkippedWithAReasonAndWorkGoesBack() async throws {
    try await withShop { shop in
      let run = try await start(shop, "Kassel")
      #expect(await shop.run("step", "complete", run, "plan").exit == 0)
      #expect(await shop.run("step", "skip", run, "go").exit == ExitCode.usage.rawValue, "a reason is needed")
      let bare = await shop.run("step", "complete", run, "go", "-f", "seen=true")
      #expect(bare.exit == ExitCode.refused.rawValue && (bare.output + bare.words).contains("a comment is required"), "\(bare)")
      #expect(await shop.run("step", "skip", run, "go", "-m", "seen in May").exit == 0)
      let back = await shop.run("step", "send-back", run, "report", "--to", "plan", "-m", "the wrong site")
      #expect(back.exit == 0, "\(back.words)")
      let shown = try await shop.json("run", "show", run)
      #expect(shown["sent_back"]?.arrayValue?.first?["to"] == "plan", "\(shown.text())")
      #expect(try await steps(shop) == ["plan"])
      let text = await shop.run("run", "show", run)
      #expect(text.output.contains("Sent back from report to plan"), "\(text.output)")
    }
  }

  @Test func aTableHasAResultForEachRow() async throws {
    try await withShop { shop in
      let runs = [try await start(shop, "Kassel"), try await start(shop, "Jena"), try await start(shop, "Ulm")]
      let path = "\(shop.folder)/steps.csv"
      func write(_ text: String) throws { try RegularFile.writeAtomically(Array(text.utf8), to: path) }
      try write("run,step\n\(runs[0]),plan\n\(runs[1]),plan\nr-nothing,plan\n\(runs[2]),go\nx\n\(runs[2]),plan\n")
      let done = await shop.run("step", "complete", "--from", path, "--json")
      let result = try done.json()
      #expect(done.exit == ExitCode.failed.rawValue && result["done"] == 3 && result["refused"] == 3, "\(result.text())")
      let codes = (result["items"]?.arrayValue ?? []).compactMap { $0["error"]?["code"]?.stringValue }
      #expect(codes == ["run-unknown", "step-not-open", "usage"], "\(result.text())")
      try write("run,step,seen,comment\n\(runs[0]),go,true,all fine\n\(runs[1]),go,maybe,\n\(runs[2]),go,true,\n")
      let filled = try await shop.run("step", "complete", "--from", path, "--json").json()
      #expect(filled["done"] == 1 && filled["refused"] == 2, "\(filled.text())")
      try write("run,step,reason\n\(runs[1]),go,seen in May\n")
      #expect(try await shop.json("step", "skip", "--from", path)["done"] == 1)
      try write("run,stp\n")
      let wrong = await shop.run("step", "claim", "--from", path)
      #expect(wrong.exit == ExitCode.usage.rawValue && wrong.words.contains("did you mean `step`?"), "\(wrong.words)")
    }
  }

  @Test func aRunShowsWhatItWaitsFor() async throws {
    try await withShop { shop in
      let timed = Self.process.replacing(
        "steps: [",
        with: """
          on: [ { timeout: "P30D", then: [], after: "end" },
                { exception: "cancelled", then: [ { step: "tell", role: "requester" } ], after: "end" } ],
          steps: [ { wait: "PT36H", id: "cooling-off" },
          """)
      try RegularFile.writeAtomically(Array(timed.utf8), to: "\(shop.folder)/Policies/visit/process.json5")
      let released = await shop.run("process", "release", "visit")
      #expect(released.exit == 0, "\(released.words)")
      let run = try await start(shop, "Kassel")
      let shown = try await shop.json("run", "show", run)
      #expect(shown["timers"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["./timeout", "cooling-off"], "\(shown.text())")
      let lines = await shop.run("run", "show", run).output
      #expect(lines.contains("run/timeout") && lines.contains("cooling-off") && lines.contains("(in 1 d 1"), "\(lines)")
      #expect(await shop.run("run", "cancel", run, "-m", "enough").exit == 0)
      #expect(await shop.run("run", "show", run).output.contains("at run: cancelled: enough"))
      #expect(try await steps(shop) == ["tell"])
      #expect(await shop.run("step", "complete", run, "tell").exit == 0)
      #expect(try await shop.json("run", "list", "--status", "cancelled")["total"] == 1)
    }
  }

  @Test func runsArePausedResumedAndCancelledTogether() async throws {
    try await withShop { shop in
      let runs = [try await start(shop, "Kassel"), try await start(shop, "Jena")]
      let paused = try await shop.run(["run", "pause", "-m", "the trains stand still", "--json"] + runs + ["r-nothing"]).json()
      #expect(paused["done"] == 2 && paused["refused"] == 1, "\(paused.text())")
      #expect(try await shop.json("run", "list", "--status", "paused")["total"] == 2)
      #expect(await shop.run("step", "complete", runs[0], "plan").exit == ExitCode.refused.rawValue)
      #expect(await shop.run("run", "show", runs[0]).output.contains("the trains stand still"))
      let again = await shop.run("run", "pause", "-m", "still", runs[0], "r-nothing").output
      #expect(again.contains("refused") && again.contains("there is no run `r-nothing`") && !again.contains("Shown"), "\(again)")
      #expect(await shop.run("run", "resume", runs[0]).exit == 0)
      #expect(await shop.run("step", "complete", runs[0], "plan").exit == 0)
      #expect(try await shop.run(["run", "cancel", "-m", "enough", "--json"] + runs).json()["done"] == 2)
      let verified = await shop.run("audit", "verify")
      #expect(verified.exit == 0, "\(verified.words)")
    }
  }
}
