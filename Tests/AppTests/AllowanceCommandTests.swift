import Core
import Glibc
import PolicyEngine
import TestSupport
import Testing

@testable import App
@testable import Governance

@Suite("remit allowance")
struct AllowanceCommandTests {
  private static let rule = """
    { id: "classify-alone", permit: "complete_step", by: "agent:*", step: "classify", autonomy: "earned", approval: { roles: ["procurement"] } },
    // Bank details
    """
  private static let terms = """
    { name: "low-risk", agents: ["risk-analyst"], process: "vendor-onboarding", step: "classify", tool: "complete_step",
      bounds: [{ at: "/fields/risk", one_of: ["low"] }], caps: [{ within: "PT24H", count: 2 }],
      maximum_error_ppm: 500000, reviewed_within: "P90D", sampling_ppm: 1000000, until: "UNTIL" }
    """

  /// A workspace whose analyst has to earn to classify alone.
  private func shop(_ folder: String) async throws -> Shop {
    let shop = try Shop(folder)
    let path = "\(folder)/Policies/vendor-onboarding/rules.json5"
    let text = String(decoding: try RegularFile.read(path, maximumBytes: 1 << 20), as: UTF8.self)
    let rules = text.replacing("// Bank details", with: Self.rule)
    try RegularFile.writeAtomically(Array(rules.utf8), to: path)
    #expect(unlink("\(folder)/Policies/vendor-onboarding/rules.tests.json5") == 0)
    let terms = Self.terms.replacing("UNTIL", with: (TimeSource.system.now() + .seconds(86_400)).iso8601)
    try RegularFile.writeAtomically(Array(terms.utf8), to: "\(folder)/terms.json5")
    let released = await shop.run("process", "release", "vendor-onboarding")
    #expect(released.exit == 0, "\(released.words)")
    return shop
  }

  /// Approves all that waits, as a seeded person.
  private func approveAll(_ folder: String, by person: String) async throws {
    let workspace = try await Workspace.open(folder, .write, environment: Environment([:]))
    for item in try await workspace.inbox(limit: 100).decisions {
      _ = try await workspace.gate.decide(item.record.id, .approve, by: .scripted("user:\(person)"), digest: item.record.digest)
    }
    await workspace.close()
  }

  private func vendors(_ count: Int, _ shop: Shop, _ name: String) async throws {
    for place in 0..<count {
      _ = try await shop.vendor([
        "vendor=\(name) \(place) GmbH", "country=DE", "category=goods", "purchase=Desks", "amount=4000", "personal_data=false",
      ])
    }
    _ = await shop.run("agent", "work")
  }

  @Test func anAgentEarnsAnAllowanceUsesItAndLosesIt() async throws {
    try await withTemporaryDirectory { folder in
      let shop = try await shop(folder)
      #expect(try await shop.json("allowance", "list") == ["allowances": []])
      let early = try await shop.json("allowance", "grant", "\(folder)/terms.json5")
      #expect(early["refusal"]?["code"] == "not-earned", "\(early.text())")
      try await vendors(5, shop, "Nordwind")
      try await approveAll(folder, by: "lena")
      let held = await shop.run("allowance", "grant", "\(folder)/terms.json5", "--json")
      #expect(held.exit == ExitCode.pending.rawValue, "\(held.output)")
      try await approveAll(folder, by: "ana")
      try await vendors(3, shop, "Südwind")
      let listed = try await shop.json("allowance", "list")["allowances"]?.arrayValue?.first
      #expect(listed?["status"] == "live" && listed?["reviewed"] == 5 && listed?["bound_ppm"] == 450_720)
      #expect(listed?["used"] == [["within": "P1D", "count": 2, "maximum": 2]])
      #expect(await shop.run("allowance", "show", "low-risk").output.contains("0 of 5 reviewed cases were wrong"))
      let waiting = try await shop.json("allowance", "review")["waiting"]?.arrayValue ?? []
      let call = try #require(waiting.first?["proposal"]?.stringValue)
      #expect(waiting.count == 2)
      #expect(await shop.run("allowance", "review", call).exit == ExitCode.usage.rawValue)
      // Who asked for the run does not judge what the agent made of it.
      #expect(await shop.run("allowance", "review", call, "right").exit == ExitCode.refused.rawValue)
      let stopped = await shop.run("allowance", "stop", "low-risk", "--reason", "an audit begins")
      #expect(stopped.exit == 0, "\(stopped.words)")
      #expect(await shop.run("allowance", "stop", "low-risk").exit == ExitCode.notFound.rawValue)
      let ended = try await shop.json("allowance", "list", "--all")["allowances"]?.arrayValue?.first
      #expect(ended?["ended"]?["why"] == "stopped" && ended?["ended"]?["text"] == "an audit begins")
      #expect(await shop.run("allowance", "show", "low-rsik").words.contains("did you mean `low-risk`?"))
      let before = try await shop.json("doctor")["projections"]
      #expect(try await shop.json("doctor", "--rebuild")["projections"] == before)
      #expect(try await shop.json("audit", "verify")["ok"] == true)
    }
  }
}
