import Audit
import Core
import Governance
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import App

@Suite("Guard and clock, as commands") struct GuardCommandTests {
  static let look = """
    { policy: "guard", rules: [
      { id: "look", hold: "erp.*", when: "run.amount > 10.0", approval: { roles: ["compliance"] }, reason: "the bank is down" },
    ] }
    """

  private func write(_ rules: String, in folder: String) throws -> String {
    let path = "\(folder)/guard.json5"
    try RegularFile.writeAtomically(Array(rules.utf8), to: path)
    return path
  }

  @Test func severalPeopleSetAndClearAGuardThroughTheService() async throws {
    try await Office.with(governs: #"directory: "role:compliance", guard: "role:compliance""#) { office in
      let path = try write(Self.look, in: office.folder)
      let compliance = try #require(try await office.store.read { try $0.shared().directory.holders(of: "compliance").first?.id })
      let asked = try await office.json(as: "ben", "guard", "set", path, "-m", "the bank is down")
      #expect(asked["verdict"] == "hold", "\(asked.text())")
      let (id, digest) = (asked["proposal"]?.stringValue ?? "", asked["digest"]?.stringValue ?? "")
      #expect(await office.run(as: "ben", "approve", id, "--digest", digest).exit == ExitCode.identity.rawValue)
      #expect(try await office.json(as: "ben", "guard", "show")["guard"] == .null)
      #expect(await office.run(as: compliance, "approve", id, "--digest", digest).exit == 0)
      #expect(try await office.json(as: "ben", "guard", "show")["by"] == "user:ben")

      // What holds is named as the guard, with who set it, on the card and in the inbox.
      let held = try await office.held()
      let entry = try await office.store.read { try $0.shared().guarding?.entry }
      let card = try await office.json(as: "ben", "approval", "show", held)
      let rule = card["rules"]?.arrayValue?.first { $0["id"] == "guard:look" }
      #expect(rule?["guard"] == .string("which user:ben set in entry \(entry ?? -1)") && rule?["statement"] == "the bank is down")
      let shown = await office.run(as: "ben", "approval", "show", held).output
      #expect(shown.contains("a rule of the workspace's guard, which user:ben set in entry"), "\(shown)")
      #expect(await office.run(as: "ben", "inbox").output.contains("guard:look"))
      // Replayed under the rules of today, the call is held by the guard of its time again.
      let replay = try await office.json(as: "ben", "eval", "replay", "--policy", "vendor-onboarding")
      #expect(replay["comparison"]?["flips"] == [], "\(replay.text())")
      let checked = try await office.json(as: "ben", "process", "check", "vendor-onboarding")
      #expect(checked["processes"]?.arrayValue?.first?["guard"] == ["guard:look"])
      let compared = try await office.json(as: "ben", "process", "diff", "vendor-onboarding", "vendor-onboarding")
      #expect(compared["guarded"] == true)

      // Another guard is set meanwhile: the card does not say that it is the one that held.
      let cleared = try await office.json(as: compliance, "guard", "clear")
      #expect(cleared["verdict"] == "hold")
      #expect(try await office.json(as: "ben", "audit", "verify")["ok"] == true)
    }
  }

  @Test func withoutAnybodyWhoGovernsItNobodyOfSeveralSetsAGuard() async throws {
    try await Office.with { office in
      let path = try write(Self.look, in: office.folder)
      let refused = try await office.json(as: "ben", "guard", "set", path)
      #expect(refused["refusal"]?["message"]?.stringValue?.contains("`governs.guard` in `organisation.json5` names who else") == true)
      let wrong = try write(Self.look.replacing("compliance", with: "complience"), in: office.folder)
      let told = await office.run(as: "ben", "guard", "set", wrong)
      #expect(told.exit == 1 && told.words.contains("guard.json5:2:"), "\(told.words)")
      #expect(told.words.contains("did you mean `compliance`?"), "\(told.words)")
    }
  }

  /// Makes the machine's clock look moved: by what was believed before.
  private static func moveClock(of shop: Shop, by duration: Duration) throws {
    var seen = ClockWatch.machine()
    seen.wall = seen.wall + duration
    let text = #"{"boot":"\#(seen.boot)","elapsed":\#(seen.elapsed),"wall":\#(seen.wall.milliseconds)}"#
    try RegularFile.writeAtomically(Array(text.utf8), to: "\(shop.folder)/.remit/clock.json")
  }

  @Test func aSuspectedClockIsSaidWherePeopleLookAndAPersonMendsItThroughTheService() async throws {
    let days = Duration.seconds(10 * 86_400)
    try await Office.with(prepare: { try Self.moveClock(of: $0, by: .zero - days) }) { office in
      let gate = office.service.workspace.gate
      #expect(try await gate.passTime().expired == 0)
      office.account.withLock { $0 = "dora" }
      let run = try await office.shop.vendor(Shop.large)
      for words in [["inbox"], ["run", "show", run], ["clock"]] {
        office.account.withLock { $0 = "ben" }
        let text = await office.shop.run(words)
        #expect(text.output.contains("forward by 10 days") && text.output.contains("`remit clock confirm`"), "\(words): \(text.output)")
        #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
      }
      #expect(try await office.json(as: "ben", "inbox")["clock"]?["why"]?.stringValue?.contains("forward by 10 days") == true)
      #expect(try await office.json(as: "ben", "run", "show", run)["clock"]?["since_entry"] != nil)
      let checks = try await office.json(as: "ben", "doctor")["checks"]?.arrayValue
      #expect(checks?.first { $0["check"] == "clock" }?["ok"] == false)
      #expect(await office.run(as: "ben", "clock", "confirm", "-m", "I looked").exit == 0)
      #expect(try await office.json(as: "ben", "inbox")["clock"] == .null)
      #expect(try await office.json(as: "ben", "clock")["believed"] == true)
      #expect(try await office.json(as: "ben", "run", "show", run)["clock"] == nil)
      let again = try await office.json(as: "ben", "clock", "confirm")
      #expect(again["refusal"]?["code"] == "changed", "\(again.text())")
      #expect(try await office.json(as: "ben", "audit", "verify")["ok"] == true)
    }
  }
}
