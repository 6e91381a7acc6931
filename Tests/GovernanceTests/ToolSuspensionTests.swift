import Audit
import Core
import Governance
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

/// Tools whose programs no release holds, and that have become others.
@Suite("Suspended tools")
struct ToolSuspensionTests {
  private static let process = Workbench.process.replacing("tools/true", with: "/opt/bank")
  private static let pinned = pin("one")
  private static let swapped = pin("another")

  private static func pin(_ content: String) -> ToolPin { ToolPin(["/opt/bank": SHA256.hash(content)]) }

  private static func prepare(_ bench: Workbench) async throws {
    try await bench.prepare()
    let bundle = Workbench.release(process: process)
    let tools = try Release.load(bundle, directory: nil).process.tools
    let pins = Dictionary(uniqueKeysWithValues: tools.map { ($0.name, pinned) })
    #expect(try await bench.gate.makeRelease(bundle.pinning(pins), by: Workbench.operatorIdentity).verdict == .permit)
  }

  private static func change() -> EffectOutcome { .changed(pinned.change(to: swapped) ?? "", observed: swapped) }

  @Test("a release that leaves a program outside it unpinned is not made")
  func unpinned() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let problems = await #expect(throws: Diagnostics.self) {
        try await bench.gate.makeRelease(Workbench.release(process: Self.process), by: Workbench.operatorIdentity)
      }
      #expect(problems?.all.first?.code == "not-pinned")
    }
  }

  @Test(
    "pins are for tools that have parts outside, and nobody writes them by hand",
    arguments: [
      #"{"bank.pay": {"/opt/bank": "abc"}}"#, #"{"bank.nothing": {}}"#, "[]", "pins",
    ])
  func handWritten(_ text: String) throws {
    let bundle = Workbench.release(process: Self.process)
    let files = bundle.files + [(path: ReleaseBundle.pinsFile, bytes: Array(text.utf8))]
    let problems = #expect(throws: Diagnostics.self) {
      try Release.load(ReleaseBundle(process: bundle.process, files: files), directory: nil)
    }
    #expect(problems?.all.first?.code == "bad-pins")
  }

  @Test("T29 a tool that is not what was released is called no more, for any run, until it is accepted")
  func suspended() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await Self.prepare(bench)
      let runs = [try await bench.assessed(), try await bench.assessed()]
      let payments = [try await bench.proposePayment(runs[0]), try await bench.proposePayment(runs[1])]
      let areGranted = payments.allSatisfy(\.isGranted)
      #expect(areGranted)

      bench.connector.answerNext(Self.change())
      let outcome = try await bench.runner.run(payments[0].proposal, in: runs[0])
      #expect(outcome.kind == .failed && outcome.code == "tool-changed")
      let suspension = try #require(try await bench.gate.store.read { try $0.shared().suspensions.first })
      #expect(suspension.tool == "bank.pay" && suspension.text.contains("/opt/bank"))

      // What was granted before does not begin, and what is proposed now is refused.
      let calls = bench.connector.receipts.count
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(payments[1].proposal, in: runs[1]) }
      #expect(refusal?.code == "tool-suspended" && refusal?.isPassing == true)
      #expect(try await bench.status(payments[1].proposal, in: runs[1]) == .granted)
      let third = try await bench.assessed()
      #expect(try await bench.proposePayment(third).refusal?.code == "tool-suspended")
      #expect(bench.connector.receipts.count == calls)
      // Other tools of the same release go on.
      let other = try await bench.gate.submit(bench.agent("bank.balance", [:], run: third))
      #expect(other.refusal?.code != "tool-suspended")

      // Neither a stranger nor a guess accepts it.
      let stranger = try await bench.gate.acceptTool(suspendedBy: suspension.entry, reason: nil, by: Workbench.person("ana"))
      #expect(stranger.verdict == .forbid)
      let guess = try await bench.gate.submit(
        .acceptTool,
        [
          "process": "payments", "release": .string(suspension.release), "tool": "bank.pay", "parts": Self.pin("a third").json,
        ], run: nil, by: Workbench.operatorIdentity)
      #expect(guess.refusal?.code == "changed")
      let accepted = try await bench.gate.acceptTool(
        suspendedBy: suspension.entry, reason: "the bank says so", by: Workbench.operatorIdentity)
      #expect(accepted.verdict == .permit, "\(accepted.refusal?.message ?? "")")
      #expect(try await bench.gate.store.read { try $0.shared().suspensions }.isEmpty)

      // What was decided about the old tool is decided anew about the new one.
      let changed = await #expect(throws: Refusal.self) { try await bench.runner.run(payments[1].proposal, in: runs[1]) }
      #expect(changed?.code == "changed")
      #expect(try await bench.status(payments[1].proposal, in: runs[1]) == .voided)
      let again = try #require(try await bench.state(runs[1]).replacement(of: payments[1].proposal))
      #expect(try await bench.runner.run(again.id, in: runs[1]).kind == .finished)
      try await bench.expectVerified()
    }
  }

  @Test("accepting a tool needs whoever agrees to releases")
  func governed() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await Self.prepare(bench)
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run)
      bench.connector.answerNext(Self.change())
      _ = try await bench.runner.run(payment.proposal, in: run)
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      let governed = Directory(people: directory.people, roles: directory.roles, governs: [.releases: .role("finance")])
      #expect(try await bench.gate.setDirectory(governed, by: Workbench.operatorIdentity).verdict == .permit)
      let entry = try #require(try await bench.gate.store.read { try $0.shared().suspensions.first?.entry })
      let held = try await bench.gate.acceptTool(suspendedBy: entry, reason: nil, by: Workbench.operatorIdentity)
      #expect(held.verdict == .hold)
      #expect(try await bench.gate.store.read { try $0.shared().suspensions }.count == 1)
    }
  }
}
